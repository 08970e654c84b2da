// Reading and writing files. Errors name the file. MappedFile reads regular files only. NewFile and
// WriteFile replace a file atomically: after a crash, the old one or the whole new one is there.
// Folder is a folder to read, on disk or in memory.

#ifndef LIMPID_MODELS_IO_FILE_H_
#define LIMPID_MODELS_IO_FILE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace limpid::internal {

// A whole file, mapped read-only and aligned to a page. Later changes of the file show, and reading
// pages that were truncated raises SIGBUS: replace a model that is in use (as WriteNative does)
// instead of overwriting it.
class MappedFile {
 public:
  // Fails with the system's error, and with InvalidArgument if `path` is not a regular file, or is
  // a Git LFS pointer, the placeholder of a file that `git lfs pull` fetches.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path);

  // Wraps bytes owned by the caller.
  static std::shared_ptr<const MappedFile> Borrow(std::string_view bytes);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  absl::Span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  // Frees the memory of the pages. Pages that are read again are loaded from the file again. Does
  // nothing to borrowed bytes.
  void DropPages() const;

 private:
  MappedFile(const std::byte* data, size_t size, bool is_mapped)
      : data_(data), size_(size), is_mapped_(is_mapped) {}

  const std::byte* data_;
  size_t size_;
  bool is_mapped_;  // false when the file is empty, or borrowed
};

// The files of one folder, by name.
class Folder {
 public:
  // On disk.
  explicit Folder(std::string path) : path_(std::move(path)) {}
  // In memory: names and bytes. The bytes are borrowed. Errors call the folder "<memory>".
  explicit Folder(std::map<std::string, std::string_view> files)
      : path_("<memory>"), files_(std::move(files)) {}

  const std::string& path() const { return path_; }
  bool exists() const;
  std::string PathOf(std::string_view name) const { return path_ + "/" + std::string(name); }
  bool Has(std::string_view name) const;
  // Fails as MappedFile::Open does.
  absl::StatusOr<std::shared_ptr<const MappedFile>> Open(std::string_view name) const;

 private:
  std::string path_;
  std::optional<std::map<std::string, std::string_view>> files_ = std::nullopt;
};

// A new file under a temporary name in the target's folder. Commit renames it; without, the
// destructor removes it.
class NewFile {
 public:
  // Follows a symbolic link at `path`. A device or a pipe has no temporary name: it is written to
  // directly.
  static absl::StatusOr<std::unique_ptr<NewFile>> Create(const std::string& path);

  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  // The temporary file to open and write; it exists and is empty.
  const std::string& path() const { return path_; }

  // Renames the file to its target. Content is synced to disk before the name, so that the result
  // survives a power cut.
  absl::Status Commit();

 private:
  NewFile(std::string path, std::string target)
      : path_(std::move(path)), target_(std::move(target)) {}

  std::string path_;
  std::string target_;  // the same as path_ for a device
};

// Writes the concatenated `parts` through a NewFile.
absl::Status WriteFile(const std::string& path,
                       absl::Span<const absl::Span<const std::byte>> parts);
absl::Status WriteFile(const std::string& path, std::string_view text);

// Waits until what was written to a file, or renamed in a folder, is on disk.
absl::Status SyncToDisk(const std::string& path);

// Whether `path` exists.
bool Exists(const std::string& path);

// Lists some names in the folder `path`, or in the folder of the file `path`, for a message:
// "a.bin, b.bin, …".
std::string NamesIn(const std::string& path);

// Prefixes the message of an error with `what`, usually a path. Returns an OK status unchanged.
absl::Status InContext(const std::string& what, const absl::Status& status);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_FILE_H_

// Files on disk, to read and to write, with every error as a Status that names the file. There is
// one way to do either: MappedFile reads regular files and nothing else; NewFile, and WriteFile
// which uses it, leave the old file or the whole new one under a name, whatever happens.

#ifndef LIMPID_MODELS_IO_FILE_H_
#define LIMPID_MODELS_IO_FILE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace limpid::internal {

// A whole file, mapped read-only. Starts at a page boundary. The mapping sees later changes of the
// file, and touching pages that a truncation took away is fatal (SIGBUS): do not overwrite a model
// that is in use, replace it (as WriteNative does).
class MappedFile {
 public:
  // Fails with the system's reason, and with InvalidArgument if `path` is not a regular file, or is
  // a Git LFS pointer, the few lines that stand for a large file until `git lfs pull` gets it.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  absl::Span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  // Gives back the memory behind the bytes; those that are touched again are read again.
  void DropPages() const;

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}

  const std::byte* data_;  // null when the file is empty
  size_t size_;
};

// A file in the making, for what writes by itself: under a temporary name in the folder of the file
// that it is to become. It goes away again unless it is committed.
class NewFile {
 public:
  // Follows a link at `path` to what it stands for. Where that is a device or a pipe, there is no
  // temporary name: what is written goes there at once.
  static absl::StatusOr<std::unique_ptr<NewFile>> Create(const std::string& path);

  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  // What to open and to write. A file is there, and is empty.
  const std::string& path() const { return path_; }

  // Gives the file its name, which it keeps after a power cut, too: the content reaches the disk
  // before the name does.
  absl::Status Commit();

 private:
  NewFile(std::string path, std::string target)
      : path_(std::move(path)), target_(std::move(target)) {}

  std::string path_;
  std::string target_;  // the same as path_ for a device
};

// Writes `parts` one after the other as a NewFile.
absl::Status WriteFile(const std::string& path,
                       absl::Span<const absl::Span<const std::byte>> parts);
absl::Status WriteFile(const std::string& path, std::string_view text);

// Waits until what was written to a file, or renamed within a folder, is on the disk.
absl::Status SyncToDisk(const std::string& path);

// Returns whether there is anything at `path`.
bool Exists(const std::string& path);

// Lists some names in the folder `path`, or in the folder of the file `path`, for a message:
// "a.bin, b.bin, …".
std::string NamesIn(const std::string& path);

// Puts `what`, usually a path, before the message of a status that is not OK.
absl::Status InContext(const std::string& what, const absl::Status& status);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_FILE_H_

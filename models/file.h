// Files on disk, to read (by mapping) and to write, with every error as a Status that names the
// file.

#ifndef LIMPID_MODELS_FILE_H_
#define LIMPID_MODELS_FILE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace limpid {

// A whole file, mapped read-only. Starts at a page boundary. The mapping sees later changes of the
// file, and touching pages that a truncation took away is fatal (SIGBUS): do not overwrite a model
// that is in use, replace it (as WriteNative does).
class MappedFile {
 public:
  // Fails with the system's reason, and with InvalidArgument if `path` is no regular file.
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

// Writes `parts` one after the other to a new file, replacing one that is there. On failure removes
// what it wrote.
absl::Status WriteFile(const std::string& path,
                       absl::Span<const absl::Span<const std::byte>> parts);
absl::Status WriteFile(const std::string& path, std::string_view text);

// Returns whether there is anything at `path`.
bool Exists(const std::string& path);

// Puts `what`, usually a path, before the message of a status that is not OK.
absl::Status InContext(const std::string& what, const absl::Status& status);

}  // namespace limpid

#endif  // LIMPID_MODELS_FILE_H_

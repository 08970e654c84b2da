#include "models/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace limpid {
namespace {

absl::Status SystemError(const std::string& path, const char* action) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot ", action));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError(path, "open");
  struct stat info = {};
  if (fstat(file.get(), &info) != 0) return SystemError(path, "stat");
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a file, found a ",
                     S_ISDIR(info.st_mode) ? "folder" : "device, pipe or socket"));
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* data = nullptr;
  if (size > 0) {  // mmap refuses to map nothing
    data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) return SystemError(path, "map");
  }
  return std::shared_ptr<const MappedFile>(
      new MappedFile(static_cast<const std::byte*>(data), size));
}

void MappedFile::DropPages() const {
  if (data_ != nullptr) madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

absl::Status WriteFile(const std::string& path,
                       absl::Span<const absl::Span<const std::byte>> parts) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return SystemError(path, "create");
  bool written = true;
  for (absl::Span<const std::byte> part : parts) {
    written = written && std::fwrite(part.data(), 1, part.size(), file) == part.size();
  }
  absl::Status status = written ? absl::OkStatus() : SystemError(path, "write");
  // A full disk may show only here, when the last buffer goes out.
  if (std::fclose(file) != 0 && status.ok()) status = SystemError(path, "write");
  std::error_code ignored;  // a device stays where it is
  if (!status.ok() && std::filesystem::is_regular_file(path, ignored)) std::remove(path.c_str());
  return status;
}

absl::Status WriteFile(const std::string& path, std::string_view text) {
  const absl::Span<const std::byte> part(reinterpret_cast<const std::byte*>(text.data()),
                                         text.size());
  return WriteFile(path, absl::MakeConstSpan(&part, 1));
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

absl::Status InContext(const std::string& what, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

}  // namespace limpid

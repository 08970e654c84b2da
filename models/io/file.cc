#include "models/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace limpid::internal {
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

// What Git checks out instead of a large file if Git LFS is not installed:
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
bool IsGitLfsPointer(std::string_view text) {
  constexpr size_t kMaxBytes = 1024;
  return text.size() < kMaxBytes && text.starts_with("version https://git-lfs.github.com/spec/");
}

absl::Status GitLfsPointerError(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": is a Git LFS pointer instead of the file; fetch the file with ",
                   "`git lfs pull`, or from where the model was published"));
}

absl::Status WriteParts(const std::string& path, const std::string& name,
                        absl::Span<const absl::Span<const std::byte>> parts) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return SystemError(name, "create");
  bool written = true;
  for (absl::Span<const std::byte> part : parts) {
    written = written && std::fwrite(part.data(), 1, part.size(), file) == part.size();
  }
  absl::Status status = written ? absl::OkStatus() : SystemError(name, "write");
  // A full disk may show only here, when the last buffer is flushed.
  if (std::fclose(file) != 0 && status.ok()) status = SystemError(name, "write");
  return status;
}

// Creates an empty file beside `target`, with its permissions if it exists.
absl::StatusOr<std::string> CreateBeside(const std::string& target) {
  constexpr int kMaxAttempts = 100;  // names are taken by running or killed processes
  struct stat old = {};
  const bool replaces = stat(target.c_str(), &old) == 0;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    std::string path = absl::StrCat(target, ".partial-", attempt);
    const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file.get() < 0 && errno == EEXIST) continue;
    if (file.get() < 0) return SystemError(target, "create");
    if (replaces) static_cast<void>(fchmod(file.get(), old.st_mode & 07777U));
    return path;
  }
  return absl::AlreadyExistsError(
      absl::StrCat(target, ".partial-0 to -99 exist; remove what earlier runs left"));
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a named pipe must not block until another process writes.
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
  if (size > 0) {  // mmap fails on 0 bytes
    data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) return SystemError(path, "map");
  }
  std::shared_ptr<const MappedFile> mapped(
      new MappedFile(static_cast<const std::byte*>(data), size, size > 0));
  if (IsGitLfsPointer(mapped->text())) return GitLfsPointerError(path);
  return mapped;
}

std::shared_ptr<const MappedFile> MappedFile::Borrow(std::string_view bytes) {
  return std::shared_ptr<const MappedFile>(new MappedFile(
      reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), /*is_mapped=*/false));
}

void MappedFile::DropPages() const {
  if (is_mapped_) madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (is_mapped_) munmap(const_cast<std::byte*>(data_), size_);
}

bool Folder::exists() const { return files_.has_value() || Exists(path_); }

bool Folder::Has(std::string_view name) const {
  return files_.has_value() ? files_->contains(std::string(name)) : Exists(PathOf(name));
}

absl::StatusOr<std::shared_ptr<const MappedFile>> Folder::Open(std::string_view name) const {
  if (!files_.has_value()) return MappedFile::Open(PathOf(name));
  const auto file = files_->find(std::string(name));
  if (file != files_->end()) {
    if (IsGitLfsPointer(file->second)) return GitLfsPointerError(PathOf(name));
    return MappedFile::Borrow(file->second);
  }
  return absl::NotFoundError(PathOf(name) + ": no such file");
}

absl::StatusOr<std::unique_ptr<NewFile>> NewFile::Create(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return std::unique_ptr<NewFile>(new NewFile(path, path));
  }
  std::string target = path;
  if (std::filesystem::is_symlink(path, error)) {
    target = std::filesystem::weakly_canonical(path, error);
    if (error) target = path;
  }
  absl::StatusOr<std::string> partial = CreateBeside(target);
  if (!partial.ok()) return partial.status();
  return std::unique_ptr<NewFile>(new NewFile(*std::move(partial), std::move(target)));
}

NewFile::~NewFile() {
  if (path_ != target_) std::remove(path_.c_str());
}

absl::Status NewFile::Commit() {
  if (path_ == target_) return absl::OkStatus();
  if (absl::Status status = SyncToDisk(path_); !status.ok()) return status;
  if (std::rename(path_.c_str(), target_.c_str()) != 0) {
    return SystemError(target_, "rename the finished file to it");
  }
  path_ = target_;
  return SyncToDisk(FolderOf(target_));
}

absl::Status WriteFile(const std::string& path,
                       absl::Span<const absl::Span<const std::byte>> parts) {
  const absl::StatusOr<std::unique_ptr<NewFile>> file = NewFile::Create(path);
  if (!file.ok()) return file.status();
  absl::Status status = WriteParts((*file)->path(), path, parts);
  return status.ok() ? (*file)->Commit() : status;
}

absl::Status WriteFile(const std::string& path, std::string_view text) {
  const absl::Span<const std::byte> part(reinterpret_cast<const std::byte*>(text.data()),
                                         text.size());
  return WriteFile(path, absl::MakeConstSpan(&part, 1));
}

absl::Status SyncToDisk(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError(path, "open");
  // Some file systems do not support fsync.
  if (fsync(file.get()) == 0 || errno == EINVAL || errno == ENOTSUP) return absl::OkStatus();
  return SystemError(path, "write");
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string NamesIn(const std::string& path) {
  constexpr size_t kMaxShown = 8;
  std::set<std::string> names;
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = std::filesystem::is_directory(path, error) ? path
                             : parent.empty()                           ? "."
                                                                        : parent.string();
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.insert(entry->path().filename().string());
  }
  if (names.empty()) return "nothing";
  const bool all = names.size() <= kMaxShown;
  if (!all) names.erase(std::next(names.begin(), kMaxShown), names.end());
  return absl::StrCat(absl::StrJoin(names, ", "), all ? "" : ", …");
}

absl::Status InContext(const std::string& what, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

}  // namespace limpid::internal

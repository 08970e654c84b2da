#include "tools/streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/lines.h"

namespace limpid {
namespace {

constexpr size_t kReadSize = size_t{1} << 16;

bool IsStandardStream(const std::string& path) { return path.empty() || path == "-"; }

absl::Status OverTheInput(const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot write the output over the input ", path, "; choose another --output"));
}

bool IsSameFile(int a, int b) {
  struct stat first = {};
  struct stat second = {};
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

// Counts the whole lines of a file and goes behind the last of them.
absl::Status PassWholeLines(PartialOutput& output) {
  std::vector<char> buffer(kReadSize);
  off_t position = 0;
  off_t end = 0;
  ssize_t count = 0;
  while ((count = read(output.file.descriptor, buffer.data(), buffer.size())) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read", output.file.name);
    for (ssize_t i = 0; i < count; ++i) {
      if (buffer[i] != '\n') continue;
      ++output.lines;
      end = position + i + 1;
    }
    position += count;
  }
  if (lseek(output.file.descriptor, end, SEEK_SET) < 0) {
    return SystemError("write", output.file.name);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<File> OpenInput(const std::string& path) {
  if (IsStandardStream(path)) return File{STDIN_FILENO, "standard input"};
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("read", path);
  return File{descriptor, path};
}

// Lines are written to the file itself, not to a temporary one, so that they can be watched and
// used while the rest is being translated.
absl::StatusOr<File> OpenOutput(const std::string& path, const File& input) {
  if (IsStandardStream(path)) return File{STDOUT_FILENO, "standard output"};
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return SystemError("write", path);
  struct stat out = {};
  fstat(descriptor, &out);
  if (S_ISREG(out.st_mode) && IsSameFile(descriptor, input.descriptor)) return OverTheInput(path);
  if (S_ISREG(out.st_mode) && ftruncate(descriptor, 0) != 0) return SystemError("write", path);
  return File{descriptor, path};
}

absl::StatusOr<PartialOutput> ReopenOutput(const std::string& path, const File& input) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return SystemError("write", path);
  struct stat out = {};
  if (fstat(descriptor, &out) != 0 || !S_ISREG(out.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot resume: the output ", path, " is no file"));
  }
  if (IsSameFile(descriptor, input.descriptor)) return OverTheInput(path);
  PartialOutput output = {.file = {descriptor, path}};
  if (absl::Status status = PassWholeLines(output); !status.ok()) return status;
  return output;
}

absl::Status CutOffRest(const File& file) {
  const off_t end = lseek(file.descriptor, 0, SEEK_CUR);
  if (end < 0 || ftruncate(file.descriptor, end) != 0) return SystemError("write", file.name);
  return absl::OkStatus();
}

}  // namespace limpid

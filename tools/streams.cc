#include "tools/streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "tools/lines.h"

namespace limpid {
namespace {

bool IsStandardStream(const std::string& path) { return path.empty() || path == "-"; }

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
  struct stat in = {};
  struct stat out = {};
  fstat(descriptor, &out);
  if (fstat(input.descriptor, &in) == 0 && S_ISREG(out.st_mode) && in.st_dev == out.st_dev &&
      in.st_ino == out.st_ino) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write the output over the input ", path, "; choose another --output"));
  }
  if (S_ISREG(out.st_mode) && ftruncate(descriptor, 0) != 0) return SystemError("write", path);
  return File{descriptor, path};
}

}  // namespace limpid

#include "tools/streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/lines.h"

namespace limpid::internal {
namespace {

constexpr size_t kReadSize = size_t{1} << 16;
constexpr int kMaxLinks = 40;  // as in Linux
constexpr char kStandardOutput[] = "standard output";

// Identifies a file whatever its name. None for devices, pipes and sockets, which may be both an
// input and an output.
std::optional<std::pair<dev_t, ino_t>> IdentityOf(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  return std::pair(info.st_dev, info.st_ino);
}

// Where an output goes.
struct Place {
  std::optional<std::pair<dev_t, ino_t>> identity;
  std::string new_file;  // canonical path, if the file does not exist yet
};

Place PlaceOf(const std::string& path) {
  struct stat info = {};
  if (IsStandardStream(path) ? fstat(STDOUT_FILENO, &info) == 0 : stat(path.c_str(), &info) == 0) {
    return {IdentityOf(info), ""};
  }
  std::error_code error;
  std::filesystem::path name = path;
  for (int links = 0; links < kMaxLinks; ++links) {  // dangling links
    const std::filesystem::path link = std::filesystem::read_symlink(name, error);
    if (error) break;
    name = name.parent_path() / link;
  }
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(name, error);
  return {std::nullopt, error ? path : canonical.string()};
}

bool IsSamePlace(const Place& a, const Place& b) {
  if (a.identity.has_value() || b.identity.has_value()) return a.identity == b.identity;
  return !a.new_file.empty() && a.new_file == b.new_file;
}

absl::Status CheckNotAnInput(const struct stat& output, const std::string& name,
                             absl::Span<const File> inputs) {
  const auto identity = IdentityOf(output);
  for (const File& input : inputs) {
    struct stat info = {};
    if (!identity.has_value() || fstat(input.descriptor, &info) != 0) continue;
    if (identity != IdentityOf(info)) continue;
    return absl::FailedPreconditionError(absl::StrCat("cannot write the output over the input ",
                                                      name == kStandardOutput ? input.name : name,
                                                      "; choose another --output"));
  }
  return absl::OkStatus();
}

// Counts the complete lines of a file and positions it after the last one.
absl::Status SkipCompleteLines(PartialOutput& output) {
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

// Opens them in the wrong direction, so that using them fails as for closed ones (gnulib's trick).
void OccupyStandardStreams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() returns the lowest free descriptor, which is this one.
    open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

bool IsStandardStream(const std::string& path) { return path.empty() || path == "-"; }

absl::StatusOr<File> OpenInput(const std::string& path) {
  if (IsStandardStream(path)) return File{STDIN_FILENO, "standard input"};
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("read", path);
  return File{descriptor, path};
}

// Lines go to the file itself, not to a temporary one, so that they can be used before the end.
absl::StatusOr<File> OpenOutput(const std::string& path, absl::Span<const File> inputs) {
  File output = {STDOUT_FILENO, kStandardOutput};
  if (!IsStandardStream(path)) {
    output = {open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666), path};
    if (output.descriptor < 0) return SystemError("write", path);
  }
  struct stat info = {};
  if (fstat(output.descriptor, &info) != 0) return output;  // closed: writing will fail
  if (absl::Status status = CheckNotAnInput(info, output.name, inputs); !status.ok()) {
    return status;
  }
  const bool begins_empty = S_ISREG(info.st_mode) && !IsStandardStream(path);
  if (begins_empty && ftruncate(output.descriptor, 0) != 0) return SystemError("write", path);
  return output;
}

absl::Status CheckOutput(const std::string& path, absl::Span<const File> inputs) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return absl::OkStatus();
  return CheckNotAnInput(info, path, inputs);
}

absl::Status CheckOutputsDiffer(const std::string& printed, absl::Span<const NamedOutput> outputs) {
  std::vector<NamedOutput> all;
  const bool prints_output = std::any_of(outputs.begin(), outputs.end(),
                                         [](const NamedOutput& one) { return one.path == "-"; });
  if (!printed.empty()) all.push_back({printed, "-"});
  if (printed.empty() && !prints_output) all.push_back({"the printed text", "-"});
  for (const NamedOutput& output : outputs) {
    if (!output.path.empty()) all.push_back(output);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool both_printed = all[i].path == "-" && all[j].path == "-";
      if (!both_printed && !IsSamePlace(PlaceOf(all[i].path), PlaceOf(all[j].path))) continue;
      const std::string& path = all[i].path == "-" ? all[j].path : all[i].path;
      return absl::InvalidArgumentError(
          absl::StrCat(all[j].name, " and ", all[i].name, " cannot both go to ",
                       both_printed ? kStandardOutput : path, "; give each a file of its own"));
    }
  }
  return absl::OkStatus();
}

bool TakeDash(std::vector<std::string>* words) {
  if (words->size() != 1 || words->front() != "-") return false;
  words->clear();
  return true;
}

absl::StatusOr<PartialOutput> ReopenOutput(const std::string& path, absl::Span<const File> inputs) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return SystemError("write", path);
  struct stat out = {};
  if (fstat(descriptor, &out) != 0 || !S_ISREG(out.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot resume: the output ", path, " is not a regular file"));
  }
  if (absl::Status status = CheckNotAnInput(out, path, inputs); !status.ok()) return status;
  PartialOutput output = {.file = {descriptor, path}};
  if (absl::Status status = SkipCompleteLines(output); !status.ok()) return status;
  return output;
}

absl::Status Truncate(const File& file) {
  const off_t end = lseek(file.descriptor, 0, SEEK_CUR);
  if (end < 0 || ftruncate(file.descriptor, end) != 0) return SystemError("write", file.name);
  return absl::OkStatus();
}

}  // namespace limpid::internal

#include "tools/resume.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "models/io/file.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

constexpr char kTitle[] =
    "What made the file beside this one so far. limpid translate --resume compares it.";
constexpr char kModel[] = "model: ";
constexpr char kFlags[] = "flags: ";

uint32_t AddChecksum(uint32_t checksum, std::string_view text) {
  const auto* bytes = reinterpret_cast<const Bytef*>(text.data());
  return static_cast<uint32_t>(crc32_z(checksum, bytes, text.size()));
}

std::vector<fs::path> FilesOf(const std::string& model) {
  std::error_code error;
  if (!fs::is_directory(model, error)) return {model};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(model, error)) {
    const fs::path extension = entry.path().extension();
    if (!entry.is_regular_file(error) || extension == ".md") continue;
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string ModelFingerprint(const std::string& model) {
  uint32_t checksum = 0;
  std::string beginning(size_t{1} << 20, '\0');
  for (const fs::path& path : FilesOf(model)) {
    std::error_code error;
    checksum = AddChecksum(
        checksum, absl::StrCat(path.filename().string(), " ", fs::file_size(path, error), "\n"));
    std::ifstream file(path, std::ios::binary);
    file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
    checksum = AddChecksum(checksum,
                           std::string_view(beginning.data(), static_cast<size_t>(file.gcount())));
  }
  return absl::StrFormat("%08x", checksum);
}

// Symbolic links such as /dev/stdout get no note.
ResumeNote::ResumeNote(const std::string& output, std::string model_fingerprint, std::string flags)
    : output_(output), model_(std::move(model_fingerprint)), flags_(std::move(flags)) {
  std::error_code error;
  if (fs::symlink_status(output, error).type() == fs::file_type::regular) {
    path_ = output + ".resume";
  }
}

absl::Status ResumeNote::Check() const {
  if (path_.empty()) return absl::OkStatus();
  std::ifstream file(path_, std::ios::binary);
  if (!file) return absl::OkStatus();
  std::string title;
  std::string model;
  std::string flags;
  std::getline(file, title);
  std::getline(file, model);
  std::getline(file, flags);
  const bool is_note =
      title == kTitle && absl::StartsWith(model, kModel) && absl::StartsWith(flags, kFlags);
  // Ignores a truncated note and one of another version.
  if (!is_note) return absl::OkStatus();
  flags.erase(0, sizeof(kFlags) - 1);
  std::string why;
  if (model != kModel + model_) why = "another model";
  if (flags != flags_) {
    absl::StrAppend(&why, why.empty() ? "" : " and ", "other flags (",
                    flags.empty() ? "none" : flags, ", not ", flags_.empty() ? "none" : flags_,
                    ")");
  }
  if (why.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("cannot resume: ", output_, " was made with ",
                                                    why, "; use the same, or remove ", output_,
                                                    " to start again"));
}

void ResumeNote::Write() const {
  if (path_.empty()) return;
  WriteFile(path_, absl::StrCat(kTitle, "\n", kModel, model_, "\n", kFlags, flags_, "\n"))
      .IgnoreError();
}

void ResumeNote::Remove() const {
  if (!path_.empty()) std::remove(path_.c_str());
}

}  // namespace limpid::internal

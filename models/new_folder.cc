#include "models/new_folder.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace limpid {
namespace {

// A folder under a temporary name beside the place where it belongs; removed again unless it gets
// there.
class PartialFolder {
 public:
  static absl::StatusOr<std::unique_ptr<PartialFolder>> Create(const std::string& target) {
    // A name that is taken was left by a run that was killed, or belongs to one that goes on.
    for (int attempt = 0; attempt < 100; ++attempt) {
      const std::string path = absl::StrCat(target, ".partial-", attempt);
      if (mkdir(path.c_str(), 0777) == 0) {
        return std::unique_ptr<PartialFolder>(new PartialFolder(path));
      }
      if (errno != EEXIST) {
        return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot create this folder"));
      }
    }
    return absl::AlreadyExistsError(
        absl::StrCat(target, ".partial-0 to -99 exist; remove what earlier runs left"));
  }

  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  ~PartialFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

  // Gives the folder its name, which may be that of an empty folder and of nothing else.
  absl::Status MoveTo(const std::string& target) {
    if (std::rename(path_.c_str(), target.c_str()) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat(target, ": cannot rename ", path_, " to it"));
    }
    path_.clear();
    return absl::OkStatus();
  }

 private:
  explicit PartialFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

absl::Status CheckTargetIsFree(const std::string& folder) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::symlink_status(folder, error);
  if (status.type() == std::filesystem::file_type::not_found) return absl::OkStatus();
  if (status.type() == std::filesystem::file_type::directory &&
      std::filesystem::is_empty(folder, error)) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(
      absl::StrCat(folder, ": exists; choose another folder, or remove it first"));
}

}  // namespace

absl::Status WriteNewFolder(const std::string& folder,
                            const std::function<absl::Status(const std::string&)>& write) {
  std::string target = folder;
  while (target.size() > 1 && target.back() == '/') target.pop_back();
  if (absl::Status status = CheckTargetIsFree(target); !status.ok()) return status;
  const auto partial = PartialFolder::Create(target);
  if (!partial.ok()) return partial.status();
  absl::Status status = write((*partial)->path());
  if (status.ok()) status = (*partial)->MoveTo(target);
  return status;
}

}  // namespace limpid

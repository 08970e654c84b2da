#include "models/io/new_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "models/io/file.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

absl::Status Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat(to, ": cannot rename ", from, " to it"));
}

// A folder under a temporary name; removed with its contents unless it is renamed.
class PartialFolder {
 public:
  // Creates "NAME.partial-N" for the first free N.
  static absl::StatusOr<std::unique_ptr<PartialFolder>> Create(const std::string& name) {
    // Names are taken by running or killed processes.
    for (int attempt = 0; attempt < 100; ++attempt) {
      const std::string path = absl::StrCat(name, ".partial-", attempt);
      if (mkdir(path.c_str(), 0777) == 0) {
        return std::unique_ptr<PartialFolder>(new PartialFolder(path));
      }
      if (errno != EEXIST) {
        return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot create this folder"));
      }
    }
    return absl::AlreadyExistsError(
        absl::StrCat(name, ".partial-0 to -99 exist; remove what earlier runs left"));
  }

  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  ~PartialFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

  // Renames the folder.
  absl::Status Become(const std::string& target) {
    if (absl::Status status = SyncToDisk(path_); !status.ok()) return status;
    if (absl::Status status = Rename(path_, target); !status.ok()) return status;
    path_.clear();
    const std::string parent = fs::path(target).parent_path();
    return SyncToDisk(parent.empty() ? "." : parent);
  }

  // Moves the contents to `target`. On failure they are in neither.
  absl::Status MoveContentsTo(const std::string& target) {
    std::vector<std::string> names = Names();
    std::vector<std::string> moved;
    absl::Status status;
    for (const std::string& name : names) {
      const std::string place = absl::StrCat(target, "/", name);
      status = Exists(place) ? absl::AlreadyExistsError(
                                   absl::StrCat(place, ": exists by now; choose another folder"))
                             : Rename(absl::StrCat(path_, "/", name), place);
      if (!status.ok()) break;
      moved.push_back(place);
    }
    if (status.ok()) status = SyncToDisk(target);
    for (const std::string& place : moved) {
      if (!status.ok()) std::remove(place.c_str());
    }
    return status;
  }

 private:
  explicit PartialFolder(std::string path) : path_(std::move(path)) {}

  // File names, config.json last.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
         entry.increment(error)) {
      names.push_back(entry->path().filename());
    }
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
      return std::pair(a == "config.json", a) < std::pair(b == "config.json", b);
    });
    return names;
  }

  std::string path_;
};

// The missing parents of a new folder. Created by Make, removed by the destructor unless kept.
class MissingParents {
 public:
  explicit MissingParents(const std::string& folder) {
    fs::path parent = fs::path(folder).parent_path();
    while (!parent.empty() && !Exists(parent)) {
      paths_.push_back(parent);
      parent = parent.parent_path();
    }
  }
  MissingParents(const MissingParents&) = delete;
  MissingParents& operator=(const MissingParents&) = delete;
  ~MissingParents() {
    for (const std::string& path : paths_) {
      if (!kept_) std::remove(path.c_str());  // only if it is empty
    }
  }

  absl::Status Make() const {
    for (auto path = paths_.rbegin(); path != paths_.rend(); ++path) {
      if (mkdir(path->c_str(), 0777) == 0 || errno == EEXIST) continue;
      return absl::ErrnoToStatus(errno, absl::StrCat(*path, ": cannot create this folder"));
    }
    return absl::OkStatus();
  }
  void Keep() { kept_ = true; }

 private:
  std::vector<std::string> paths_;  // innermost first
  bool kept_ = false;
};

bool IsEmptyFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) && fs::is_empty(path, error) && !error;
}

absl::Status FillEmptyFolder(const std::string& folder,
                             const std::function<absl::Status(const std::string&)>& write) {
  const auto partial = PartialFolder::Create(folder + "/");
  if (!partial.ok()) return partial.status();
  absl::Status status = write((*partial)->path());
  if (status.ok()) status = (*partial)->MoveContentsTo(folder);
  return status;
}

}  // namespace

absl::Status WriteNewFolder(const std::string& folder,
                            const std::function<absl::Status(const std::string&)>& write) {
  std::string target = folder;
  while (target.size() > 1 && target.back() == '/') target.pop_back();
  if (IsEmptyFolder(target)) return FillEmptyFolder(target, write);
  std::error_code error;
  if (fs::exists(fs::symlink_status(target, error))) {
    return absl::AlreadyExistsError(
        absl::StrCat(folder, ": exists; choose another folder, or remove it first"));
  }
  MissingParents parents(target);
  if (absl::Status status = parents.Make(); !status.ok()) return status;
  const auto partial = PartialFolder::Create(target);
  if (!partial.ok()) return partial.status();
  absl::Status status = write((*partial)->path());
  if (status.ok()) status = (*partial)->Become(target);
  if (status.ok()) parents.Keep();
  return status;
}

}  // namespace limpid::internal

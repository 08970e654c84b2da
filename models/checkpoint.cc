#include "models/checkpoint.h"

#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/file.h"
#include "models/json.h"

namespace limpid {
namespace {

namespace fs = std::filesystem;

absl::Status UnknownFormat(const std::string& path, const std::string& found) {
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": ", found,
      "; expected a Limpid folder (\"limpid_format\" in config.json, model.safetensors, "
      "vocabulary.json) or a Hugging Face MarianMT folder (\"model_type\": \"marian\" in "
      "config.json, model.safetensors, vocab.json, source.spm, target.spm)"));
}

// Some of the names in a folder, for a message: "a.bin, b.bin, …".
std::string Contents(const std::string& folder) {
  constexpr size_t kMaxShown = 8;
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.insert(entry->path().filename().string());
  }
  if (names.empty()) return "nothing";
  const bool all = names.size() <= kMaxShown;
  if (!all) names.erase(std::next(names.begin(), kMaxShown), names.end());
  return absl::StrCat(absl::StrJoin(names, ", "), all ? "" : ", …");
}

}  // namespace

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat(path, ": no such folder"));
  }
  if (status.type() == fs::file_type::regular) return UnknownFormat(path, "is a file");

  const std::string config_path = path + "/config.json";
  const auto file = MappedFile::Open(config_path);
  if (absl::IsNotFound(file.status())) {
    return UnknownFormat(path, absl::StrCat("has no config.json but ", Contents(path)));
  }
  if (!file.ok()) return file.status();
  const auto config = ParseJsonObject((*file)->text());
  if (!config.ok()) return InContext(config_path, config.status());
  if (config->contains("limpid_format")) return ReadNative(path);
  if (config->contains("model_type")) return ReadHuggingFace(path);
  return UnknownFormat(config_path, "has neither \"limpid_format\" nor \"model_type\"");
}

}  // namespace limpid

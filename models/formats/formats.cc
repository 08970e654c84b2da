#include "models/formats/formats.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/native/native.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

struct Format {
  const char* name;   // for messages
  const char* signs;  // files that identify it, for messages
  bool (*recognizes)(const std::string& path);
  absl::StatusOr<Checkpoint> (*read)(const std::string& path);
};

// In order of precedence: the first that recognizes a path reads it.
constexpr Format kFormats[] = {
    {"Limpid folder", "\"limpid_format\" in config.json, model.safetensors, vocabulary.json",
     IsNative, ReadNative},
    {"Hugging Face MarianMT folder",
     "\"model_type\": \"marian\" in config.json, model.safetensors or pytorch_model.bin, "
     "vocab.json, source.spm, target.spm",
     IsHuggingFace, ReadHuggingFace},
    {"CTranslate2 folder", "model.bin, and shared_vocabulary or source_ and target_vocabulary",
     IsCTranslate2, ReadCTranslate2},
    {"Argos Translate package", "NAME.argosmodel, or the folder unpacked from one", IsArgos,
     ReadArgos},
    {"Marian model",
     "a .npz with special:model.yml, or a .bin file, with .spm or .yml vocabularies beside it",
     IsMarian, ReadMarian},
    {"PyTorch nn.Transformer file", "FILE.pt, .pth or .safetensors, with FILE.json beside it",
     IsNnTransformer, ReadNnTransformer},
};

const Format* FormatOf(const std::string& path) {
  const auto* format = std::find_if(std::begin(kFormats), std::end(kFormats),
                                    [&](const Format& each) { return each.recognizes(path); });
  return format == std::end(kFormats) ? nullptr : format;
}

// Describes a path that is not a model.
std::string DescribeUnknown(const std::string& path) {
  if (!fs::is_directory(path)) {
    const fs::path folder = fs::path(path).parent_path();
    const Format* format = FormatOf(folder.empty() ? "." : folder.string());
    if (format == nullptr) return "is a file of an unknown kind";
    return absl::StrCat("is a file in a ", format->name, "; give the folder");
  }
  const auto config = ReadJsonObject(path + "/config.json");
  if (absl::IsNotFound(config.status())) {
    return absl::StrCat("has no config.json but ", NamesIn(path));
  }
  if (!config.ok()) return absl::StrCat(config.status().message());
  return absl::StrCat("has a config.json of an unknown kind, with ", NamesIn(path));
}

}  // namespace

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path) {
  if (!Exists(path)) return absl::NotFoundError(absl::StrCat(path, ": no such file or folder"));
  const Format* format = FormatOf(path);
  if (format != nullptr) {
    absl::StatusOr<Checkpoint> checkpoint = format->read(path);
    if (checkpoint.ok()) checkpoint->path = path;
    return checkpoint;
  }
  const auto known = [](std::string* out, const Format& each) {
    absl::StrAppend(out, each.name, " (", each.signs, ")");
  };
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", DescribeUnknown(path),
                   "; these can be read: ", absl::StrJoin(kFormats, ", ", known)));
}

}  // namespace limpid::internal

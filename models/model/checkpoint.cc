#include "models/model/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/io/file.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

// A format that checkpoints come in.
struct Format {
  const char* name;   // in words
  const char* signs;  // what a reader of messages can tell it by
  bool (*recognizes)(const std::string& path);
  absl::StatusOr<Checkpoint> (*read)(const std::string& path);
};

// The first that recognizes a path reads it.
constexpr Format kFormats[] = {
    {"Limpid folder", "\"limpid_format\" in config.json, model.safetensors, vocabulary.json",
     IsNative, ReadNative},
    {"Hugging Face MarianMT folder",
     "\"model_type\": \"marian\" in config.json, model.safetensors or pytorch_model.bin, "
     "vocab.json, source.spm, target.spm",
     IsHuggingFace, ReadHuggingFace},
    {"CTranslate2 folder", "model.bin, and shared_vocabulary or source_ and target_vocabulary",
     IsCTranslate2, ReadCTranslate2},
    {"Argos Translate package", "NAME.argosmodel, or what is unpacked from one", IsArgos,
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

}  // namespace

std::string NamesIn(const std::string& path) {
  constexpr size_t kMaxShown = 8;
  std::set<std::string> names;
  std::error_code error;
  const fs::path parent = fs::path(path).parent_path();
  const std::string folder = fs::is_directory(path, error) ? path
                             : parent.empty()              ? "."
                                                           : parent.string();
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.insert(entry->path().filename().string());
  }
  if (names.empty()) return "nothing";
  const bool all = names.size() <= kMaxShown;
  if (!all) names.erase(std::next(names.begin(), kMaxShown), names.end());
  return absl::StrCat(absl::StrJoin(names, ", "), all ? "" : ", …");
}

namespace {

// What there is instead of a model, for a message.
std::string WhatIsFound(const std::string& path) {
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

TokenizerKind TokenizerKindOf(const Checkpoint& checkpoint) {
  if (!checkpoint.subword_merges.empty()) return TokenizerKind::kMosesSubwordNmt;
  if (checkpoint.source_sentencepiece.empty()) return TokenizerKind::kSpaces;
  return checkpoint.source_sentencepiece == checkpoint.target_sentencepiece
             ? TokenizerKind::kSentencePiece
             : TokenizerKind::kSentencePiecePerSide;
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path) {
  if (!Exists(path)) return absl::NotFoundError(absl::StrCat(path, ": no such file or folder"));
  const Format* format = FormatOf(path);
  if (format != nullptr) return format->read(path);
  const auto known = [](std::string* out, const Format& each) {
    absl::StrAppend(out, each.name, " (", each.signs, ")");
  };
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", WhatIsFound(path),
                   "; these can be read: ", absl::StrJoin(kFormats, ", ", known)));
}

}  // namespace limpid::internal

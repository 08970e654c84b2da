#include "models/formats/nn_transformer_description.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/io/file.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Reads the values of a JSON object. The first error stays in `status`.
class DescriptionReader {
 public:
  explicit DescriptionReader(json object) : object_(std::move(object)) {}

  void Take(const char* key, const char* expected, auto valid, auto& out) {
    const auto value = object_.find(key);
    if (value == object_.end()) return;
    if (valid(*value)) {
      out = value->template get<std::decay_t<decltype(out)>>();
    } else {
      Fail(absl::StrCat(Quoted(key), ": expected ", expected, ", found ", Shown(*value)));
    }
    object_.erase(value);
  }
  void Take(const char* key, int& out) {
    Take(
        key, "a whole number", [](const json& value) { return IntFromJson(value).has_value(); },
        out);
  }
  void Take(const char* key, bool& out) {
    Take(
        key, "true or false", [](const json& value) { return value.is_boolean(); }, out);
  }
  void Take(const char* key, double& out) {
    Take(
        key, "a number", [](const json& value) { return value.is_number(); }, out);
  }
  void Take(const char* key, std::string& out) {
    Take(
        key, "a string", [](const json& value) { return value.is_string(); }, out);
  }
  void Take(const char* key, json& out) {
    Take(
        key, "an array of pieces or the name of a file of one a line",
        [](const json& value) { return value.is_array() || value.is_string(); }, out);
  }
  void Take(const char* key, std::map<std::string, std::string>& out) {
    Take(
        key, "an object of names",
        [](const json& value) {
          return value.is_object() && std::all_of(value.begin(), value.end(), [](const json& name) {
                   return name.is_string();
                 });
        },
        out);
  }

  void Require(const char* key) {
    if (!object_.contains(key)) Fail(absl::StrCat("the key ", Quoted(key), " is missing"));
  }
  void RefuseOthers() {
    if (!object_.empty()) {
      Fail(absl::StrCat("the key ", Quoted(object_.begin().key()), " is unknown"));
    }
  }

  absl::Status status;

 private:
  void Fail(const std::string& message) {
    if (status.ok()) status = absl::InvalidArgumentError(message);
  }

  json object_;
};

absl::StatusOr<std::vector<std::string>> ReadPieces(const json& pieces, const std::string& path) {
  std::vector<std::string> read;
  if (pieces.is_array()) {
    for (const json& piece : pieces) {
      if (!piece.is_string()) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ": expected pieces, found ", Shown(piece)));
      }
      read.push_back(piece.get<std::string>());
    }
    return read;
  }
  const fs::path name = pieces.get<std::string>();
  // An untrusted model must not make Limpid read other files.
  if (name.is_absolute() || std::find(name.begin(), name.end(), "..") != name.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a vocabulary beside this file, found ", Shown(pieces)));
  }
  const auto file = MappedFile::Open((fs::path(path).parent_path() / name).string());
  if (!file.ok()) return file.status();
  std::string_view text = (*file)->text();
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const size_t carriage_return = end > 0 && text[end - 1] == '\r' ? 1 : 0;
    read.emplace_back(text.substr(0, end - carriage_return));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return read;
}

absl::Status SetId(const std::string& piece, const std::vector<std::string>& vocabulary, int& id) {
  const auto found = std::find(vocabulary.begin(), vocabulary.end(), piece);
  if (found == vocabulary.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the vocabulary has no ", Quoted(piece),
        "; say with \"unk\", \"bos\", \"eos\" and \"pad\" ", "how its special tokens are called"));
  }
  id = static_cast<int>(found - vocabulary.begin());
  return absl::OkStatus();
}

}  // namespace

std::string DescriptionPath(const std::string& path) {
  return fs::path(path).replace_extension(".json").string();
}

absl::StatusOr<NnTransformerDescription> ReadDescription(const std::string& path) {
  auto object = ReadJsonObject(path);
  if (absl::IsNotFound(object.status())) {
    return absl::NotFoundError(absl::StrCat(
        path, ": does not exist; it must say what the tensors do not: {\"heads\": 8, ",
        "\"positions\": \"interleaved\", \"scale_embedding\": true, \"source_bos\": false, ",
        "\"source_vocabulary\": [...], ",
        "\"target_vocabulary\": [...]}; models/from_pytorch/README.md tells more"));
  }
  if (!object.ok()) return object.status();
  NnTransformerDescription description;
  DescriptionReader reader(*std::move(object));
  for (const char* key :
       {"heads", "positions", "scale_embedding", "source_bos", "source_vocabulary"}) {
    reader.Require(key);
  }
  reader.Take("heads", description.heads);
  reader.Take("norm_first", description.norm_first);
  reader.Take("activation", description.activation);
  reader.Take("layer_norm_epsilon", description.layer_norm_epsilon);
  reader.Take("scale_embedding", description.scale_embedding);
  reader.Take("positions", description.positions);
  reader.Take("max_positions", description.max_positions);
  reader.Take("source_vocabulary", description.source_vocabulary);
  reader.Take("target_vocabulary", description.target_vocabulary);
  reader.Take("unk", description.unk);
  reader.Take("bos", description.bos);
  reader.Take("eos", description.eos);
  reader.Take("pad", description.pad);
  reader.Take("source_bos", description.source_bos);
  reader.Take("source_language", description.source_language);
  reader.Take("target_language", description.target_language);
  reader.Take("tensors", description.tensors);
  reader.RefuseOthers();
  if (!reader.status.ok()) return InContext(path, reader.status);
  return description;
}

absl::Status ReadVocabularies(const NnTransformerDescription& description, const std::string& path,
                              Checkpoint& checkpoint) {
  const bool separate = !description.target_vocabulary.is_null();
  auto source = ReadPieces(description.source_vocabulary, path);
  if (!source.ok()) return source.status();
  auto target = separate ? ReadPieces(description.target_vocabulary, path) : source;
  if (!target.ok()) return target.status();
  ModelConfig& config = checkpoint.config;
  config.source_vocab_size = static_cast<int>(source->size());
  config.target_vocab_size = static_cast<int>(target->size());
  absl::Status status = SetId(description.eos, *source, config.source_eos_id);
  if (description.source_bos) {
    status.Update(SetId(description.bos, *source, config.source_bos_id));
  }
  status.Update(SetId(description.unk, *source, config.source_unk_id));
  status.Update(SetId(description.eos, *target, config.target_eos_id));
  status.Update(SetId(description.unk, *target, config.target_unk_id));
  status.Update(SetId(description.bos, *target, config.decoder_start_id));
  if (!status.ok()) return InContext(path, status);
  for (const std::string& piece : {description.pad, description.bos}) {
    int id = -1;
    if (SetId(piece, *target, id).ok() && id != config.target_eos_id) {
      config.bad_words.push_back(id);
    }
  }
  checkpoint.source_vocabulary = *std::move(source);
  checkpoint.target_vocabulary = *std::move(target);
  return absl::OkStatus();
}

}  // namespace limpid::internal

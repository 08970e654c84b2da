// Hugging Face's MarianMT folder: config.json, model.safetensors or pytorch_model.bin, vocab.json,
// source.spm and target.spm. Keys and defaults are those of transformers'
// models/marian.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "models/formats/formats.h"
#include "models/formats/hugging_face_names.h"
#include "models/formats/sinusoids.h"
#include "models/formats/tokenizer_files.h"
#include "models/formats/torch_file.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/io/model_files.h"
#include "models/model/checkpoint.h"
#include "models/model/weights.h"
#include "models/native/safetensors.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

constexpr char kEndOfSentence[] = "</s>";
constexpr char kUnknown[] = "<unk>";

// --- JSON files ---

// Returns an empty object if there is no file.
absl::StatusOr<json> ReadOptionalObject(const std::string& path) {
  absl::StatusOr<json> object = ReadJsonObject(path);
  if (absl::IsNotFound(object.status())) return json::object();
  return object;
}

// Reads config.json; generation_config.json takes precedence, as in transformers' generate().
absl::StatusOr<json> ReadConfigFiles(const std::string& folder) {
  absl::StatusOr<json> config = ReadJsonObject(folder + "/config.json");
  if (!config.ok()) return config;
  const auto generation = ReadOptionalObject(folder + "/generation_config.json");
  if (!generation.ok()) return generation.status();
  for (const char* key :
       {"pad_token_id", "eos_token_id", "decoder_start_token_id", "bad_words_ids"}) {
    const auto value = generation->find(key);
    if (value != generation->end() && !value->is_null()) (*config)[key] = *value;
  }
  return config;
}

// Values of an object by key. The first error stays in `status`. `null` is a missing key, as in
// Python.
class Keys {
 public:
  explicit Keys(const json& object) : object_(object) {}

  // Null if there is none.
  const json* Find(const char* key) const {
    const auto value = object_.find(key);
    return value == object_.end() || value->is_null() ? nullptr : &*value;
  }

  int Int(const char* key) {
    if (Find(key) == nullptr) Fail(absl::StrCat("the key ", Quoted(key), " is missing"));
    return Int(key, 0);
  }
  int Int(const char* key, int otherwise) {
    const json* value = Find(key);
    if (value == nullptr) return otherwise;
    if (const auto number = IntFromJson(*value)) return *number;
    FailExpecting(key, "a whole number", *value);
    return otherwise;
  }
  bool Bool(const char* key, bool otherwise) {
    const json* value = Find(key);
    if (value == nullptr) return otherwise;
    if (value->is_boolean()) return value->get<bool>();
    FailExpecting(key, "true or false", *value);
    return otherwise;
  }
  std::string String(const char* key, const char* otherwise) {
    const json* value = Find(key);
    if (value == nullptr) return otherwise;
    if (value->is_string()) return value->get<std::string>();
    FailExpecting(key, "a string", *value);
    return otherwise;
  }

  void FailExpecting(const char* key, const char* expected, const json& found) {
    Fail(absl::StrCat(Quoted(key), ": expected ", expected, ", found ", Shown(found)));
  }

  absl::Status status;

 private:
  void Fail(const std::string& message) {
    if (status.ok()) status = absl::InvalidArgumentError(message);
  }

  const json& object_;
};

// --- Vocabularies ---

// Ids of tokens that were added to a tokenizer, by token: from added_tokens.json, and from
// tokenizer_config.json, where newer versions of transformers list them by id.
absl::StatusOr<json> ReadAddedTokens(const std::string& folder, const json& tokenizer_config) {
  absl::StatusOr<json> added = ReadOptionalObject(folder + "/added_tokens.json");
  if (!added.ok()) return added;
  const auto decoder = tokenizer_config.find("added_tokens_decoder");
  if (decoder == tokenizer_config.end() || !decoder->is_object()) return added;
  for (const auto& [id, token] : decoder->items()) {
    int number = 0;
    const json* content =
        token.is_object() && token.contains("content") ? &token["content"] : nullptr;
    if (content == nullptr || !content->is_string() || !absl::SimpleAtoi(id, &number)) {
      return absl::InvalidArgumentError(
          absl::StrCat(folder, "/tokenizer_config.json: \"added_tokens_decoder\": expected ids, ",
                       "and objects with \"content\", found ", Quoted(id), ": ", Shown(token)));
    }
    (*added)[content->get<std::string>()] = number;
  }
  return added;
}

// Reads pieces in id order from a file that maps pieces to ids. Added tokens fill the gaps.
absl::StatusOr<std::vector<std::string>> ReadVocabulary(const std::string& path, int size,
                                                        const json& added) {
  absl::StatusOr<json> object = ReadJsonObject(path);
  if (!object.ok()) return object.status();
  for (const auto& [token, id] : added.items()) object->emplace(token, id);
  std::vector<const std::string*> pieces(size);  // null: no piece for this id yet
  for (const auto& [piece, value] : object->items()) {
    const int id = IntFromJson(value).value_or(-1);
    if (id < 0 || id >= size) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": piece ", Quoted(piece),
                                                     ": expected an id from 0 to ", size - 1,
                                                     " as config.json says, found ", Shown(value)));
    }
    if (pieces[id] != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": pieces ", Quoted(*pieces[id]),
                                                     " and ", Quoted(piece), " both have id ", id));
    }
    pieces[id] = &piece;
  }
  const auto missing = std::find(pieces.begin(), pieces.end(), nullptr);
  if (missing != pieces.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": expected a piece for each of ", size, " ids as config.json says, found ",
        object->size(), "; the first id without one is ", missing - pieces.begin()));
  }
  std::vector<std::string> vocabulary;
  vocabulary.reserve(pieces.size());
  for (const std::string* piece : pieces) vocabulary.push_back(*piece);
  return vocabulary;
}

absl::StatusOr<int> IdOf(const std::string& piece, const std::vector<std::string>& vocabulary) {
  const auto found = std::find(vocabulary.begin(), vocabulary.end(), piece);
  if (found == vocabulary.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the special token ", Quoted(piece), " is not in the vocabulary"));
  }
  return static_cast<int>(found - vocabulary.begin());
}

// A special token of tokenizer_config.json: a string, or an object with the key "content".
std::string SpecialToken(const json& tokenizer_config, const char* key, const char* otherwise) {
  const auto value = tokenizer_config.find(key);
  if (value == tokenizer_config.end()) return otherwise;
  if (value->is_object()) return SpecialToken(*value, "content", otherwise);
  return value->is_string() ? value->get<std::string>() : otherwise;
}

absl::Status ReadVocabularies(const std::string& folder, const json& tokenizer_config,
                              Checkpoint& checkpoint) {
  ModelConfig& config = checkpoint.config;
  const absl::StatusOr<json> added = ReadAddedTokens(folder, tokenizer_config);
  if (!added.ok()) return added.status();
  auto source = ReadVocabulary(folder + "/vocab.json", config.source_vocab_size, *added);
  if (!source.ok()) return source.status();
  const std::string target_path = folder + "/target_vocab.json";
  Keys keys(tokenizer_config);
  const bool separate =
      keys.Bool("separate_vocabs", !config.shared_embeddings && Exists(target_path));
  if (!keys.status.ok()) return InContext(folder + "/tokenizer_config.json", keys.status);
  auto target = ReadVocabulary(separate ? target_path : folder + "/vocab.json",
                               config.target_vocab_size, *added);
  if (!target.ok()) return target.status();

  // Sources end with the tokenizer's </s>; translations end with the config's eos_token_id.
  const std::string unknown = SpecialToken(tokenizer_config, "unk_token", kUnknown);
  const auto source_eos =
      IdOf(SpecialToken(tokenizer_config, "eos_token", kEndOfSentence), *source);
  const auto source_unk = IdOf(unknown, *source);
  const auto target_unk = IdOf(unknown, *target);
  for (const auto* id : {&source_eos, &source_unk, &target_unk}) {
    if (!id->ok()) return InContext(folder, id->status());
  }
  config.source_eos_id = *source_eos;
  config.source_unk_id = *source_unk;
  config.target_unk_id = *target_unk;
  checkpoint.source_vocabulary = *std::move(source);
  checkpoint.target_vocabulary = *std::move(target);
  return absl::OkStatus();
}

absl::Status ReadSentencePieces(const std::string& folder, Checkpoint& checkpoint) {
  const ModelFiles files = FilesOfFolder(folder);
  absl::Status status = ReadTokenizerFile(files, "source.spm", checkpoint.source_sentencepiece,
                                          checkpoint.source_tokenizer_path);
  status.Update(ReadTokenizerFile(files, "target.spm", checkpoint.target_sentencepiece,
                                  checkpoint.target_tokenizer_path));
  return status;
}

// --- Config ---

absl::Status ReadActivation(Keys& keys, Activation& activation) {
  constexpr std::pair<std::string_view, Activation> kNames[] = {
      {"relu", Activation::kRelu},
      {"gelu", Activation::kGelu},
      {"gelu_python", Activation::kGelu},
      {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh},
      {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"quick_gelu", Activation::kGeluSigmoid},
      {"swish", Activation::kSwish},
      {"silu", Activation::kSwish}};
  const std::string name = keys.String("activation_function", "gelu");
  for (const auto& [known, value] : kNames) {
    if (name != known) continue;
    activation = value;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"activation_function\": Limpid has no ", Quoted(name),
                   "; it knows relu, gelu, gelu_new, quick_gelu, swish and silu"));
}

// Reads single tokens that generate() never produces: "bad_words_ids" and padding.
void ReadBadWords(Keys& keys, ModelConfig& config) {
  if (keys.Find("pad_token_id") != nullptr) config.bad_words = {keys.Int("pad_token_id")};
  const json* words = keys.Find("bad_words_ids");
  if (words != nullptr && !words->is_array()) {
    keys.FailExpecting("bad_words_ids", "an array", *words);
    return;
  }
  for (size_t i = 0; words != nullptr && i < words->size(); ++i) {
    const json& word = (*words)[i];
    const auto id = word.is_array() && word.size() == 1 ? IntFromJson(word[0]) : std::nullopt;
    if (!id.has_value()) {
      keys.FailExpecting("bad_words_ids", "arrays of one id each (Limpid cannot forbid sequences)",
                         word);
      return;
    }
    config.bad_words.push_back(*id);
  }
  // generate() also drops the end of sentence from the list.
  std::sort(config.bad_words.begin(), config.bad_words.end());
  config.bad_words.erase(std::unique(config.bad_words.begin(), config.bad_words.end()),
                         config.bad_words.end());
  std::erase(config.bad_words, config.target_eos_id);
}

void ReadTargetEos(Keys& keys, ModelConfig& config) {
  const json* eos = keys.Find("eos_token_id");
  if (eos != nullptr && eos->is_array() && eos->size() == 1) {
    config.target_eos_id = IntFromJson((*eos)[0]).value_or(-1);
  } else {
    config.target_eos_id = keys.Int("eos_token_id", 0);
  }
}

// Everything except what the vocabulary and saved positions decide.
absl::StatusOr<ModelConfig> ConfigFromJson(const json& object) {
  Keys keys(object);
  if (const std::string type = keys.String("model_type", ""); type != "marian") {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"model_type\": of Hugging Face models Limpid reads \"marian\", found ", Quoted(type)));
  }
  ModelConfig config;
  config.model_dim = keys.Int("d_model");
  config.encoder_layers = keys.Int("encoder_layers");
  config.decoder_layers = keys.Int("decoder_layers");
  config.encoder_heads = keys.Int("encoder_attention_heads");
  config.decoder_heads = keys.Int("decoder_attention_heads");
  config.encoder_ffn_dim = keys.Int("encoder_ffn_dim");
  config.decoder_ffn_dim = keys.Int("decoder_ffn_dim");
  config.shared_embeddings = keys.Bool("share_encoder_decoder_embeddings", true);
  config.source_vocab_size = keys.Int("vocab_size");
  config.target_vocab_size = config.shared_embeddings
                                 ? config.source_vocab_size
                                 : keys.Int("decoder_vocab_size", config.source_vocab_size);
  config.tied_output = keys.Bool("tie_word_embeddings", true);
  if (keys.Bool("scale_embedding", false)) {
    config.embedding_scale = std::sqrt(static_cast<float>(config.model_dim));
  }
  // Only the first versions of transformers honoured the next three; in all later models they are
  // false.
  config.norm_order = keys.Bool("normalize_before", false) ? NormOrder::kPre : NormOrder::kPost;
  config.embedding_norm = keys.Bool("normalize_embedding", false);
  config.final_norm = keys.Bool("add_final_layer_norm", false);
  config.max_positions = keys.Int("max_position_embeddings", 1024);
  config.max_source_tokens = config.max_positions;  // unless the tokenizer's limit is lower
  config.decoder_start_id = keys.Int("decoder_start_token_id");
  config.alignment_layer = keys.Int("alignment_layer", -1);
  config.alignment_heads = keys.Int("alignment_heads", 0);
  config.alignment_input_layer = keys.Int("alignment_input_layer", -1);
  config.alignment_input_head = keys.Int("alignment_input_head", 0);
  ReadTargetEos(keys, config);
  ReadBadWords(keys, config);
  keys.status.Update(ReadActivation(keys, config.activation));
  if (!keys.status.ok()) return keys.status;
  return config;
}

// --- Tensors ---

// transformers computes sinusoids, but its older versions saved them. A table of anything else was
// learned.
void ReadPositions(const TensorMap& tensors, ModelConfig& config) {
  bool learned = false;
  for (const char* name :
       {"model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"}) {
    const auto table = tensors.find(name);
    if (table == tensors.end()) continue;
    const TensorView& tensor = table->second;
    const double tolerance = tensor.dtype == DType::kFloat32 ? 1e-4 : 5e-3;
    const bool same_size = tensor.rows() == config.max_positions;
    if (!same_size || !IsSinusoidal(tensor, config, tolerance)) learned = true;
  }
  if (learned) config.positions = Positions::kLearned;
}

// Adds the tensors of one file to `tensors`.
template <typename File>
absl::Status AddTensors(const std::string& path, absl::StatusOr<File> file, TensorMap& tensors,
                        Checkpoint& checkpoint) {
  if (!file.ok()) return file.status();
  checkpoint.storage.insert(checkpoint.storage.end(), file->storage.begin(), file->storage.end());
  tensors.merge(file->tensors);
  if (file->tensors.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": tensor ", Quoted(file->tensors.begin()->first), " is also in another file"));
}

absl::Status AddTensorsOfFile(const std::string& path, TensorMap& tensors, Checkpoint& checkpoint) {
  return path.ends_with(".safetensors")
             ? AddTensors(path, ReadSafetensors(path), tensors, checkpoint)
             : AddTensors(path, ReadTorchFile(path), tensors, checkpoint);
}

// Reads the file names of a sharded model from its index: {"weight_map": {TENSOR:
// FILE, …}}.
absl::StatusOr<std::set<std::string>> ShardsOf(const std::string& index_path) {
  const absl::StatusOr<json> index = ReadJsonObject(index_path);
  if (!index.ok()) return index.status();
  const auto map = index->find("weight_map");
  if (map == index->end() || !map->is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(index_path, ": expected an object \"weight_map\" of tensors and files"));
  }
  std::set<std::string> names;
  for (const auto& [tensor, name] : map->items()) {
    // An untrusted model must not make Limpid read other files.
    if (!name.is_string() || name.get<std::string>().find('/') != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(index_path, ": tensor ", Quoted(tensor),
                                                     ": expected the name of a file beside this ",
                                                     "one, found ", Shown(name)));
    }
    names.insert(name.get<std::string>());
  }
  return names;
}

absl::Status ReadTensors(const std::string& folder, Checkpoint& checkpoint) {
  // In transformers' order of preference.
  constexpr const char* kNames[] = {"model.safetensors", "model.safetensors.index.json",
                                    "pytorch_model.bin", "pytorch_model.bin.index.json"};
  const auto* found = std::find_if(std::begin(kNames), std::end(kNames), [&](const char* name) {
    return Exists(absl::StrCat(folder, "/", name));
  });
  const std::string name = found == std::end(kNames) ? kNames[0] : *found;
  const std::string path = absl::StrCat(folder, "/", name);
  std::set<std::string> files = {name};
  if (name.ends_with(".json")) {
    absl::StatusOr<std::set<std::string>> shards = ShardsOf(path);
    if (!shards.ok()) return shards.status();
    files = *std::move(shards);
  }
  TensorMap tensors;
  for (const std::string& file : files) {
    absl::Status status = AddTensorsOfFile(absl::StrCat(folder, "/", file), tensors, checkpoint);
    if (!status.ok()) return status;
  }
  ReadPositions(tensors, checkpoint.config);
  auto renamed =
      RenameTensors(HuggingFaceNames(), checkpoint.config, std::move(tensors), checkpoint.storage);
  if (!renamed.ok()) return InContext(path, renamed.status());
  checkpoint.tensors = *std::move(renamed);
  return InContext(path, BindWeights(checkpoint.config, checkpoint.tensors).status());
}

}  // namespace

bool IsHuggingFace(const std::string& path) {
  const auto config = ReadJsonObject(path + "/config.json");
  return config.ok() && config->contains("model_type");
}

absl::StatusOr<Checkpoint> ReadHuggingFace(const std::string& folder) {
  const auto object = ReadConfigFiles(folder);
  if (!object.ok()) return object.status();
  const auto config = ConfigFromJson(*object);
  if (!config.ok()) return InContext(folder + "/config.json", config.status());
  absl::Status status = ValidateConfig(*config);
  if (!status.ok()) return InContext(folder + "/config.json, in Limpid's terms", status);
  const auto tokenizer_config = ReadOptionalObject(folder + "/tokenizer_config.json");
  if (!tokenizer_config.ok()) return tokenizer_config.status();

  Checkpoint checkpoint;
  checkpoint.format = "Hugging Face MarianMT";
  checkpoint.config = *config;
  // Missing or huge if the tokenizer has no limit.
  const auto limit = tokenizer_config->find("model_max_length");
  if (limit != tokenizer_config->end() && limit->is_number_integer() &&
      limit->get<int64_t>() >= 2) {
    checkpoint.config.max_source_tokens =
        static_cast<int>(std::min<int64_t>(limit->get<int64_t>(), checkpoint.config.max_positions));
  }
  checkpoint.config.source_language = SpecialToken(*tokenizer_config, "source_lang", "");
  checkpoint.config.target_language = SpecialToken(*tokenizer_config, "target_lang", "");
  status = ReadTensors(folder, checkpoint);
  if (status.ok()) status = ReadVocabularies(folder, *tokenizer_config, checkpoint);
  if (status.ok()) status = ReadSentencePieces(folder, checkpoint);
  if (!status.ok()) return status;
  return checkpoint;
}

}  // namespace limpid::internal

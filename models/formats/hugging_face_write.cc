// Writes Hugging Face MarianMT folders.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/formats/formats.h"
#include "models/formats/hugging_face_names.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/io/new_folder.h"
#include "models/model/checkpoint.h"
#include "models/native/safetensors.h"

namespace limpid::internal {
namespace {

using nlohmann::ordered_json;

// Names a feature that transformers' MarianMTModel lacks; empty if it has all.
std::string NotInMarian(const Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  const float sqrt_dim = std::sqrt(static_cast<float>(config.model_dim));
  const auto source = [&](int id) { return checkpoint.source_vocabulary[id]; };
  const auto target = [&](int id) { return checkpoint.target_vocabulary[id]; };
  if (!checkpoint.subword_merges.empty()) return "subword-nmt and Moses' tokenizer";
  if (config.norm_order != NormOrder::kPost) return "norms before each sublayer (pre-norm)";
  if (config.decoder_self_attention != DecoderSelfAttention::kAttention) {
    return "an SSRU in place of the decoder's self-attention";
  }
  if (config.source_bos_id >= 0) return "sources that begin with a special token";
  if (config.source_eos_id < 0) return "sources without an end-of-sentence token";
  if (config.embedding_norm) return "a norm after the embedding";
  if (config.final_norm) return "a norm after the last layer";
  if (config.positions == Positions::kLearned) return "positions that are a table of the model's";
  if (config.positions != Positions::kSinusoidal) return "sinusoidal positions in Marian's own way";
  if (config.first_position != 0) return "positions that do not begin at 0";
  if (config.layer_norm_epsilon != 1e-5F) return "a layer_norm_epsilon other than 1e-5";
  if (config.embedding_scale != 1 && config.embedding_scale != sqrt_dim) {
    return "an embedding scale other than 1 and the root of model_dim";
  }
  if (config.decoder_start_id < 0) return "a decoder that starts with zeros";
  if (config.bad_words.empty()) return "a model without a padding token, which is never produced";
  if (source(config.source_eos_id) != target(config.target_eos_id) ||
      source(config.source_unk_id) != target(config.target_unk_id)) {
    return "special tokens that each side calls by another name";
  }
  if (checkpoint.source_sentencepiece.empty()) return "text that comes split by spaces";
  return "";
}

// The decoder's start token, unless the model may produce it.
int PaddingId(const ModelConfig& config) {
  const auto& words = config.bad_words;
  const bool starts_with = std::count(words.begin(), words.end(), config.decoder_start_id) > 0;
  return starts_with ? config.decoder_start_id : words.front();
}

const char* ActivationInTransformers(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "relu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kGeluTanh:
      return "gelu_new";
    case Activation::kGeluSigmoid:
      return "quick_gelu";
    case Activation::kSwish:
      return "swish";
  }
  return "";
}

ordered_json GenerationConfig(const ModelConfig& config) {
  ordered_json bad_words = ordered_json::array();
  for (int id : config.bad_words) bad_words.push_back({id});
  return {
      {"bad_words_ids", bad_words},           {"decoder_start_token_id", config.decoder_start_id},
      {"eos_token_id", config.target_eos_id}, {"pad_token_id", PaddingId(config)},
      {"max_length", config.max_positions},   {"num_beams", 1}};
}

ordered_json MarianConfig(const ModelConfig& config, DType dtype) {
  return {{"architectures", {"MarianMTModel"}},
          {"model_type", "marian"},
          {"is_encoder_decoder", true},
          {"dtype", DTypeName(dtype)},
          {"vocab_size", config.source_vocab_size},
          {"decoder_vocab_size", config.target_vocab_size},
          {"share_encoder_decoder_embeddings", config.shared_embeddings},
          {"tie_word_embeddings", config.tied_output},
          {"d_model", config.model_dim},
          {"encoder_layers", config.encoder_layers},
          {"encoder_attention_heads", config.encoder_heads},
          {"encoder_ffn_dim", config.encoder_ffn_dim},
          {"decoder_layers", config.decoder_layers},
          {"decoder_attention_heads", config.decoder_heads},
          {"decoder_ffn_dim", config.decoder_ffn_dim},
          {"activation_function", ActivationInTransformers(config.activation)},
          {"scale_embedding", config.embedding_scale != 1},
          {"normalize_before", false},
          {"normalize_embedding", false},
          {"add_final_layer_norm", false},
          {"static_position_embeddings", true},
          {"max_position_embeddings", config.max_positions},
          {"eos_token_id", config.target_eos_id},
          {"pad_token_id", PaddingId(config)},
          {"decoder_start_token_id", config.decoder_start_id},
          {"alignment_layer", config.alignment_layer},
          {"alignment_heads", config.alignment_heads},
          {"alignment_input_layer", config.alignment_input_layer},
          {"alignment_input_head", config.alignment_input_head}};
}

ordered_json TokenizerConfig(const Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  return {{"tokenizer_class", "MarianTokenizer"},
          {"source_lang", config.source_language},
          {"target_lang", config.target_language},
          {"eos_token", checkpoint.target_vocabulary[config.target_eos_id]},
          {"unk_token", checkpoint.target_vocabulary[config.target_unk_id]},
          {"pad_token", checkpoint.target_vocabulary[PaddingId(config)]},
          {"model_max_length", config.max_source_tokens},
          {"separate_vocabs", checkpoint.source_vocabulary != checkpoint.target_vocabulary}};
}

absl::Status WriteJson(const std::string& path, const ordered_json& value) {
  return WriteFile(path, value.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

absl::Status WriteVocabulary(const std::string& path, const std::vector<std::string>& pieces) {
  nlohmann::json ids = nlohmann::json::object();  // sorted, so that the output is deterministic
  for (size_t id = 0; id < pieces.size(); ++id) ids.emplace(pieces[id], id);
  if (ids.size() != pieces.size()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": a piece occurs twice"));
  }
  return WriteFile(path, ids.dump(0, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

absl::Status WriteFiles(const Checkpoint& checkpoint, DType dtype, const std::string& folder) {
  TensorMap tensors;
  for (const auto& [name, theirs] : TheirNames(HuggingFaceNames(), checkpoint.config)) {
    const TensorView& tensor = checkpoint.tensors.at(name);
    TensorView& view = tensors[theirs] = tensor;
    if (name == "output.bias") Reshape({1, tensor.elements()}, view);
  }
  absl::Status status = WriteJson(folder + "/config.json", MarianConfig(checkpoint.config, dtype));
  status.Update(WriteJson(folder + "/generation_config.json", GenerationConfig(checkpoint.config)));
  status.Update(WriteJson(folder + "/tokenizer_config.json", TokenizerConfig(checkpoint)));
  status.Update(WriteVocabulary(folder + "/vocab.json", checkpoint.source_vocabulary));
  if (checkpoint.source_vocabulary != checkpoint.target_vocabulary) {
    status.Update(WriteVocabulary(folder + "/target_vocab.json", checkpoint.target_vocabulary));
  }
  status.Update(WriteFile(folder + "/source.spm", checkpoint.source_sentencepiece));
  status.Update(WriteFile(folder + "/target.spm", checkpoint.target_sentencepiece));
  status.Update(WriteSafetensors(folder + "/model.safetensors", tensors, {{"format", "pt"}}));
  return status;
}

}  // namespace

absl::Status WriteHuggingFace(const Checkpoint& checkpoint, const std::string& folder,
                              DType dtype) {
  if (dtype == DType::kInt8) {
    return absl::UnimplementedError(
        "Hugging Face's MarianMT has no int8 weights; choose --dtype=float32 or float16");
  }
  if (const std::string what = NotInMarian(checkpoint); !what.empty()) {
    return absl::UnimplementedError(
        absl::StrCat("this model has ", what, ", which Hugging Face's MarianMT cannot express"));
  }
  const auto converted = WithMatricesIn(dtype, checkpoint);
  if (!converted.ok()) return converted.status();
  return WriteNewFolder(
      folder, [&](const std::string& path) { return WriteFiles(*converted, dtype, path); });
}

}  // namespace limpid::internal

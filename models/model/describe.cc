#include "models/model/describe.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

// 1234567 as "1,234,567".
std::string Grouped(int64_t number) {
  std::string digits = absl::StrCat(number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

std::string SizeName(size_t bytes) {
  if (bytes < 10'000) return absl::StrCat(Grouped(static_cast<int64_t>(bytes)), " B");
  if (bytes < 1'000'000) return absl::StrFormat("%.1f kB", static_cast<double>(bytes) / 1e3);
  return absl::StrFormat("%.1f MB", static_cast<double>(bytes) / 1e6);
}

size_t BytesWithScales(const TensorView& tensor) {
  const size_t scales = tensor.dtype == DType::kInt8 ? tensor.rows() : 0;
  const size_t input_scales = tensor.input_scale > 0 ? 1 : 0;
  return tensor.bytes() + (scales + input_scales) * sizeof(float);
}

void AppendLine(std::string_view label, std::string_view value, std::string& text) {
  absl::StrAppendFormat(&text, "%-19s  %s\n", label, value);
}

std::string Languages(const ModelConfig& config) {
  const auto name = [](const std::string& language) {
    return language.empty() ? "not stated" : Quoted(language);
  };
  return absl::StrCat(name(config.source_language), " to ", name(config.target_language));
}

std::string Stack(int layers, int heads, int ffn_dim) {
  return absl::StrCat(layers, layers == 1 ? " layer, " : " layers, ", heads,
                      heads == 1 ? " head, " : " heads, ", "feed-forward ", ffn_dim, " wide");
}

std::string ActivationInWords(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "ReLU";
    case Activation::kGelu:
      return "GELU";
    case Activation::kGeluTanh:
      return "GELU (tanh approximation)";
    case Activation::kGeluSigmoid:
      return "GELU (sigmoid approximation)";
    case Activation::kSwish:
      return "Swish";
  }
  return "";
}

std::string Norms(const ModelConfig& config) {
  return absl::StrCat(config.norm_order == NormOrder::kPost ? "after each sublayer (post-norm)"
                                                            : "before each sublayer (pre-norm)",
                      config.embedding_norm ? ", after the embedding" : "",
                      config.final_norm ? ", after the last layer" : "", ", epsilon ",
                      config.layer_norm_epsilon);
}

std::string PositionsInWords(const ModelConfig& config) {
  std::string kind = "learned";
  if (config.positions == Positions::kSinusoidal) kind = "sinusoidal";
  if (config.positions == Positions::kSinusoidalMarian) kind = "sinusoidal in Marian's way";
  return absl::StrCat(kind, ", from ", config.first_position, ", up to ", config.max_positions,
                      " tokens");
}

std::string Embeddings(const ModelConfig& config) {
  return absl::StrCat(
      config.shared_embeddings ? "one table for source and target" : "a table for each side",
      config.tied_output ? ", also the output's weights" : ", output has weights of its own",
      ", times ", config.embedding_scale);
}

std::string Token(const std::vector<std::string>& vocabulary, int id) {
  if (id < 0) return "an embedding of zeros";
  return absl::StrCat(Quoted(vocabulary[id]), " (id ", id, ")");
}

// A token that each side has: said once where it is the same.
std::string TokenOfBothSides(const Checkpoint& checkpoint, int source_id, int target_id) {
  const std::string source =
      source_id < 0 ? "none" : Token(checkpoint.source_vocabulary, source_id);
  const std::string target = Token(checkpoint.target_vocabulary, target_id);
  return source == target ? source : absl::StrCat("source ", source, ", target ", target);
}

std::string Vocabulary(const Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  if (checkpoint.source_vocabulary == checkpoint.target_vocabulary) {
    return absl::StrCat(Grouped(config.source_vocab_size), " pieces, the same for both sides");
  }
  return absl::StrCat(Grouped(config.source_vocab_size), " source pieces, ",
                      Grouped(config.target_vocab_size), " target pieces");
}

std::string SentencePiece(const Checkpoint& checkpoint) {
  if (checkpoint.source_sentencepiece.empty()) {
    return checkpoint.config.tokenizer.has_value() ? "none: text comes split by spaces"
                                                   : "none found: text comes split by spaces";
  }
  return checkpoint.source_sentencepiece == checkpoint.target_sentencepiece
             ? "one model for both sides"
             : "a model for each side";
}

std::string BadWords(const Checkpoint& checkpoint) {
  constexpr size_t kMaxShown = 8;
  const std::vector<int>& ids = checkpoint.config.bad_words;
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(ids.size(), kMaxShown); ++i) {
    shown.push_back(Token(checkpoint.target_vocabulary, ids[i]));
  }
  if (ids.size() > kMaxShown) shown.push_back(absl::StrCat(ids.size() - kMaxShown, " more"));
  return shown.empty() ? "-" : absl::StrJoin(shown, ", ");
}

std::string AlignmentHead(const ModelConfig& config) {
  if (config.alignment_layer < 0) return "none";
  const std::string heads = config.alignment_heads == 0 ? "all heads"
                            : config.alignment_heads == 1
                                ? "head 0"
                                : absl::StrCat("heads 0 to ", config.alignment_heads - 1);
  return absl::StrCat("decoder layer ", config.alignment_layer, ", cross-attention, ", heads,
                      config.alignment_input_layer < 0
                          ? ""
                          : absl::StrCat("; input row: layer ", config.alignment_input_layer,
                                         ", head ", config.alignment_input_head));
}

void AppendTotals(const TensorMap& tensors, std::string& text) {
  int64_t parameters = 0;
  size_t all_bytes = 0;
  int64_t with_input_scale = 0;
  std::map<std::string, size_t> bytes_by_dtype;
  for (const auto& [name, tensor] : tensors) {
    parameters += tensor.elements();
    bytes_by_dtype[std::string(DTypeName(tensor.dtype))] += BytesWithScales(tensor);
    all_bytes += BytesWithScales(tensor);
    if (tensor.input_scale > 0) ++with_input_scale;
  }
  AppendLine("parameters", Grouped(parameters), text);
  AppendLine("size",
             absl::StrCat(SizeName(all_bytes), ": ",
                          absl::StrJoin(bytes_by_dtype, ", ",
                                        [](std::string* out, const auto& entry) {
                                          absl::StrAppend(out, entry.first, " ",
                                                          SizeName(entry.second));
                                        })),
             text);
  if (with_input_scale > 0) {
    AppendLine("int8 inputs",
               absl::StrCat("scales are stored with ", with_input_scale, " matrices"), text);
  }
}

void AppendTensors(const TensorMap& tensors, std::string& text) {
  size_t name_width = 0;
  size_t shape_width = 0;
  for (const auto& [name, tensor] : tensors) {
    name_width = std::max(name_width, name.size());
    shape_width = std::max(shape_width, ShapeName(tensor.shape).size());
  }
  const auto append_row = [&](std::string_view name, std::string_view shape, std::string_view dtype,
                              std::string_view size) {
    absl::StrAppendFormat(&text, "%-*s  %-*s  %-8s  %9s\n", name_width, name, shape_width, shape,
                          dtype, size);
  };
  append_row("tensor", "shape", "dtype", "size");
  for (const auto& [name, tensor] : tensors) {
    append_row(name, ShapeName(tensor.shape), DTypeName(tensor.dtype),
               SizeName(BytesWithScales(tensor)));
  }
}

}  // namespace

std::string Describe(const Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  std::string text;
  AppendLine("format", checkpoint.format, text);
  AppendLine("languages", Languages(config), text);
  AppendTotals(checkpoint.tensors, text);
  text += "\n";
  AppendLine("width", absl::StrCat(config.model_dim), text);
  AppendLine("encoder", Stack(config.encoder_layers, config.encoder_heads, config.encoder_ffn_dim),
             text);
  AppendLine("decoder", Stack(config.decoder_layers, config.decoder_heads, config.decoder_ffn_dim),
             text);
  if (config.decoder_self_attention != DecoderSelfAttention::kAttention) {
    AppendLine("decoder recurrence",
               config.decoder_self_attention == DecoderSelfAttention::kSsru
                   ? "SSRU in place of self-attention"
                   : "SSRU with an output product, in place of self-attention",
               text);
  }
  AppendLine("activation", ActivationInWords(config.activation), text);
  AppendLine("layer norm", Norms(config), text);
  AppendLine("positions", PositionsInWords(config), text);
  AppendLine("longest source", absl::StrCat(config.max_source_tokens, " tokens in one part"), text);
  AppendLine("embeddings", Embeddings(config), text);
  AppendLine("alignment", AlignmentHead(config), text);
  text += "\n";
  AppendLine("vocabulary", Vocabulary(checkpoint), text);
  if (checkpoint.subword_merges.empty()) {
    AppendLine("SentencePiece", SentencePiece(checkpoint), text);
  } else {
    AppendLine("subword-nmt",
               absl::StrCat("merges of ", SizeName(checkpoint.subword_merges.size()),
                            ", after Moses' tokenizer"),
               text);
  }
  if (!checkpoint.shortlist.empty()) {
    AppendLine("shortlist",
               absl::StrCat("of ", SizeName(checkpoint.shortlist.size()),
                            ": a sentence alone is drafted from it"),
               text);
  }
  if (config.source_bos_id >= 0) {
    AppendLine("sources begin with", Token(checkpoint.source_vocabulary, config.source_bos_id),
               text);
  }
  AppendLine("end of sentence",
             TokenOfBothSides(checkpoint, config.source_eos_id, config.target_eos_id), text);
  AppendLine("unknown piece",
             TokenOfBothSides(checkpoint, config.source_unk_id, config.target_unk_id), text);
  AppendLine("decoder starts with", Token(checkpoint.target_vocabulary, config.decoder_start_id),
             text);
  AppendLine("never produced", BadWords(checkpoint), text);
  text += "\n";
  AppendTensors(checkpoint.tensors, text);
  return text;
}

DType MainDType(const Checkpoint& checkpoint) {
  std::map<DType, int64_t> numbers;
  for (const auto& [name, tensor] : checkpoint.tensors) numbers[tensor.dtype] += tensor.elements();
  DType main = DType::kFloat32;
  for (const auto& [dtype, count] : numbers) {
    if (count > numbers[main]) main = dtype;
  }
  return main;
}

}  // namespace limpid::internal

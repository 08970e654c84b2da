#include "models/model/config.h"

#include <cassert>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

constexpr const char* kFormatKey = "limpid_format";
constexpr int kFormat = 1;

template <typename Enum>
using Name = std::pair<Enum, std::string_view>;

constexpr Name<Activation> kActivations[] = {{Activation::kRelu, "relu"},
                                             {Activation::kGelu, "gelu"},
                                             {Activation::kGeluTanh, "gelu_tanh"},
                                             {Activation::kGeluSigmoid, "gelu_sigmoid"},
                                             {Activation::kSwish, "swish"}};
constexpr Name<NormOrder> kNormOrders[] = {{NormOrder::kPost, "post"}, {NormOrder::kPre, "pre"}};
constexpr Name<DecoderSelfAttention> kDecoderSelfAttentions[] = {
    {DecoderSelfAttention::kAttention, "attention"},
    {DecoderSelfAttention::kSsru, "ssru"},
    {DecoderSelfAttention::kSsruWithOutput, "ssru_with_output"}};
constexpr Name<Positions> kPositions[] = {{Positions::kSinusoidal, "sinusoidal"},
                                          {Positions::kSinusoidalMarian, "sinusoidal_marian"},
                                          {Positions::kLearned, "learned"}};

constexpr Name<TokenizerKind> kTokenizers[] = {
    {TokenizerKind::kSpaces, "spaces"},
    {TokenizerKind::kSentencePiece, "sentencepiece"},
    {TokenizerKind::kSentencePiecePerSide, "sentencepiece_per_side"},
    {TokenizerKind::kMosesSubwordNmt, "moses_subword_nmt"}};

// Overloads select the table by type.
absl::Span<const Name<Activation>> NamesOf(Activation /*value*/) { return kActivations; }
absl::Span<const Name<NormOrder>> NamesOf(NormOrder /*value*/) { return kNormOrders; }
absl::Span<const Name<DecoderSelfAttention>> NamesOf(DecoderSelfAttention /*value*/) {
  return kDecoderSelfAttentions;
}
absl::Span<const Name<TokenizerKind>> NamesOf(TokenizerKind /*value*/) { return kTokenizers; }
absl::Span<const Name<Positions>> NamesOf(Positions /*value*/) { return kPositions; }

template <typename Enum>
std::string_view NameOf(Enum value) {
  for (const auto& [candidate, name] : NamesOf(value)) {
    if (candidate == value) return name;
  }
  assert(false);
  return "";
}

// The keys of config.json, in the order in which they are written.
template <typename Config, typename Visitor>
void VisitKeys(Config& config, Visitor& visit) {
  visit("source_language", config.source_language);
  visit("target_language", config.target_language);
  visit("tokenizer", config.tokenizer);
  visit("model_dim", config.model_dim);
  visit("encoder_layers", config.encoder_layers);
  visit("decoder_layers", config.decoder_layers);
  visit("encoder_heads", config.encoder_heads);
  visit("decoder_heads", config.decoder_heads);
  visit("encoder_ffn_dim", config.encoder_ffn_dim);
  visit("decoder_ffn_dim", config.decoder_ffn_dim);
  visit("source_vocab_size", config.source_vocab_size);
  visit("target_vocab_size", config.target_vocab_size);
  visit("shared_embeddings", config.shared_embeddings);
  visit("tied_output", config.tied_output);
  visit("embedding_scale", config.embedding_scale);
  visit("decoder_self_attention", config.decoder_self_attention);
  visit("activation", config.activation);
  visit("norm_order", config.norm_order);
  visit("layer_norm_epsilon", config.layer_norm_epsilon);
  visit("embedding_norm", config.embedding_norm);
  visit("final_norm", config.final_norm);
  visit("positions", config.positions);
  visit("first_position", config.first_position);
  visit("max_positions", config.max_positions);
  visit("max_source_tokens", config.max_source_tokens);
  visit("source_bos_id", config.source_bos_id);
  visit("source_eos_id", config.source_eos_id);
  visit("source_unk_id", config.source_unk_id);
  visit("target_eos_id", config.target_eos_id);
  visit("target_unk_id", config.target_unk_id);
  visit("decoder_start_id", config.decoder_start_id);
  visit("bad_words", config.bad_words);
  visit("alignment_layer", config.alignment_layer);
  visit("alignment_heads", config.alignment_heads);
  visit("alignment_input_layer", config.alignment_input_layer);
  visit("alignment_input_head", config.alignment_input_head);
}

class JsonWriter {
 public:
  void operator()(const char* key, float field) { document[key] = Shortest(field); }
  void operator()(const char* key, Activation field) { document[key] = ActivationName(field); }
  void operator()(const char* key, NormOrder field) { document[key] = NormOrderName(field); }
  void operator()(const char* key, DecoderSelfAttention field) {
    document[key] = DecoderSelfAttentionName(field);
  }
  void operator()(const char* key, Positions field) { document[key] = PositionsName(field); }
  void operator()(const char* key, std::optional<TokenizerKind> field) {
    if (field.has_value()) document[key] = TokenizerKindName(*field);
  }
  template <typename Field>
  void operator()(const char* key, const Field& field) {
    document[key] = field;
  }

  nlohmann::ordered_json document = {{kFormatKey, kFormat}};

 private:
  // The shortest double that is `value` when read as a float: 1e-05, not
  // 9.999999747378752e-06.
  static double Shortest(float value) {
    char text[32];
    const char* end = std::to_chars(text, text + sizeof(text), value).ptr;
    double shortest = value;
    std::from_chars(text, end, shortest);
    return shortest;
  }
};

nlohmann::ordered_json ToJson(const ModelConfig& config) {
  JsonWriter writer;
  VisitKeys(config, writer);
  return std::move(writer.document);
}

// Sets the fields of a config from a JSON object. The first error stays in `status`.
class JsonReader {
 public:
  explicit JsonReader(const json& document) : document_(document) {}

  template <typename Field>
  void operator()(const char* key, Field& field) {
    if (!status.ok()) return;
    const auto member = document_.find(key);
    if (member == document_.end()) {
      status = absl::InvalidArgumentError(absl::StrCat("the key ", Quoted(key), " is missing"));
    } else if (!Read(*member, field)) {
      status = absl::InvalidArgumentError(
          absl::StrCat(Quoted(key), ": expected ", Expected(field), ", found ", Shown(*member)));
    }
  }

  // A key that may be missing.
  void operator()(const char* key, std::optional<TokenizerKind>& field) {
    if (document_.contains(key)) (*this)(key, field.emplace());
  }

  absl::Status status;

 private:
  static bool Read(const json& value, int& field) {
    const std::optional<int> number = IntFromJson(value);
    if (number.has_value()) field = *number;
    return number.has_value();
  }
  static bool Read(const json& value, float& field) {
    if (!value.is_number()) return false;
    constexpr double kRoundsToInfinity = 0x1.ffffffp127;
    const auto number = value.get<double>();
    if (std::abs(number) >= kRoundsToInfinity) return false;
    field = static_cast<float>(number);
    return true;
  }
  static bool Read(const json& value, bool& field) {
    if (!value.is_boolean()) return false;
    field = value.get<bool>();
    return true;
  }
  static bool Read(const json& value, std::string& field) {
    if (!value.is_string()) return false;
    field = value.get<std::string>();
    return true;
  }
  static bool Read(const json& value, std::vector<int>& field) {
    if (!value.is_array()) return false;
    field.resize(value.size());
    for (size_t i = 0; i < field.size(); ++i) {
      if (!Read(value[i], field[i])) return false;
    }
    return true;
  }
  template <typename Enum>
  static bool Read(const json& value, Enum& field) {
    for (const auto& [candidate, name] : NamesOf(field)) {
      if (value != name) continue;
      field = candidate;
      return true;
    }
    return false;
  }

  static std::string Expected(int /*field*/) { return "a whole number"; }
  static std::string Expected(float /*field*/) { return "a number"; }
  static std::string Expected(bool /*field*/) { return "true or false"; }
  static std::string Expected(const std::string& /*field*/) { return "a string"; }
  static std::string Expected(const std::vector<int>& /*field*/) { return "an array of ids"; }
  template <typename Enum>
  static std::string Expected(Enum field) {
    return absl::StrJoin(NamesOf(field), " or ", [](std::string* out, const Name<Enum>& name) {
      absl::StrAppend(out, Quoted(std::string(name.second)));
    });
  }

  const json& document_;
};

absl::Status CheckFormat(const json& document) {
  const auto format = document.find(kFormatKey);
  if (format == document.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the key ", Quoted(kFormatKey), " is missing: not a Limpid model"));
  }
  if (*format != kFormat) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(kFormatKey), ": this program reads format ", kFormat, ", found ",
                     Shown(*format), "; convert the model anew or use another version of Limpid"));
  }
  return absl::OkStatus();
}

// Checks a config. The first error stays in `status`.
class Validator {
 public:
  void Range(const char* key, int value, int least, int most) {
    if (value >= least && value <= most) return;
    Fail(absl::StrCat(Quoted(key), ": expected a whole number from ", least, " to ", most,
                      ", found ", value));
  }
  void Positive(const char* key, float value) {
    if (std::isfinite(value) && value > 0) return;
    Fail(absl::StrCat(Quoted(key), ": expected a number above 0, found ", value));
  }
  void Require(bool holds, const std::string& message) {
    if (!holds) Fail(message);
  }

  absl::Status status;

 private:
  void Fail(const std::string& message) {
    if (status.ok()) status = absl::InvalidArgumentError(message);
  }
};

// These keep every product of two sizes within 2^40, and tables computed from a config, such as
// positions, small compared to the weights.
constexpr int kMaxSize = 1 << 20;
constexpr int kMaxLayers = 1 << 10;
constexpr int kMaxPositions = 1 << 16;

void ValidateSizes(const ModelConfig& config, Validator& check) {
  check.Range("model_dim", config.model_dim, 1, kMaxSize);
  check.Range("encoder_layers", config.encoder_layers, 1, kMaxLayers);
  check.Range("decoder_layers", config.decoder_layers, 1, kMaxLayers);
  check.Range("encoder_heads", config.encoder_heads, 1, kMaxSize);
  check.Range("decoder_heads", config.decoder_heads, 1, kMaxSize);
  check.Range("encoder_ffn_dim", config.encoder_ffn_dim, 1, kMaxSize);
  check.Range("decoder_ffn_dim", config.decoder_ffn_dim, 1, kMaxSize);
  check.Range("source_vocab_size", config.source_vocab_size, 1, kMaxSize);
  check.Range("target_vocab_size", config.target_vocab_size, 1, kMaxSize);
  check.Range("max_positions", config.max_positions, 2, kMaxPositions);
  check.Range("first_position", config.first_position, 0, kMaxPositions);
  if (!check.status.ok()) return;
  check.Range("max_source_tokens", config.max_source_tokens, config.source_bos_id < 0 ? 2 : 3,
              config.max_positions);
  for (const auto& [key, heads] : {std::pair{"encoder_heads", config.encoder_heads},
                                   std::pair{"decoder_heads", config.decoder_heads}}) {
    check.Require(config.model_dim % heads == 0,
                  absl::StrCat(Quoted(key), ": ", heads, " heads do not divide \"model_dim\", ",
                               config.model_dim));
  }
  check.Require(!config.shared_embeddings || config.source_vocab_size == config.target_vocab_size,
                absl::StrCat("\"shared_embeddings\" is true, but \"source_vocab_size\" is ",
                             config.source_vocab_size, " and \"target_vocab_size\" is ",
                             config.target_vocab_size));
}

void ValidatePositions(const ModelConfig& config, Validator& check) {
  switch (config.positions) {
    case Positions::kSinusoidal:
      check.Require(config.model_dim % 2 == 0,
                    absl::StrCat("\"model_dim\": sinusoidal positions need an even width, found ",
                                 config.model_dim));
      return;
    case Positions::kSinusoidalMarian:
      check.Require(config.model_dim % 2 == 0 && config.model_dim >= 4,
                    absl::StrCat("\"model_dim\": Marian's sinusoidal positions need an even width ",
                                 "from 4 up, found ", config.model_dim));
      return;
    case Positions::kLearned:
      check.Require(config.first_position == 0,
                    absl::StrCat("\"first_position\": learned positions start from 0, found ",
                                 config.first_position));
      return;
  }
}

void ValidateTokens(const ModelConfig& config, Validator& check) {
  const int last_source_id = config.source_vocab_size - 1;
  const int last_target_id = config.target_vocab_size - 1;
  check.Range("source_bos_id", config.source_bos_id, -1, last_source_id);
  check.Range("source_eos_id", config.source_eos_id, -1, last_source_id);
  check.Range("source_unk_id", config.source_unk_id, 0, last_source_id);
  check.Range("target_eos_id", config.target_eos_id, 0, last_target_id);
  check.Range("target_unk_id", config.target_unk_id, 0, last_target_id);
  check.Range("decoder_start_id", config.decoder_start_id, -1, last_target_id);
  for (int id : config.bad_words) {
    check.Range("bad_words", id, 0, last_target_id);
    check.Require(id != config.target_eos_id, absl::StrCat("\"bad_words\" has \"target_eos_id\", ",
                                                           id, ": no translation could end"));
  }
}

}  // namespace

absl::StatusOr<ModelConfig> ParseConfig(std::string_view text) {
  const absl::StatusOr<json> document = ParseJsonObject(text);
  if (!document.ok()) return document.status();
  if (absl::Status status = CheckFormat(*document); !status.ok()) return status;

  ModelConfig config;
  JsonReader reader(*document);
  VisitKeys(config, reader);
  if (!reader.status.ok()) return reader.status;
  const nlohmann::ordered_json known = ToJson(config);
  for (const auto& [key, value] : document->items()) {
    if (!known.contains(key)) {
      return absl::InvalidArgumentError(absl::StrCat("the key ", Quoted(key), " is unknown"));
    }
  }
  if (absl::Status status = ValidateConfig(config); !status.ok()) return status;
  return config;
}

std::string FormatConfig(const ModelConfig& config) {
  // Strings may come from other formats than JSON: invalid UTF-8 becomes U+FFFD.
  return ToJson(config).dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

absl::Status ValidateConfig(const ModelConfig& config) {
  Validator check;
  ValidateSizes(config, check);
  check.Positive("embedding_scale", config.embedding_scale);
  check.Positive("layer_norm_epsilon", config.layer_norm_epsilon);
  ValidatePositions(config, check);
  ValidateTokens(config, check);
  check.Range("alignment_layer", config.alignment_layer, -1, config.decoder_layers - 1);
  check.Range("alignment_heads", config.alignment_heads, 0, config.decoder_heads);
  check.Range("alignment_input_layer", config.alignment_input_layer, -1, config.decoder_layers - 1);
  check.Range("alignment_input_head", config.alignment_input_head, 0, config.decoder_heads - 1);
  return check.status;
}

std::string_view ActivationName(Activation activation) { return NameOf(activation); }
std::string_view NormOrderName(NormOrder order) { return NameOf(order); }
std::string_view PositionsName(Positions positions) { return NameOf(positions); }
std::string_view TokenizerKindName(TokenizerKind kind) { return NameOf(kind); }
std::string_view DecoderSelfAttentionName(DecoderSelfAttention kind) { return NameOf(kind); }

}  // namespace limpid::internal

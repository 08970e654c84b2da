// Variables mean what they do in CTranslate2's python/ctranslate2/specs and src/layers.

#include "models/formats/ctranslate2.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "models/formats/ctranslate2_tokens.h"
#include "models/formats/ctranslate2_variables.h"
#include "models/formats/formats.h"
#include "models/formats/sinusoids.h"
#include "models/formats/tensor_names.h"
#include "models/formats/tokenizer_files.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/model/weights.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

constexpr int kMaxPositions = 1024;

// --- Variables ---

constexpr char kModel[] = "a translation model";

// Parts of names of what the engine does not have.
constexpr std::pair<std::string_view, const char*> kUnsupported[] = {
    {"/embeddings_1/", "source features"},
    {"/relative_attention_bias", "relative attention biases"},
    {"relative_", "relative positions"},
    {"/rotary_", "rotary positions"},
    {"/alibi", "ALiBi positions"},
    {"/linear_0_noact/", "gated feed-forward networks"},
    {"/num_heads_kv", "multi-query and grouped-query attention"},
    {"/multi_query_attention", "multi-query and grouped-query attention"},
    {"/sliding_window", "attention within a sliding window"},
    {"/q_norm/", "norms of queries and keys"},
    {"/k_norm/", "norms of queries and keys"},
    {"/queries_scale", "another scale of queries than 1/√head_dim"},
    {"/project_in/", "projections between embeddings and layers"},
    {"/project_out/", "projections between embeddings and layers"},
    {"/scale_outputs", "scaled outputs"},
    {"/final_logit_softcapping", "capped logits"},
    {"/weight_zero", "weights quantized with zero points, such as AWQ's"},
};

// The variables that describe the model. The first error stays in `status`.
class Variables {
 public:
  explicit Variables(CTranslate2Variables& from) : from_(from) {}

  absl::Status status;

  const CTranslate2Variables& all() const { return from_; }
  bool Has(std::string_view name) const { return from_.tensors.find(name) != from_.tensors.end(); }

  // Returns an empty view, which is an error, if there is none.
  TensorView Get(const std::string& name) {
    const auto found = from_.tensors.find(name);
    if (found != from_.tensors.end()) return found->second;
    Fail(absl::StrCat("variable ", Quoted(name), " is missing"));
    return {};
  }

  std::optional<CTranslate2Scalar> TakeScalar(std::string_view name) {
    return from_.TakeScalar(name);
  }

  // A number of each side. Older files have one for both, whose name has no side.
  double SideNumber(const std::string& side, const std::string& name, double otherwise) {
    if (const auto scalar = TakeScalar(absl::StrCat(side, "/", name))) return scalar->value;
    const auto both = from_.scalars.find(name);
    return both == from_.scalars.end() ? otherwise : both->second.value;
  }

  // Refuses scalars and texts that were not taken, unless they are 0, and tensors of what the
  // engine does not have.
  void RefuseUnsupported() {
    // The first matters for source features only, the second for ALiBi positions only; the third
    // says of revision 4 what its variables say too.
    for (const char* name :
         {"embeddings_merge", "encoder/embeddings_merge", "decoder/alibi_use_positive_positions",
          "layernorm_embedding", "num_heads", "pre_norm", "activation", "alignment_layer",
          "alignment_heads"}) {
      from_.scalars.erase(name);
    }
    std::erase_if(from_.scalars, [](const auto& entry) { return entry.second.value == 0; });
    for (const auto& [name, tensor] : from_.tensors) {
      RefuseIfUnsupported(name);
      if (name.ends_with("/gamma") && !Has(name.substr(0, name.size() - 5) + "beta")) {
        Fail(absl::StrCat("variable ", Quoted(name), " has no \"beta\": Limpid has no RMS norms"));
      }
    }
    for (const auto& [name, scalar] : from_.scalars) Refuse(name);
    for (const auto& [name, text] : from_.texts) Refuse(name);
  }

  void Fail(const std::string& message) {
    if (status.ok()) status = absl::InvalidArgumentError(message);
  }

 private:
  void RefuseIfUnsupported(const std::string& name) {
    for (const auto& [part, what] : kUnsupported) {
      if (name.find(part) == std::string::npos) continue;
      Fail(absl::StrCat("variable ", Quoted(name), ": Limpid has no ", what));
    }
  }
  void Refuse(const std::string& name) {
    RefuseIfUnsupported(name);
    Fail(absl::StrCat("variable ", Quoted(name), " is not part of ", kModel));
  }

  CTranslate2Variables& from_;
};

// --- Config ---

// Converts a number that should be whole. Clamps: ValidateConfig refuses what is too large.
int Whole(double number) {
  constexpr double kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp(number, -kMost, kMost));
}

// Converts a dimension. Clamps: ValidateConfig refuses what is too large.
int Size(int64_t dimension) {
  return static_cast<int>(std::min<int64_t>(dimension, std::numeric_limits<int>::max()));
}

// Sets a value that the format has per side and Limpid once.
template <typename T>
void SetForBoth(const char* what, T encoder, T decoder, Variables& variables, T& field) {
  if (encoder != decoder) {
    variables.Fail(absl::StrCat("encoder and decoder differ in ", what,
                                "; Limpid has models in which they are the same"));
  }
  field = encoder;
}

void ReadActivation(Variables& variables, ModelConfig& config) {
  constexpr Activation kActivations[] = {Activation::kRelu, Activation::kGeluTanh,
                                         Activation::kSwish, Activation::kGelu,
                                         Activation::kGeluSigmoid};
  double code = 0;
  SetForBoth("their activation function", variables.SideNumber("encoder", "activation", 0),
             variables.SideNumber("decoder", "activation", 0), variables, code);
  const auto* found = std::begin(kActivations);
  while (found != std::end(kActivations) && code != found - std::begin(kActivations)) ++found;
  if (found == std::end(kActivations)) {
    variables.Fail(
        absl::StrCat("the activation function ", code, " (5 is tanh, 6 is sigmoid) is not ",
                     "supported: Limpid has 0 to 4, which are ReLU, GELU (tanh approximation), ",
                     "Swish, GELU, and GELU (sigmoid approximation)"));
    return;
  }
  config.activation = *found;
}

// What each embedding is multiplied by: a number, or whether it is by √model_dim.
double EmbeddingScale(const std::string& side, int model_dim, Variables& variables) {
  auto scale = variables.TakeScalar(side + "/scale_embeddings");
  if (!scale.has_value()) scale = variables.TakeScalar(side + "/embeddings/multiply_by_sqrt_depth");
  if (!scale.has_value() || (scale->is_flag && scale->value != 0)) {
    return std::sqrt(static_cast<float>(model_dim));
  }
  return scale->is_flag ? 1 : scale->value;
}

// The number of layers, counted by a weight that each has.
int Layers(const std::string& side, const Variables& variables) {
  int layers = 0;
  while (variables.Has(absl::StrCat(side, "/layer_", layers, "/ffn/linear_0/weight"))) ++layers;
  return layers;
}

int FfnDim(const std::string& side, const Variables& variables) {
  const std::string name = side + "/layer_0/ffn/linear_0/weight";
  return variables.Has(name) ? Size(variables.all().tensors.find(name)->second.rows()) : 0;
}

int Heads(const std::string& side, Variables& variables) {
  const int otherwise = variables.all().specification == "TransformerBig" ? 16 : 8;
  return Whole(variables.SideNumber(side, "num_heads", otherwise));
}

void ReadAlignment(Variables& variables, ModelConfig& config) {
  const int layer = Whole(variables.SideNumber("decoder", "alignment_layer", -1));
  const int heads = Whole(variables.SideNumber("decoder", "alignment_heads", 1));
  if (layer == -1 && heads == 1) return;  // what converters write when there is none
  config.alignment_layer = layer < 0 ? layer + config.decoder_layers : layer;
  config.alignment_heads = heads;
}

void ReadNorms(Variables& variables, ModelConfig& config) {
  bool pre_norm = true;
  SetForBoth("where their norms are", variables.SideNumber("encoder", "pre_norm", 1) != 0,
             variables.SideNumber("decoder", "pre_norm", 1) != 0, variables, pre_norm);
  config.norm_order = pre_norm ? NormOrder::kPre : NormOrder::kPost;
  SetForBoth("having a norm after the last layer", variables.Has("encoder/layer_norm/gamma"),
             variables.Has("decoder/layer_norm/gamma"), variables, config.final_norm);
  SetForBoth("having a norm after the embedding",
             variables.Has("encoder/layernorm_embedding/gamma"),
             variables.Has("decoder/layernorm_embedding/gamma"), variables, config.embedding_norm);
}

// Reads what scalars and the presence of variables decide.
void ReadArchitecture(Variables& variables, ModelConfig& config) {
  config.encoder_layers = Layers("encoder", variables);
  config.decoder_layers = Layers("decoder", variables);
  config.encoder_ffn_dim = FfnDim("encoder", variables);
  config.decoder_ffn_dim = FfnDim("decoder", variables);
  config.encoder_heads = Heads("encoder", variables);
  config.decoder_heads = Heads("decoder", variables);
  ReadActivation(variables, config);
  ReadNorms(variables, config);
  ReadAlignment(variables, config);
}

// --- Tensors ---

// Their shapes, and which of them are one.
void ReadEmbeddings(Variables& variables, ModelConfig& config) {
  const TensorView encoder =
      variables.Get(variables.Has("encoder/embeddings_0/weight") ? "encoder/embeddings_0/weight"
                                                                 : "encoder/embeddings/weight");
  const TensorView decoder = variables.Get("decoder/embeddings/weight");
  const TensorView output = variables.Get("decoder/projection/weight");
  if (!variables.status.ok()) return;
  if (encoder.shape.size() != 2 || decoder.shape.size() != 2) {
    variables.Fail(absl::StrCat("the embeddings have shapes ", ShapeName(encoder.shape), " and ",
                                ShapeName(decoder.shape), "; expected matrices"));
    return;
  }
  config.model_dim = Size(encoder.columns());
  config.source_vocab_size = Size(encoder.rows());
  config.target_vocab_size = Size(decoder.rows());
  config.shared_embeddings = Same(encoder, decoder);
  config.tied_output = Same(output, decoder);
  double scale = 1;
  SetForBoth("the scale of their embeddings",
             EmbeddingScale("encoder", config.model_dim, variables),
             EmbeddingScale("decoder", config.model_dim, variables), variables, scale);
  config.embedding_scale = static_cast<float>(scale);
}

// The kinds of sinusoids that are stored: MarianMT's, and fairseq's with its two rows of padding
// (M2M-100 and others) cut off or not.
void RecognizePositions(const TensorView& encoder, const TensorView& decoder, ModelConfig& config) {
  for (const auto& [kind, first] :
       {std::pair{Positions::kSinusoidal, 0}, std::pair{Positions::kSinusoidalMarian, 0},
        std::pair{Positions::kSinusoidalMarian, 1}, std::pair{Positions::kSinusoidalMarian, 2}}) {
    config.positions = kind;
    config.first_position = first;
    constexpr double kTolerance = 1e-4;  // of tables computed in float32
    if (IsSinusoidal(encoder, config, kTolerance) && IsSinusoidal(decoder, config, kTolerance)) {
      return;
    }
  }
  config.positions = Positions::kLearned;
  config.first_position = 0;
}

// Returns the two tables cut to max_positions rows.
std::pair<TensorView, TensorView> ReadPositions(Variables& variables, ModelConfig& config) {
  const std::string encoder_name = "encoder/position_encodings/encodings";
  const std::string decoder_name = "decoder/position_encodings/encodings";
  bool stored = false;
  SetForBoth("having stored positions", variables.Has(encoder_name), variables.Has(decoder_name),
             variables, stored);
  config.max_positions = config.max_source_tokens = kMaxPositions;
  if (!stored) {
    config.positions = Positions::kSinusoidalMarian;
    config.first_position = 1;
    return {};
  }
  const TensorView encoder = variables.Get(encoder_name);
  const TensorView decoder = variables.Get(decoder_name);
  for (const TensorView& table : {encoder, decoder}) {
    if (!variables.status.ok()) return {};
    if (table.shape.size() != 2 || table.columns() != config.model_dim) {
      variables.Fail(absl::StrCat("the positions have shape ", ShapeName(table.shape),
                                  "; expected ", config.model_dim, " columns"));
      return {};
    }
    config.max_positions = std::min(config.max_positions, Size(table.rows()));
  }
  config.max_source_tokens = config.max_positions;
  RecognizePositions(encoder, decoder, config);
  return {Rows(encoder, 0, config.max_positions), Rows(decoder, 0, config.max_positions)};
}

// clang-format off
constexpr TensorName kTensors[] = {
    {"decoder/projection/weight",            "output.weight"},
    {"decoder/projection/bias",              "output.bias", How::kOrZeros},
    {"encoder/embeddings_0/weight",          "embedding.weight"},
    {"SIDE/embeddings/weight",               "embedding.weight"},
    {"decoder/projection/weight",            "embedding.weight"},
    {"encoder/embeddings_0/weight",          "encoder.embedding.weight"},
    {"SIDE/embeddings/weight",               "SIDE.embedding.weight"},
    {"decoder/projection/weight",            "decoder.embedding.weight"},
    {"SIDE/position_encodings/encodings",    "SIDE.positions.weight"},
    {"SIDE/position_encodings/encodings",    "", How::kSkip},  // sinusoids
    {"SIDE/layernorm_embedding/*",           "SIDE.embedding_norm.*"},
    {"SIDE/layer_norm/*",                    "SIDE.final_norm.*"},
    {"SIDE/layer_N/self_attention/linear_0/*",   "SIDE.layers.N.self_attention.{query,key,value}.*", How::kOrZeros},
    {"SIDE/layer_N/self_attention/linear_1/*",   "SIDE.layers.N.self_attention.output.*", How::kOrZeros},
    {"SIDE/layer_N/self_attention/layer_norm/*", "SIDE.layers.N.self_attention_norm.*"},
    {"decoder/layer_N/attention/linear_0/*",     "decoder.layers.N.cross_attention.query.*", How::kOrZeros},
    {"decoder/layer_N/attention/linear_1/*",     "decoder.layers.N.cross_attention.{key,value}.*", How::kOrZeros},
    {"decoder/layer_N/attention/linear_2/*",     "decoder.layers.N.cross_attention.output.*", How::kOrZeros},
    {"decoder/layer_N/attention/layer_norm/*",   "decoder.layers.N.cross_attention_norm.*"},
    {"SIDE/layer_N/ffn/linear_0/*",              "SIDE.layers.N.feed_forward.hidden.*", How::kOrZeros},
    {"SIDE/layer_N/ffn/linear_1/*",              "SIDE.layers.N.feed_forward.output.*", How::kOrZeros},
    {"SIDE/layer_N/ffn/layer_norm/*",            "SIDE.layers.N.feed_forward_norm.*"},
};
// clang-format on

// --- All of it ---

absl::Status CheckSpecification(const CTranslate2Variables& variables) {
  const std::string& name = variables.specification;
  if (name != "TransformerSpec" && name != "TransformerBase" && name != "TransformerBig") {
    return absl::UnimplementedError(
        absl::StrCat("has the specification ", Quoted(name), "; Limpid reads translation models, ",
                     "which have TransformerSpec, TransformerBase or TransformerBig"));
  }
  return absl::OkStatus();
}

absl::Status ReadEpsilon(const json& object, ModelConfig& config) {
  const auto value = object.find("layer_norm_epsilon");
  if (value == object.end() || value->is_null()) return absl::OkStatus();  // 1e-5
  const double epsilon = value->is_number() ? value->get<double>() : 0;
  if (!(epsilon > 0 && epsilon < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"layer_norm_epsilon\" in config.json: expected a number from 0 to 1, found ",
                     Shown(*value)));
  }
  config.layer_norm_epsilon = static_cast<float>(epsilon);
  return absl::OkStatus();
}

// Reads config.json. Returns an empty object if there is none, which is valid before version 6.
absl::StatusOr<json> ReadConfig(uint32_t version, const ModelFiles& files) {
  const absl::StatusOr<FileBytes> file = files.open("config.json");
  if (absl::IsNotFound(file.status()) && version < 6) return json::object();
  if (!file.ok()) return file.status();
  absl::StatusOr<json> object = ParseJsonObject(file->text());
  if (!object.ok()) return InContext(files.PathOf("config.json"), object.status());
  const auto quantization = object->find("quantization_type");
  if (quantization != object->end() && !quantization->is_null() && *quantization != 0) {
    return absl::UnimplementedError(absl::StrCat(files.PathOf("config.json"),
                                                 ": \"quantization_type\" is ",
                                                 Shown(*quantization), "; Limpid has no AWQ"));
  }
  return object;
}

// Reads model.bin, and from config.json the epsilon of layer norms.
absl::Status ReadWeights(CTranslate2Variables file, const json& object, Checkpoint& checkpoint) {
  ModelConfig& config = checkpoint.config;
  Variables variables(file);
  ReadArchitecture(variables, config);
  ReadEmbeddings(variables, config);
  const auto [encoder, decoder] = ReadPositions(variables, config);
  variables.RefuseUnsupported();
  if (!variables.status.ok()) return variables.status;
  for (const auto& [side, table] : {std::pair{"encoder", encoder}, std::pair{"decoder", decoder}}) {
    if (table.data == nullptr) continue;
    file.tensors[absl::StrCat(side, "/position_encodings/encodings")] = table;
  }
  const TensorNames names = {
      .table = kTensors, .model = kModel, .norm_scale = "gamma", .norm_bias = "beta"};
  auto tensors = RenameTensors(names, config, std::move(file.tensors), file.storage);
  if (!tensors.ok()) return tensors.status();
  checkpoint.tensors = *std::move(tensors);
  checkpoint.storage = std::move(file.storage);
  return ReadEpsilon(object, config);
}

}  // namespace

absl::StatusOr<Checkpoint> ReadCTranslate2Files(const ModelFiles& files) {
  const absl::StatusOr<FileBytes> model = files.open("model.bin");
  if (!model.ok()) return model.status();
  absl::StatusOr<CTranslate2Variables> variables = ParseCTranslate2(model->bytes);
  absl::Status status = variables.status();
  if (status.ok()) status = CheckSpecification(*variables);
  if (!status.ok()) return InContext(files.PathOf("model.bin"), status);

  Checkpoint checkpoint;
  checkpoint.format = absl::StrCat("CTranslate2, format version ", variables->version);
  const absl::StatusOr<json> object = ReadConfig(variables->version, files);
  if (!object.ok()) return object.status();
  const absl::StatusOr<SpecialTokens> tokens = ReadTokens(*object, *variables);
  if (!tokens.ok()) return InContext(files.PathOf("config.json"), tokens.status());
  status = ReadWeights(*std::move(variables), *object, checkpoint);
  if (!status.ok()) return InContext(files.PathOf("model.bin"), status);
  checkpoint.storage.push_back(model->owner);

  status = ReadVocabularies(files, tokens->unk, checkpoint);
  if (!status.ok()) return status;
  status = SetTokens(*tokens, checkpoint);
  if (status.ok()) status = ValidateConfig(checkpoint.config);
  if (status.ok()) status = BindWeights(checkpoint.config, checkpoint.tensors).status();
  if (!status.ok()) return InContext(files.place, status);
  return checkpoint;
}

bool IsCTranslate2(const std::string& path) {
  const auto has = [&](const char* name) { return Exists(absl::StrCat(path, "/", name)); };
  return has("model.bin") && (has("shared_vocabulary.json") || has("shared_vocabulary.txt") ||
                              has("target_vocabulary.json") || has("target_vocabulary.txt") ||
                              has("vocabulary.json") || has("vocabulary.txt"));
}

absl::StatusOr<Checkpoint> ReadCTranslate2(const std::string& folder) {
  const ModelFiles files = FilesOfFolder(folder);
  absl::StatusOr<Checkpoint> checkpoint = ReadCTranslate2Files(files);
  if (!checkpoint.ok()) return checkpoint;
  const absl::Status status = ReadTokenizerFiles(files, *checkpoint);
  if (!status.ok()) return status;
  return checkpoint;
}

}  // namespace limpid::internal

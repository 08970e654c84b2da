// What a variable means is as in CTranslate2's python/ctranslate2/specs and src/layers.

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
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/model/weights.h"
#include "models/native/tokenizer_files.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

constexpr int kMaxPositions = 1024;

// --- Variables ---

// Parts of names that stand for what the engine does not have, and what that is.
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

// Moves variables from CTranslate2's names to Limpid's; the first thing wrong stays in `status`.
class Mover {
 public:
  explicit Mover(CTranslate2Variables from) : from_(std::move(from)) {}

  absl::Status status;
  TensorMap to;

  const CTranslate2Variables& left() const { return from_; }
  std::vector<std::shared_ptr<const void>> TakeStorage() { return std::move(from_.storage); }

  bool Has(std::string_view name) const { return from_.tensors.find(name) != from_.tensors.end(); }

  // A view without data if there is none, which is an error.
  TensorView Take(const std::string& name) {
    if (!status.ok()) return {};
    const auto found = from_.tensors.find(name);
    if (found == from_.tensors.end()) {
      Fail(absl::StrCat("variable ", Quoted(name), " is missing"));
      return {};
    }
    TensorView tensor = std::move(found->second);
    from_.tensors.erase(found);
    return tensor;
  }

  std::optional<CTranslate2Scalar> TakeScalar(std::string_view name) {
    return from_.TakeScalar(name);
  }

  // A number that each side has; in older files one, without a side, stands for both.
  double SideNumber(const std::string& side, const std::string& name, double otherwise) {
    if (const auto scalar = TakeScalar(absl::StrCat(side, "/", name))) return scalar->value;
    const auto both = from_.scalars.find(name);
    return both == from_.scalars.end() ? otherwise : both->second.value;
  }

  // A linear layer of `ours.size()` layers on top of each other, whose biases may be missing.
  void Linear(const std::string& theirs, const std::vector<std::string>& ours) {
    const TensorView weight = Take(theirs + "/weight");
    if (!status.ok()) return;
    const auto count = static_cast<int64_t>(ours.size());
    if (weight.shape.size() != 2 || weight.rows() % count != 0) {
      Fail(absl::StrCat("variable ", Quoted(theirs + "/weight"), " has shape ",
                        ShapeName(weight.shape), "; expected a matrix of ", count,
                        " parts of equal size"));
      return;
    }
    const TensorView bias = Has(theirs + "/bias") ? Take(theirs + "/bias") : Zeros(weight.rows());
    if (bias.shape != std::vector<int64_t>{weight.rows()}) {
      Fail(absl::StrCat("variable ", Quoted(theirs + "/bias"), " has shape ", ShapeName(bias.shape),
                        "; expected ", ShapeName({weight.rows()})));
      return;
    }
    const int64_t rows = weight.rows() / count;
    for (int64_t i = 0; i < count; ++i) {
      to[ours[i] + ".weight"] = Rows(weight, i * rows, rows);
      to[ours[i] + ".bias"] = Rows(bias, i * rows, rows);
    }
  }

  void Norm(const std::string& theirs, const std::string& ours) {
    if (status.ok() && Has(theirs + "/gamma") && !Has(theirs + "/beta")) {
      Fail(absl::StrCat("variable ", Quoted(theirs + "/beta"),
                        " is missing: Limpid has no RMS norms"));
    }
    to[ours + ".scale"] = Take(theirs + "/gamma");
    to[ours + ".bias"] = Take(theirs + "/beta");
  }

  // Refuses what is left, unless it says that something is not so.
  void RefuseLeftovers() {
    // The first matters for source features only, the second for ALiBi positions only; the third
    // says of revision 4 what its variables say too.
    for (const char* name :
         {"embeddings_merge", "encoder/embeddings_merge", "decoder/alibi_use_positive_positions",
          "layernorm_embedding", "num_heads", "pre_norm", "activation", "alignment_layer",
          "alignment_heads"}) {
      from_.scalars.erase(name);
    }
    std::erase_if(from_.scalars, [](const auto& entry) { return entry.second.value == 0; });
    for (const auto& [name, tensor] : from_.tensors) Refuse(name);
    for (const auto& [name, scalar] : from_.scalars) Refuse(name);
    for (const auto& [name, text] : from_.texts) Refuse(name);
  }

  void Fail(const std::string& message) {
    if (status.ok()) status = absl::InvalidArgumentError(message);
  }

 private:
  void Refuse(const std::string& name) {
    const auto* known = std::find_if(
        std::begin(kUnsupported), std::end(kUnsupported),
        [&](const auto& entry) { return name.find(entry.first) != std::string::npos; });
    Fail(absl::StrCat("variable ", Quoted(name),
                      known == std::end(kUnsupported)
                          ? " is none that Limpid knows of a translation model"
                          : absl::StrCat(": Limpid has no ", known->second)));
  }

  // All missing biases share one vector, the longest that was needed so far.
  TensorView Zeros(int64_t size) {
    if (zeros_ == nullptr || zeros_->size() < static_cast<size_t>(size)) {
      zeros_ = std::make_shared<std::vector<float>>(static_cast<size_t>(size));
      from_.storage.push_back(zeros_);
    }
    return {.dtype = DType::kFloat32,
            .shape = {size},
            .data = reinterpret_cast<const std::byte*>(zeros_->data())};
  }

  CTranslate2Variables from_;
  std::shared_ptr<std::vector<float>> zeros_;
};

// --- Config ---

// A number that should be whole, as ValidateConfig takes it, which refuses what is too large.
int Whole(double number) {
  constexpr double kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp(number, -kMost, kMost));
}

// A size of a tensor as ValidateConfig takes it, which refuses what is too large.
int Size(int64_t dimension) {
  return static_cast<int>(std::min<int64_t>(dimension, std::numeric_limits<int>::max()));
}

// A value that the format has for each side and Limpid once.
template <typename T>
void SetForBoth(const char* what, T encoder, T decoder, Mover& move, T& field) {
  if (encoder != decoder) {
    move.Fail(absl::StrCat("encoder and decoder differ in ", what,
                           "; Limpid has models in which they are the same"));
  }
  field = encoder;
}

void ReadActivation(Mover& move, ModelConfig& config) {
  constexpr Activation kActivations[] = {Activation::kRelu, Activation::kGeluTanh,
                                         Activation::kSwish, Activation::kGelu,
                                         Activation::kGeluSigmoid};
  double code = 0;
  SetForBoth("their activation function", move.SideNumber("encoder", "activation", 0),
             move.SideNumber("decoder", "activation", 0), move, code);
  const auto* found = std::begin(kActivations);
  while (found != std::end(kActivations) && code != found - std::begin(kActivations)) ++found;
  if (found == std::end(kActivations)) {
    move.Fail(absl::StrCat("the activation function ", code, " (5 is tanh, 6 is sigmoid) is none ",
                           "that Limpid has: 0 to 4, which are ReLU, GELU (tanh approximation), ",
                           "Swish, GELU, and GELU (sigmoid approximation)"));
    return;
  }
  config.activation = *found;
}

// What each embedding is multiplied by: a number, or whether it is by √model_dim.
double EmbeddingScale(const std::string& side, int model_dim, Mover& move) {
  auto scale = move.TakeScalar(side + "/scale_embeddings");
  if (!scale.has_value()) scale = move.TakeScalar(side + "/embeddings/multiply_by_sqrt_depth");
  if (!scale.has_value() || (scale->is_flag && scale->value != 0)) {
    return std::sqrt(static_cast<float>(model_dim));
  }
  return scale->is_flag ? 1 : scale->value;
}

// The number of layers, counted by a weight that each has.
int Layers(const std::string& side, const Mover& move) {
  int layers = 0;
  while (move.Has(absl::StrCat(side, "/layer_", layers, "/ffn/linear_0/weight"))) ++layers;
  return layers;
}

int FfnDim(const std::string& side, const Mover& move) {
  const std::string name = side + "/layer_0/ffn/linear_0/weight";
  return move.Has(name) ? Size(move.left().tensors.find(name)->second.rows()) : 0;
}

int Heads(const std::string& side, Mover& move) {
  const int otherwise = move.left().specification == "TransformerBig" ? 16 : 8;
  return Whole(move.SideNumber(side, "num_heads", otherwise));
}

void ReadAlignment(Mover& move, ModelConfig& config) {
  const int layer = Whole(move.SideNumber("decoder", "alignment_layer", -1));
  const int heads = Whole(move.SideNumber("decoder", "alignment_heads", 1));
  if (layer == -1 && heads == 1) return;  // what converters write when there is none
  config.alignment_layer = layer < 0 ? layer + config.decoder_layers : layer;
  config.alignment_heads = heads;
}

void ReadNorms(Mover& move, ModelConfig& config) {
  bool pre_norm = true;
  SetForBoth("where their norms are", move.SideNumber("encoder", "pre_norm", 1) != 0,
             move.SideNumber("decoder", "pre_norm", 1) != 0, move, pre_norm);
  config.norm_order = pre_norm ? NormOrder::kPre : NormOrder::kPost;
  SetForBoth("having a norm after the last layer", move.Has("encoder/layer_norm/gamma"),
             move.Has("decoder/layer_norm/gamma"), move, config.final_norm);
  SetForBoth("having a norm after the embedding", move.Has("encoder/layernorm_embedding/gamma"),
             move.Has("decoder/layernorm_embedding/gamma"), move, config.embedding_norm);
}

// What scalars and the presence of variables say.
void ReadArchitecture(Mover& move, ModelConfig& config) {
  config.encoder_layers = Layers("encoder", move);
  config.decoder_layers = Layers("decoder", move);
  config.encoder_ffn_dim = FfnDim("encoder", move);
  config.decoder_ffn_dim = FfnDim("decoder", move);
  config.encoder_heads = Heads("encoder", move);
  config.decoder_heads = Heads("decoder", move);
  ReadActivation(move, config);
  ReadNorms(move, config);
  ReadAlignment(move, config);
}

// --- Tensors ---

void MoveEmbeddings(Mover& move, ModelConfig& config) {
  const std::string encoder_name = move.Has("encoder/embeddings_0/weight")
                                       ? "encoder/embeddings_0/weight"
                                       : "encoder/embeddings/weight";
  const TensorView encoder = move.Take(encoder_name);
  const TensorView decoder = move.Take("decoder/embeddings/weight");
  move.Linear("decoder/projection", {"output"});
  if (!move.status.ok()) return;
  if (encoder.shape.size() != 2 || decoder.shape.size() != 2) {
    move.Fail(absl::StrCat("the embeddings have shapes ", ShapeName(encoder.shape), " and ",
                           ShapeName(decoder.shape), "; expected matrices"));
    return;
  }
  config.model_dim = Size(encoder.columns());
  config.source_vocab_size = Size(encoder.rows());
  config.target_vocab_size = Size(decoder.rows());
  config.shared_embeddings = Same(encoder, decoder);
  config.tied_output = Same(move.to["output.weight"], decoder);
  if (config.tied_output) move.to.erase("output.weight");
  if (config.shared_embeddings) {
    move.to["embedding.weight"] = encoder;
  } else {
    move.to["encoder.embedding.weight"] = encoder;
    move.to["decoder.embedding.weight"] = decoder;
  }
  double scale = 1;
  SetForBoth("the scale of their embeddings", EmbeddingScale("encoder", config.model_dim, move),
             EmbeddingScale("decoder", config.model_dim, move), move, scale);
  config.embedding_scale = static_cast<float>(scale);
}

// Whether a table holds the sinusoids that `config` asks for.
bool IsSinusoidal(const TensorView& table, const ModelConfig& config) {
  constexpr double kTolerance = 1e-4;  // that of tables computed in float32
  const int half = config.model_dim / 2;
  const bool marian = config.positions == Positions::kSinusoidalMarian;
  if (config.model_dim % 2 != 0 || (marian && half < 2)) return false;
  std::vector<float> row(static_cast<size_t>(config.model_dim));
  for (int i = 0; i < config.max_positions; ++i) {
    ReadRow(table, i, row.data());
    for (int j = 0; j < half; ++j) {
      const double exponent = marian ? j / (half - 1.0) : 2.0 * j / config.model_dim;
      const double angle = (config.first_position + i) * std::pow(10000.0, -exponent);
      // Written so that NaN is no sinusoid.
      const bool close = std::abs(row[j] - std::sin(angle)) <= kTolerance &&
                         std::abs(row[half + j] - std::cos(angle)) <= kTolerance;
      if (!close) return false;
    }
  }
  return true;
}

// The kinds of sinusoids that are stored: MarianMT's, and fairseq's with its two rows of padding
// (M2M-100 and others) cut off or not.
void RecognizePositions(const TensorView& encoder, const TensorView& decoder, ModelConfig& config) {
  for (const auto& [kind, first] :
       {std::pair{Positions::kSinusoidal, 0}, std::pair{Positions::kSinusoidalMarian, 0},
        std::pair{Positions::kSinusoidalMarian, 1}, std::pair{Positions::kSinusoidalMarian, 2}}) {
    config.positions = kind;
    config.first_position = first;
    if (IsSinusoidal(encoder, config) && IsSinusoidal(decoder, config)) return;
  }
  config.positions = Positions::kLearned;
  config.first_position = 0;
}

void MovePositions(Mover& move, ModelConfig& config) {
  const std::string encoder_name = "encoder/position_encodings/encodings";
  const std::string decoder_name = "decoder/position_encodings/encodings";
  bool stored = false;
  SetForBoth("having stored positions", move.Has(encoder_name), move.Has(decoder_name), move,
             stored);
  config.max_positions = kMaxPositions;
  if (!stored) {
    config.positions = Positions::kSinusoidalMarian;
    config.first_position = 1;
  } else {
    const TensorView encoder = move.Take(encoder_name);
    const TensorView decoder = move.Take(decoder_name);
    for (const TensorView& table : {encoder, decoder}) {
      if (!move.status.ok()) return;
      if (table.shape.size() != 2 || table.columns() != config.model_dim) {
        move.Fail(absl::StrCat("the positions have shape ", ShapeName(table.shape), "; expected ",
                               config.model_dim, " columns"));
        return;
      }
      config.max_positions = std::min(config.max_positions, Size(table.rows()));
    }
    RecognizePositions(encoder, decoder, config);
    if (config.positions == Positions::kLearned) {
      move.to["encoder.positions.weight"] = Rows(encoder, 0, config.max_positions);
      move.to["decoder.positions.weight"] = Rows(decoder, 0, config.max_positions);
    }
  }
  config.max_source_tokens = config.max_positions;
}

void MoveLayers(const std::string& side, int layers, Mover& move) {
  for (int i = 0; i < layers && move.status.ok(); ++i) {
    const std::string theirs = absl::StrCat(side, "/layer_", i);
    const std::string ours = absl::StrCat(side, ".layers.", i);
    const std::string self = ours + ".self_attention";
    move.Linear(theirs + "/self_attention/linear_0",
                {self + ".query", self + ".key", self + ".value"});
    move.Linear(theirs + "/self_attention/linear_1", {self + ".output"});
    move.Norm(theirs + "/self_attention/layer_norm", self + "_norm");
    if (side == "decoder") {
      const std::string cross = ours + ".cross_attention";
      move.Linear(theirs + "/attention/linear_0", {cross + ".query"});
      move.Linear(theirs + "/attention/linear_1", {cross + ".key", cross + ".value"});
      move.Linear(theirs + "/attention/linear_2", {cross + ".output"});
      move.Norm(theirs + "/attention/layer_norm", cross + "_norm");
    }
    move.Linear(theirs + "/ffn/linear_0", {ours + ".feed_forward.hidden"});
    move.Linear(theirs + "/ffn/linear_1", {ours + ".feed_forward.output"});
    move.Norm(theirs + "/ffn/layer_norm", ours + ".feed_forward_norm");
  }
}

void MoveTensors(Mover& move, ModelConfig& config) {
  MoveEmbeddings(move, config);
  MovePositions(move, config);
  for (const std::string side : {"encoder", "decoder"}) {
    const bool encoder = side == "encoder";
    if (config.embedding_norm) move.Norm(side + "/layernorm_embedding", side + ".embedding_norm");
    if (config.final_norm) move.Norm(side + "/layer_norm", side + ".final_norm");
    MoveLayers(side, encoder ? config.encoder_layers : config.decoder_layers, move);
  }
}

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

// config.json; an empty object where there is none, which versions before 6 need not have.
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

// All that model.bin says, and the one number of config.json that belongs to it.
absl::Status ReadWeights(CTranslate2Variables variables, const json& object,
                         Checkpoint& checkpoint) {
  Mover move(std::move(variables));
  ReadArchitecture(move, checkpoint.config);
  MoveTensors(move, checkpoint.config);
  move.RefuseLeftovers();
  if (!move.status.ok()) return move.status;
  checkpoint.tensors = std::move(move.to);
  checkpoint.storage = move.TakeStorage();
  return ReadEpsilon(object, checkpoint.config);
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

// The state of a model built on PyTorch's nn.Transformer, as tutorials train them: FILE.pt, .pth or
// .safetensors, and FILE.json with what the tensors do not state.
// models/from_pytorch/README.md describes it.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/formats/formats.h"
#include "models/formats/nn_transformer_description.h"
#include "models/formats/tensor_names.h"
#include "models/formats/torch_file.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/model/checkpoint.h"
#include "models/model/weights.h"
#include "models/native/safetensors.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

// Tutorials' names of the tensors that are not part of nn.Transformer, by role.
struct CommonNames {
  const char* role;
  std::vector<std::string> names;
};
const std::vector<CommonNames>& AllCommonNames() {
  static const auto* const names = new std::vector<CommonNames>{
      {"transformer",
       {"transformer.encoder.layers.0.linear1.weight", "encoder.layers.0.linear1.weight"}},
      {"source_embedding",
       {"src_tok_emb.embedding.weight", "src_tok_emb.weight", "src_embedding.weight",
        "src_embed.weight", "encoder_embedding.weight", "tok_emb.weight", "embedding.weight"}},
      {"target_embedding",
       {"tgt_tok_emb.embedding.weight", "tgt_tok_emb.weight", "tgt_embedding.weight",
        "tgt_embed.weight", "trg_embedding.weight", "decoder_embedding.weight", "tok_emb.weight",
        "embedding.weight"}},
      {"output", {"generator.weight", "fc_out.weight", "fc.weight", "out.weight"}},
      {"positions",
       {"positional_encoding.pos_embedding", "positional_encoding.pe", "pos_encoder.pe",
        "positional_encoding.weight", "pos_embedding.weight"}},
      {"source_positions", {"src_pos_emb.weight", "src_position_embedding.weight"}},
      {"target_positions", {"tgt_pos_emb.weight", "trg_position_embedding.weight"}},
  };
  return *names;
}

// The names of tensors by role.
class Roles {
 public:
  Roles(const NnTransformerDescription& description, const TensorMap& tensors)
      : description_(description), tensors_(tensors) {}

  // The name of the tensor in a role, as the JSON file or the tutorials have it; empty if none.
  std::string Find(const std::string& role) const {
    const auto given = description_.tensors.find(role);
    if (given != description_.tensors.end()) return given->second;
    for (const CommonNames& common : AllCommonNames()) {
      if (role != common.role) continue;
      for (const std::string& name : common.names) {
        if (tensors_.find(name) != tensors_.end()) return name;
      }
    }
    return "";
  }

  absl::StatusOr<std::string> Require(const std::string& role) const {
    const std::string name = Find(role);
    if (tensors_.find(name) != tensors_.end()) return name;
    std::vector<std::string> names;
    for (const auto& [tensor, view] : tensors_) {
      if (tensor.find(".layers.") == std::string::npos) names.push_back(Quoted(tensor));
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "found no tensor ", name.empty() ? "" : Quoted(name) + " ", "for the ", Quoted(role),
        "; name it in the JSON file under \"tensors\". Beside layers there are ",
        absl::StrJoin(names, ", ")));
  }

  // The prefix of "encoder.layers.0" in the names of nn.Transformer's tensors.
  absl::StatusOr<std::string> Transformer() const {
    const auto given = description_.tensors.find("transformer");
    if (given != description_.tensors.end()) {
      return given->second.empty() ? "" : given->second + ".";
    }
    auto name = Require("transformer");
    if (!name.ok()) return name;
    return name->substr(0, name->find("encoder.layers.0."));
  }

 private:
  const NnTransformerDescription& description_;
  const TensorMap& tensors_;
};

bool IsSafetensorsName(const std::string& path) {
  return fs::path(path).extension() == ".safetensors";
}

// Counts PREFIX0.norm1.weight, PREFIX1. …
int CountLayers(const TensorMap& tensors, const std::string& prefix) {
  int layers = 0;
  while (tensors.count(absl::StrCat(prefix, layers, ".norm1.weight")) != 0) ++layers;
  return layers;
}

int FeedForwardDim(const TensorMap& tensors, const std::string& prefix) {
  const auto hidden = tensors.find(prefix + "0.linear1.weight");
  const int64_t rows = hidden == tensors.end() ? 0 : hidden->second.rows();
  return static_cast<int>(std::min<int64_t>(rows, INT32_MAX));
}

// A table of positions as tutorials keep it, [max, 1, model_dim] or [1, max, model_dim] or
// [max, model_dim], as [max, model_dim].
absl::Status ShapeTable(const std::string& name, const ModelConfig& config, TensorView& table) {
  std::vector<int64_t> shape = table.shape;
  if (shape.size() == 3 && shape[1] == 1) {
    shape.erase(shape.begin() + 1);
  } else if (shape.size() == 3 && shape[0] == 1) {
    shape.erase(shape.begin());
  }
  if (shape.size() != 2 || shape[0] < config.max_positions || shape[1] != config.model_dim) {
    return absl::InvalidArgumentError(absl::StrCat(
        "tensor ", Quoted(name), " has shape ", ShapeName(table.shape), "; expected a row of ",
        config.model_dim, " for each of ", config.max_positions, " positions"));
  }
  if (Reshape(std::move(shape), table)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("tensor ", Quoted(name), " of shape ", ShapeName(table.shape),
                   " is int8 and has ", table.rows(), " scales; expected one for each position"));
}

// sin and cos in turn, as tutorials have it: (2i, 2i + 1) at angle p * 10000^(-2i/model_dim).
TensorView InterleavedSinusoids(int rows, int model_dim, Checkpoint& checkpoint) {
  auto values = std::make_shared<std::vector<float>>(static_cast<size_t>(rows) * model_dim);
  for (size_t k = 0; k < values->size(); ++k) {
    const size_t column = k % static_cast<size_t>(model_dim);
    const size_t position = k / static_cast<size_t>(model_dim);
    const size_t even_column = column - column % 2;
    const double frequency = std::pow(10000.0, -static_cast<double>(even_column) / model_dim);
    const double angle = static_cast<double>(position) * frequency;
    (*values)[k] = static_cast<float>(column % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
  checkpoint.storage.push_back(values);
  return {.dtype = DType::kFloat32,
          .shape = {rows, model_dim},
          .data = reinterpret_cast<const std::byte*>(values->data())};
}

// The names under which ReadPositions leaves the tables for kTensors.
constexpr char kEncoderPositions[] = "positions of the encoder";
constexpr char kDecoderPositions[] = "positions of the decoder";

// Settles config.positions, and replaces the tables of positions in the state by those that the
// model needs.
absl::Status ReadPositions(const NnTransformerDescription& description,
                           const std::vector<std::string>& names, TensorMap& tensors,
                           Checkpoint& checkpoint) {
  ModelConfig& config = checkpoint.config;
  std::vector<TensorView> tables;
  for (const std::string& name : names) {
    TensorView table = tensors.at(name);
    absl::Status status = ShapeTable(name, config, table);
    if (!status.ok()) return status;
    tables.push_back(std::move(table));
  }
  for (const std::string& name : names) tensors.erase(name);
  if (description.positions == "halves") {
    config.positions = Positions::kSinusoidal;
    return absl::OkStatus();
  }
  config.positions = Positions::kLearned;
  if (tables.empty()) {
    if (description.positions == "learned") {
      return absl::InvalidArgumentError(
          "found no table of learned positions; name it in the JSON file under \"tensors\", as "
          "\"positions\", or \"source_positions\" and \"target_positions\"");
    }
    constexpr int64_t kMaxNumbers = int64_t{1} << 24;
    if (int64_t{config.max_positions} * config.model_dim > kMaxNumbers) {
      return absl::InvalidArgumentError("\"max_positions\": too large for a table of positions");
    }
    tables = {InterleavedSinusoids(config.max_positions, config.model_dim, checkpoint)};
  }
  tensors[kEncoderPositions] = Rows(tables.front(), 0, config.max_positions);
  tensors[kDecoderPositions] = Rows(tables.back(), 0, config.max_positions);
  return absl::OkStatus();
}

// PREFIX, SOURCE_EMBEDDING, TARGET_EMBEDDING and OUTPUT_… are as Roles finds them.
// clang-format off
constexpr TensorName kTensors[] = {
    {"OUTPUT_WEIGHT",                         "output.weight"},
    {"OUTPUT_BIAS",                           "output.bias", How::kOrZeros},
    {"TARGET_EMBEDDING",                      "embedding.weight"},
    {"SOURCE_EMBEDDING",                      "embedding.weight"},
    {"OUTPUT_WEIGHT",                         "embedding.weight"},
    {"SOURCE_EMBEDDING",                      "encoder.embedding.weight"},
    {"TARGET_EMBEDDING",                      "decoder.embedding.weight"},
    {"OUTPUT_WEIGHT",                         "decoder.embedding.weight"},
    {"positions of the SIDE",                 "SIDE.positions.weight"},
    {"PREFIXSIDE.norm.*",                     "SIDE.final_norm.*", How::kOrZeros},
    {"PREFIXSIDE.layers.N.self_attn.in_proj_*",           "SIDE.layers.N.self_attention.{query,key,value}.*", How::kOrZeros},
    {"PREFIXSIDE.layers.N.self_attn.out_proj.*",          "SIDE.layers.N.self_attention.output.*", How::kOrZeros},
    {"PREFIXSIDE.layers.N.norm1.*",                       "SIDE.layers.N.self_attention_norm.*", How::kOrZeros},
    {"PREFIXdecoder.layers.N.multihead_attn.in_proj_*",   "decoder.layers.N.cross_attention.{query,key,value}.*", How::kOrZeros},
    {"PREFIXdecoder.layers.N.multihead_attn.out_proj.*",  "decoder.layers.N.cross_attention.output.*", How::kOrZeros},
    {"PREFIXdecoder.layers.N.norm2.*",                    "decoder.layers.N.cross_attention_norm.*", How::kOrZeros},
    {"PREFIXSIDE.layers.N.linear1.*",                     "SIDE.layers.N.feed_forward.hidden.*", How::kOrZeros},
    {"PREFIXSIDE.layers.N.linear2.*",                     "SIDE.layers.N.feed_forward.output.*", How::kOrZeros},
    {"PREFIXencoder.layers.N.norm2.*",                    "encoder.layers.N.feed_forward_norm.*", How::kOrZeros},
    {"PREFIXdecoder.layers.N.norm3.*",                    "decoder.layers.N.feed_forward_norm.*", How::kOrZeros},
};
// clang-format on

// Names of the tensors around the layers.
struct OuterNames {
  std::string source_embedding;
  std::string target_embedding;
  std::string output;  // its weight
};

// A tensor that has the same values as another one of the model is the same one: state_dict lists
// tied weights under each of their names.
void FindTies(const OuterNames& names, const TensorMap& tensors, ModelConfig& config) {
  const TensorView& target = tensors.at(names.target_embedding);
  config.shared_embeddings = config.source_vocab_size == config.target_vocab_size &&
                             Same(tensors.at(names.source_embedding), target);
  config.tied_output = Same(tensors.at(names.output), target);
}

TensorNames Names(const std::string& prefix, const OuterNames& names) {
  const std::string bias = names.output.substr(0, names.output.rfind('.')) + ".bias";
  return {.table = kTensors,
          .model = "an nn.Transformer with embeddings, positions and an output",
          .words = {{"PREFIX", prefix},
                    {"SOURCE_EMBEDDING", names.source_embedding},
                    {"TARGET_EMBEDDING", names.target_embedding},
                    {"OUTPUT_WEIGHT", names.output},
                    {"OUTPUT_BIAS", bias}}};
}

absl::Status SetConfig(const NnTransformerDescription& description, ModelConfig& config) {
  const std::string& positions = description.positions;
  if (positions != "interleaved" && positions != "halves" && positions != "learned") {
    return absl::InvalidArgumentError(
        absl::StrCat("\"positions\": expected \"interleaved\", \"halves\" or \"learned\", found ",
                     Quoted(positions)));
  }
  if (description.activation != "relu" && description.activation != "gelu") {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"activation\": expected \"relu\" or \"gelu\", found ", Quoted(description.activation)));
  }
  config.activation = description.activation == "relu" ? Activation::kRelu : Activation::kGelu;
  config.encoder_heads = config.decoder_heads = description.heads;
  config.norm_order = description.norm_first ? NormOrder::kPre : NormOrder::kPost;
  config.layer_norm_epsilon = static_cast<float>(description.layer_norm_epsilon);
  if (description.scale_embedding) {
    config.embedding_scale = std::sqrt(static_cast<float>(config.model_dim));
  }
  config.source_language = description.source_language;
  config.target_language = description.target_language;
  return absl::OkStatus();
}

// The names of the tables of positions: none, one for both sides, or one for each.
std::vector<std::string> PositionTables(const Roles& roles, const TensorMap& tensors) {
  std::vector<std::string> names;
  for (const char* role : {"positions", "source_positions", "target_positions"}) {
    const std::string name = roles.Find(role);
    if (tensors.count(name) != 0) names.push_back(name);
  }
  return names;
}

// How many positions there are: as the JSON file says, else as many as each table has.
int MaxPositions(const NnTransformerDescription& description, const TensorMap& tensors,
                 const std::vector<std::string>& tables) {
  constexpr int64_t kUnlessStated = 1024;
  constexpr int64_t kMost = 1 << 16;
  if (description.max_positions != 0) return description.max_positions;
  if (tables.empty()) return kUnlessStated;
  int64_t least = kMost;
  for (const std::string& name : tables) {
    // [max, model_dim], with a batch dimension of 1 before or after max.
    const std::vector<int64_t>& shape = tensors.at(name).shape;
    const bool batch_first = shape.size() == 3 && shape[0] == 1;
    const size_t dimension = batch_first ? 1 : 0;
    least = std::min(least, dimension < shape.size() ? shape[dimension] : 0);
  }
  return static_cast<int>(least);
}

absl::StatusOr<TensorMap> ReadState(const std::string& path, Checkpoint& checkpoint) {
  if (!IsSafetensorsName(path)) {
    auto file = ReadTorchFile(path);
    if (!file.ok()) return file.status();
    checkpoint.storage = std::move(file->storage);
    return std::move(file->tensors);
  }
  auto file = ReadSafetensors(path);
  if (!file.ok()) return file.status();
  checkpoint.storage = std::move(file->storage);
  return std::move(file->tensors);
}

absl::Status FillIn(const NnTransformerDescription& description, TensorMap tensors,
                    Checkpoint& checkpoint) {
  ModelConfig& config = checkpoint.config;
  const Roles roles(description, tensors);
  const absl::StatusOr<std::string> prefix = roles.Transformer();
  const auto source = roles.Require("source_embedding");
  const auto target = roles.Require("target_embedding");
  const auto output = roles.Require("output");
  for (const auto* name : {&prefix, &source, &target, &output}) {
    if (!name->ok()) return name->status();
  }
  const OuterNames names = {*source, *target, *output};
  FindTies(names, tensors, config);
  const int64_t model_dim = tensors.at(*source).columns();
  config.model_dim = static_cast<int>(std::min<int64_t>(model_dim, INT32_MAX));
  config.encoder_layers = CountLayers(tensors, *prefix + "encoder.layers.");
  config.decoder_layers = CountLayers(tensors, *prefix + "decoder.layers.");
  config.encoder_ffn_dim = FeedForwardDim(tensors, *prefix + "encoder.layers.");
  config.decoder_ffn_dim = FeedForwardDim(tensors, *prefix + "decoder.layers.");
  config.final_norm = tensors.count(*prefix + "encoder.norm.weight") != 0;
  const std::vector<std::string> tables = PositionTables(roles, tensors);
  config.max_positions = MaxPositions(description, tensors, tables);
  config.max_source_tokens = config.max_positions;
  absl::Status status = SetConfig(description, config);
  if (status.ok()) status = ValidateConfig(config);
  if (!status.ok()) return status;

  status = ReadPositions(description, tables, tensors, checkpoint);
  if (!status.ok()) return status;
  auto renamed =
      RenameTensors(Names(*prefix, names), config, std::move(tensors), checkpoint.storage);
  if (!renamed.ok()) return renamed.status();
  checkpoint.tensors = *std::move(renamed);
  return BindWeights(config, checkpoint.tensors).status();
}

}  // namespace

bool IsNnTransformer(const std::string& path) {
  if (fs::is_directory(path)) return false;
  if (IsSafetensorsName(path)) return Exists(DescriptionPath(path));
  const std::string extension = fs::path(path).extension().string();
  return extension == ".pt" || extension == ".pth";
}

absl::StatusOr<Checkpoint> ReadNnTransformer(const std::string& path) {
  const std::string description_path = DescriptionPath(path);
  const auto description = ReadDescription(description_path);
  if (!description.ok()) return description.status();
  Checkpoint checkpoint;
  checkpoint.format = "PyTorch nn.Transformer";
  absl::Status status = ReadVocabularies(*description, description_path, checkpoint);
  if (!status.ok()) return status;
  auto tensors = ReadState(path, checkpoint);
  if (!tensors.ok()) return tensors.status();
  status = FillIn(*description, *std::move(tensors), checkpoint);
  if (!status.ok()) return InContext(path, status);
  return checkpoint;
}

}  // namespace limpid::internal

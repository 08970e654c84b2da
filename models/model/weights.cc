#include "models/model/weights.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

// Takes tensors by name and checks them. The first error stays in `status`; after it, all views are
// empty.
class Binder {
 public:
  explicit Binder(const TensorMap& tensors) : left_(tensors) {}
  // For TensorShapes: only lists names and shapes.
  explicit Binder(std::map<std::string, std::vector<int64_t>>* shapes) : shapes_(shapes) {}

  TensorView Matrix(const std::string& name, int64_t rows, int64_t columns) {
    return Take(name, {rows, columns});
  }

  TensorView Vector(const std::string& name, int64_t size) {
    TensorView tensor = Take(name, {size});
    if (status.ok() && tensor.dtype != DType::kFloat32) {
      Fail(name, absl::StrCat("has dtype ", std::string(DTypeName(tensor.dtype)),
                              "; expected float32, as for all vectors"));
    }
    return tensor;
  }

  LinearWeights Linear(const std::string& name, int64_t out, int64_t in) {
    return {Matrix(name + ".weight", out, in), Vector(name + ".bias", out)};
  }

  LayerNormWeights Norm(const std::string& name, int64_t size) {
    return {Vector(name + ".scale", size), Vector(name + ".bias", size)};
  }

  AttentionWeights Attention(const std::string& name, int64_t model_dim) {
    return {Linear(name + ".query", model_dim, model_dim),
            Linear(name + ".key", model_dim, model_dim),
            Linear(name + ".value", model_dim, model_dim),
            Linear(name + ".output", model_dim, model_dim)};
  }

  SsruWeights Ssru(const std::string& name, DecoderSelfAttention kind, int64_t model_dim) {
    SsruWeights ssru;
    ssru.input = Linear(name + ".input", model_dim, model_dim);
    ssru.forget = Linear(name + ".forget", model_dim, model_dim);
    if (kind == DecoderSelfAttention::kSsruWithOutput) {
      ssru.output = Linear(name + ".output", model_dim, model_dim);
    }
    return ssru;
  }

  FeedForwardWeights FeedForward(const std::string& name, int64_t model_dim, int64_t ffn_dim) {
    return {Linear(name + ".hidden", ffn_dim, model_dim),
            Linear(name + ".output", model_dim, ffn_dim)};
  }

  void RefuseLeftovers() {
    if (!status.ok() || left_.empty()) return;
    const std::string& name = left_.begin()->first;
    Fail(name,
         absl::StrCat("is not part of a model with this config",
                      left_.size() == 1 ? "" : absl::StrCat(", like ", left_.size() - 1, " more")));
  }

  absl::Status status;

 private:
  void Fail(const std::string& name, const std::string& message) {
    status = absl::InvalidArgumentError(absl::StrCat("tensor ", Quoted(name), " ", message));
  }

  TensorView Take(const std::string& name, const std::vector<int64_t>& shape) {
    if (shapes_ != nullptr) shapes_->emplace(name, shape);
    if (!status.ok() || shapes_ != nullptr) return {};
    const auto found = left_.find(name);
    if (found == left_.end()) {
      Fail(name, absl::StrCat("of shape ", ShapeName(shape), " is missing"));
      return {};
    }
    TensorView tensor = std::move(found->second);
    left_.erase(found);
    if (tensor.shape != shape) {
      Fail(name, absl::StrCat("has shape ", ShapeName(tensor.shape), "; the config asks for ",
                              ShapeName(shape)));
    }
    return tensor;
  }

  TensorMap left_;  // not taken yet
  std::map<std::string, std::vector<int64_t>>* shapes_ = nullptr;
};

// All of a stack except its embedding, which the two stacks may share.
StackWeights BindStack(Binder& binder, const ModelConfig& config, const std::string& name) {
  StackWeights stack;
  if (config.positions == Positions::kLearned) {
    stack.positions =
        binder.Matrix(name + ".positions.weight", config.max_positions, config.model_dim);
  }
  if (config.embedding_norm) {
    stack.embedding_norm = binder.Norm(name + ".embedding_norm", config.model_dim);
  }
  if (config.final_norm) stack.final_norm = binder.Norm(name + ".final_norm", config.model_dim);
  return stack;
}

EncoderLayerWeights BindEncoderLayer(Binder& binder, const ModelConfig& config,
                                     const std::string& name) {
  EncoderLayerWeights layer;
  layer.self_attention = binder.Attention(name + ".self_attention", config.model_dim);
  layer.self_attention_norm = binder.Norm(name + ".self_attention_norm", config.model_dim);
  layer.feed_forward =
      binder.FeedForward(name + ".feed_forward", config.model_dim, config.encoder_ffn_dim);
  layer.feed_forward_norm = binder.Norm(name + ".feed_forward_norm", config.model_dim);
  return layer;
}

DecoderLayerWeights BindDecoderLayer(Binder& binder, const ModelConfig& config,
                                     const std::string& name) {
  DecoderLayerWeights layer;
  if (config.decoder_self_attention == DecoderSelfAttention::kAttention) {
    layer.self_attention = binder.Attention(name + ".self_attention", config.model_dim);
  } else {
    layer.ssru = binder.Ssru(name + ".ssru", config.decoder_self_attention, config.model_dim);
  }
  layer.self_attention_norm = binder.Norm(name + ".self_attention_norm", config.model_dim);
  layer.cross_attention = binder.Attention(name + ".cross_attention", config.model_dim);
  layer.cross_attention_norm = binder.Norm(name + ".cross_attention_norm", config.model_dim);
  layer.feed_forward =
      binder.FeedForward(name + ".feed_forward", config.model_dim, config.decoder_ffn_dim);
  layer.feed_forward_norm = binder.Norm(name + ".feed_forward_norm", config.model_dim);
  return layer;
}

void BindEmbeddings(Binder& binder, const ModelConfig& config, ModelWeights& weights) {
  const int64_t model_dim = config.model_dim;
  if (config.shared_embeddings) {
    weights.encoder_stack.embedding =
        binder.Matrix("embedding.weight", config.source_vocab_size, model_dim);
    weights.decoder_stack.embedding = weights.encoder_stack.embedding;
  } else {
    weights.encoder_stack.embedding =
        binder.Matrix("encoder.embedding.weight", config.source_vocab_size, model_dim);
    weights.decoder_stack.embedding =
        binder.Matrix("decoder.embedding.weight", config.target_vocab_size, model_dim);
  }
  weights.output.weight = config.tied_output
                              ? weights.decoder_stack.embedding
                              : binder.Matrix("output.weight", config.target_vocab_size, model_dim);
  weights.output.bias = binder.Vector("output.bias", config.target_vocab_size);
}

ModelWeights BindAll(Binder& binder, const ModelConfig& config) {
  ModelWeights weights;
  weights.encoder_stack = BindStack(binder, config, "encoder");
  weights.decoder_stack = BindStack(binder, config, "decoder");
  BindEmbeddings(binder, config, weights);
  for (int i = 0; i < config.encoder_layers && binder.status.ok(); ++i) {
    weights.encoder_layers.push_back(
        BindEncoderLayer(binder, config, absl::StrCat("encoder.layers.", i)));
  }
  for (int i = 0; i < config.decoder_layers && binder.status.ok(); ++i) {
    weights.decoder_layers.push_back(
        BindDecoderLayer(binder, config, absl::StrCat("decoder.layers.", i)));
  }
  return weights;
}

}  // namespace

absl::StatusOr<ModelWeights> BindWeights(const ModelConfig& config, const TensorMap& tensors) {
  Binder binder(tensors);
  ModelWeights weights = BindAll(binder, config);
  binder.RefuseLeftovers();
  if (!binder.status.ok()) return binder.status;
  return weights;
}

std::map<std::string, std::vector<int64_t>> TensorShapes(const ModelConfig& config) {
  std::map<std::string, std::vector<int64_t>> shapes;
  Binder binder(&shapes);
  BindAll(binder, config);
  return shapes;
}

}  // namespace limpid::internal

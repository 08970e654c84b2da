#include "tests/reference/random_model.h"

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace limpid::internal::reference {
namespace {

class Builder {
 public:
  explicit Builder(unsigned seed) : random_(seed) {}

  // Normally distributed around `mean`.
  void Add(const std::string& name, std::vector<int64_t> shape, float deviation, float mean = 0) {
    TensorView view{.dtype = DType::kFloat32, .shape = std::move(shape)};
    auto values = std::make_shared<std::vector<float>>(view.elements());
    std::normal_distribution<float> normal(mean, deviation);
    for (float& value : *values) value = normal(random_);
    view.data = reinterpret_cast<const std::byte*>(values->data());
    checkpoint.tensors[name] = view;
    checkpoint.storage.push_back(values);
  }
  void AddLinear(const std::string& name, int out, int in) {
    Add(name + ".weight", {out, in}, 1.5F / std::sqrt(static_cast<float>(in)));
    Add(name + ".bias", {out}, 0.3F);
  }
  void AddNorm(const std::string& name, int size) {
    Add(name + ".scale", {size}, 0.2F, 1);
    Add(name + ".bias", {size}, 0.2F);
  }
  void AddAttention(const std::string& name, int model_dim) {
    for (const char* part : {".query", ".key", ".value", ".output"}) {
      AddLinear(name + part, model_dim, model_dim);
    }
    AddNorm(name + "_norm", model_dim);
  }
  void AddSsru(const std::string& layer, DecoderSelfAttention kind, int model_dim) {
    AddLinear(layer + ".ssru.input", model_dim, model_dim);
    AddLinear(layer + ".ssru.forget", model_dim, model_dim);
    if (kind == DecoderSelfAttention::kSsruWithOutput) {
      AddLinear(layer + ".ssru.output", model_dim, model_dim);
    }
    AddNorm(layer + ".self_attention_norm", model_dim);
  }
  void AddFeedForward(const std::string& layer, int model_dim, int ffn_dim) {
    AddLinear(layer + ".feed_forward.hidden", ffn_dim, model_dim);
    AddLinear(layer + ".feed_forward.output", model_dim, ffn_dim);
    AddNorm(layer + ".feed_forward_norm", model_dim);
  }
  void AddStack(const std::string& side, const ModelConfig& config) {
    if (config.positions == Positions::kLearned) {
      Add(side + ".positions.weight", {config.max_positions, config.model_dim}, 0.5F);
    }
    if (config.embedding_norm) AddNorm(side + ".embedding_norm", config.model_dim);
    if (config.final_norm) AddNorm(side + ".final_norm", config.model_dim);
  }

  Checkpoint checkpoint;

 private:
  std::mt19937 random_;
};

std::vector<std::string> Vocabulary(int size) {
  std::vector<std::string> pieces = {"</s>", "<unk>"};
  while (static_cast<int>(pieces.size()) < size) {
    pieces.push_back(std::string("w").append(std::to_string(pieces.size())));
  }
  return pieces;
}

}  // namespace

ModelConfig SmallConfig() {
  ModelConfig config;
  config.model_dim = 16;
  config.encoder_layers = config.decoder_layers = 2;
  config.encoder_heads = config.decoder_heads = 4;
  config.encoder_ffn_dim = config.decoder_ffn_dim = 24;
  config.source_vocab_size = config.target_vocab_size = 32;
  config.embedding_scale = 4;
  config.max_positions = config.max_source_tokens = 64;
  return config;
}

Checkpoint RandomModel(const ModelConfig& config, unsigned seed) {
  Builder builder(seed);
  const int model_dim = config.model_dim;
  const float embedding_deviation = 1 / config.embedding_scale;
  if (config.shared_embeddings) {
    builder.Add("embedding.weight", {config.source_vocab_size, model_dim}, embedding_deviation);
  } else {
    builder.Add("encoder.embedding.weight", {config.source_vocab_size, model_dim},
                embedding_deviation);
    builder.Add("decoder.embedding.weight", {config.target_vocab_size, model_dim},
                embedding_deviation);
  }
  builder.AddStack("encoder", config);
  for (int i = 0; i < config.encoder_layers; ++i) {
    const std::string layer = "encoder.layers." + std::to_string(i);
    builder.AddAttention(layer + ".self_attention", model_dim);
    builder.AddFeedForward(layer, model_dim, config.encoder_ffn_dim);
  }
  builder.AddStack("decoder", config);
  for (int i = 0; i < config.decoder_layers; ++i) {
    const std::string layer = "decoder.layers." + std::to_string(i);
    if (config.decoder_self_attention == DecoderSelfAttention::kAttention) {
      builder.AddAttention(layer + ".self_attention", model_dim);
    } else {
      builder.AddSsru(layer, config.decoder_self_attention, model_dim);
    }
    builder.AddAttention(layer + ".cross_attention", model_dim);
    builder.AddFeedForward(layer, model_dim, config.decoder_ffn_dim);
  }
  if (!config.tied_output) {
    builder.Add("output.weight", {config.target_vocab_size, model_dim}, 0.4F);
  }
  builder.Add("output.bias", {config.target_vocab_size}, 0.3F);

  builder.checkpoint.config = config;
  builder.checkpoint.source_vocabulary = Vocabulary(config.source_vocab_size);
  builder.checkpoint.target_vocabulary = Vocabulary(config.target_vocab_size);
  return std::move(builder.checkpoint);
}

}  // namespace limpid::internal::reference

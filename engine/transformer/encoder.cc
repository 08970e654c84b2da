#include "engine/transformer/encoder.h"

namespace limpid::internal {

EncoderLayer::EncoderLayer(const ModelConfig& config, const EncoderLayerWeights& weights,
                           ComputeType type, int index)
    : norm_order_(config.norm_order),
      query_key_value_(Linear::Pack(
          {weights.self_attention.query, weights.self_attention.key, weights.self_attention.value},
          type)),
      attention_({AttentionKind::kEncoder, index},
                 {config.encoder_heads, config.model_dim / config.encoder_heads},
                 weights.self_attention.output, type),
      attention_norm_(weights.self_attention_norm, config.layer_norm_epsilon),
      feed_forward_(weights.feed_forward, config.activation, type),
      feed_forward_norm_(weights.feed_forward_norm, config.layer_norm_epsilon) {}

void EncoderLayer::Apply(const SourceBatch& source, Workspace& work) const {
  ApplyWithResidual(norm_order_, attention_norm_, work.x, work.normed,
                    [&](const Matrix& x, Matrix& y) { SelfAttention(source, x, y, work); });
  ApplyWithResidual(norm_order_, feed_forward_norm_, work.x, work.normed,
                    [&](const Matrix& x, Matrix& y) {
                      feed_forward_.ApplyAndAdd(x, y, work.hidden, work.products);
                    });
}

// Queries, keys and values all come from the same place, the source: y = y + attention(x). A token
// sees all of its sentence.
void EncoderLayer::SelfAttention(const SourceBatch& source, const Matrix& x, Matrix& y,
                                 Workspace& work) const {
  const ptrdiff_t model_dim = x.columns();
  query_key_value_.Apply(x, work.qkv, work.products);
  work.rows.resize(source.tokens());
  for (int token = 0; token < source.tokens(); ++token) work.rows[token] = work.qkv.row(token);

  const auto whole_sentence = [&](int token) {
    const int sentence = source.sentence(token);
    return KeysAndValues{.tokens = {&work.rows[source.begin(sentence)], source.length(sentence)},
                         .key_offset = model_dim,
                         .value_offset = 2 * model_dim};
  };
  attention_.ApplyAndAdd(work.qkv, whole_sentence, y, work);
}

Encoder::Encoder(const ModelConfig& config, const ModelWeights& weights, ComputeType type)
    : embedding_(config, weights.encoder_stack), has_final_norm_(config.final_norm) {
  for (const EncoderLayerWeights& layer : weights.encoder_layers) {
    layers_.emplace_back(config, layer, type, static_cast<int>(layers_.size()));
  }
  if (has_final_norm_) {
    final_norm_ = LayerNorm(weights.encoder_stack.final_norm, config.layer_norm_epsilon);
  }
}

void Encoder::Encode(const SourceBatch& source, Workspace& work) const {
  work.x.Resize(source.tokens(), embedding_.model_dim());
  for (int token = 0; token < source.tokens(); ++token) {
    const int position = token - source.begin(source.sentence(token));
    embedding_.Lookup(source.id(token), position, token, work.x);
  }
  embedding_.Finish(work.x);
  for (const EncoderLayer& layer : layers_) layer.Apply(source, work);
  if (has_final_norm_) final_norm_.Apply(work.x, work.x);
}

}  // namespace limpid::internal

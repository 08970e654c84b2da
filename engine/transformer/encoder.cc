#include "engine/transformer/encoder.h"

namespace limpid::internal {

EncoderLayer::EncoderLayer(const ModelConfig& config, const EncoderLayerWeights& weights,
                           const Packing& packing, int index)
    : norm_order_(config.norm_order),
      query_key_value_(Linear::Pack(
          {weights.self_attention.query, weights.self_attention.key, weights.self_attention.value},
          packing)),
      attention_({AttentionKind::kEncoder, index},
                 {config.encoder_heads, config.model_dim / config.encoder_heads},
                 weights.self_attention.output, packing),
      attention_norm_(weights.self_attention_norm, config.layer_norm_epsilon),
      feed_forward_(weights.feed_forward, config.activation, packing),
      feed_forward_norm_(weights.feed_forward_norm, config.layer_norm_epsilon) {}

void EncoderLayer::Apply(const SourceBatch& source, SentenceRange range, Execution& exec) const {
  ApplyWithResidual(norm_order_, attention_norm_, exec.work.x, exec.work.normed,
                    [&](const Matrix& x, Matrix& y) { SelfAttention(source, range, x, y, exec); });
  ApplyWithResidual(norm_order_, feed_forward_norm_, exec.work.x, exec.work.normed,
                    [&](const Matrix& x, Matrix& y) {
                      feed_forward_.ApplyAndAdd(x, y, exec.work.ffn, exec.gemm);
                    });
}

// y = y + attention(x). Queries, keys and values all come from the source. A token attends to its
// whole sentence.
void EncoderLayer::SelfAttention(const SourceBatch& source, SentenceRange range, const Matrix& x,
                                 Matrix& y, Execution& exec) const {
  const ptrdiff_t model_dim = x.columns();
  query_key_value_.Apply(x, exec.work.qkv, exec.gemm);
  exec.work.rows.resize(x.rows());
  for (int row = 0; row < x.rows(); ++row) exec.work.rows[row] = exec.work.qkv.row(row);

  const int first_token = source.begin(range.begin);
  const auto whole_sentence = [&](int row) {
    const int sentence = source.sentence(first_token + row);
    const int first_row = source.begin(sentence) - first_token;
    return KeysAndValues{.tokens = {&exec.work.rows[first_row], source.length(sentence)},
                         .key_offset = model_dim,
                         .value_offset = 2 * model_dim};
  };
  attention_.ApplyAndAdd(exec.work.qkv, whole_sentence, y, exec);
}

Encoder::Encoder(const ModelConfig& config, const ModelWeights& weights, const Packing& packing)
    : embedding_(config, weights.encoder_stack), has_final_norm_(config.final_norm) {
  for (const EncoderLayerWeights& layer : weights.encoder_layers) {
    layers_.emplace_back(config, layer, packing, static_cast<int>(layers_.size()));
  }
  if (has_final_norm_) {
    final_norm_ = LayerNorm(weights.encoder_stack.final_norm, config.layer_norm_epsilon);
  }
}

const Matrix& Encoder::Encode(const SourceBatch& source, SentenceRange range,
                              Execution& exec) const {
  Matrix& x = exec.work.x;
  const int first_token = source.begin(range.begin);
  x.Resize(source.begin(range.end) - first_token, embedding_.model_dim());
  for (int row = 0; row < x.rows(); ++row) {
    const int token = first_token + row;
    const int position = token - source.begin(source.sentence(token));
    embedding_.Lookup(source.id(token), position, row, x);
  }
  embedding_.Finish(x);
  for (const EncoderLayer& layer : layers_) layer.Apply(source, range, exec);
  if (has_final_norm_) final_norm_.Apply(x, x);
  return x;
}

}  // namespace limpid::internal

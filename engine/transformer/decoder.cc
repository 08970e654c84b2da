#include "engine/transformer/decoder.h"

#include <algorithm>
#include <cassert>

namespace limpid::internal {
namespace {

// Packs the key and value projections of all layers into one, in the order of
// CrossAttentionCache::keys_values.
Linear PackCrossKeysValues(const std::vector<DecoderLayerWeights>& layers, const Packing& packing) {
  std::vector<LinearWeights> parts;
  for (const DecoderLayerWeights& layer : layers) {
    parts.push_back(layer.cross_attention.key);
    parts.push_back(layer.cross_attention.value);
  }
  return Linear::Pack(parts, packing);
}

Heads HeadsOf(const ModelConfig& config) {
  return {config.decoder_heads, config.model_dim / config.decoder_heads};
}

}  // namespace

DecoderLayer::DecoderLayer(const ModelConfig& config, const DecoderLayerWeights& weights,
                           const Packing& packing, int index)
    : index_(index),
      norm_order_(config.norm_order),
      self_attention_kind_(config.decoder_self_attention),
      self_norm_(weights.self_attention_norm, config.layer_norm_epsilon),
      cross_query_(Linear::Pack({weights.cross_attention.query}, packing)),
      cross_attention_({AttentionKind::kCross, index}, HeadsOf(config),
                       weights.cross_attention.output, packing),
      cross_norm_(weights.cross_attention_norm, config.layer_norm_epsilon),
      feed_forward_(weights.feed_forward, config.activation, packing),
      feed_forward_norm_(weights.feed_forward_norm, config.layer_norm_epsilon) {
  if (self_attention_kind_ != DecoderSelfAttention::kAttention) {
    ssru_ = Ssru(weights.ssru, self_attention_kind_, packing);
    return;
  }
  const AttentionWeights& attention = weights.self_attention;
  query_key_value_ = Linear::Pack({attention.query, attention.key, attention.value}, packing);
  self_attention_ =
      Attention({AttentionKind::kDecoder, index}, HeadsOf(config), attention.output, packing);
}

void DecoderLayer::Apply(const DecoderStep& step, Execution& exec) const {
  ApplyWithResidual(norm_order_, self_norm_, exec.work.x, exec.work.normed,
                    [&](const Matrix& x, Matrix& y) { SelfAttentionOrSsru(step, x, y, exec); });
  ApplyWithResidual(norm_order_, cross_norm_, exec.work.x, exec.work.normed,
                    [&](const Matrix& x, Matrix& y) { CrossAttention(step, x, y, exec); });
  ApplyWithResidual(norm_order_, feed_forward_norm_, exec.work.x, exec.work.normed,
                    [&](const Matrix& x, Matrix& y) {
                      feed_forward_.ApplyAndAdd(x, y, exec.work.ffn, exec.gemm);
                    });
}

void DecoderLayer::SelfAttentionOrSsru(const DecoderStep& step, const Matrix& x, Matrix& y,
                                       Execution& exec) const {
  if (self_attention_kind_ == DecoderSelfAttention::kAttention) {
    SelfAttention(step, x, y, exec);
  } else {
    ApplySsru(step, x, y, exec);
  }
}

// Queries, keys and values all come from the target. A token attends to itself and the tokens
// before it, which is the paper's causal mask.
void DecoderLayer::SelfAttention(const DecoderStep& step, const Matrix& x, Matrix& y,
                                 Execution& exec) const {
  const int model_dim = x.columns();
  query_key_value_.Apply(x, exec.work.qkv, exec.gemm);
  for (int row = 0; row < x.rows(); ++row) {
    const DecoderInput& input = step.inputs[row];
    std::copy_n(exec.work.qkv.row(row) + model_dim, 2 * model_dim,
                step.self_cache.row(input.hypothesis, input.position, index_));
  }
  const ptrdiff_t keys = static_cast<ptrdiff_t>(index_) * 2 * model_dim;
  const auto so_far = [&](int row) {
    const DecoderInput& input = step.inputs[row];
    return KeysAndValues{.tokens = step.self_cache.tokens(input.hypothesis, input.position + 1),
                         .key_offset = keys,
                         .value_offset = keys + model_dim};
  };
  self_attention_.ApplyAndAdd(exec.work.qkv, so_far, y, exec);
}

// The cache holds each token's state in place of its keys, so hypotheses that share tokens share
// their states.
void DecoderLayer::ApplySsru(const DecoderStep& step, const Matrix& x, Matrix& y,
                             Execution& exec) const {
  const auto states = [&](int row) {
    const auto& [token, position, hypothesis, sentence] = step.inputs[row];
    const float* before =
        position == 0 ? nullptr : step.self_cache.row(hypothesis, position - 1, index_);
    return SsruStates{before, step.self_cache.row(hypothesis, position, index_)};
  };
  ssru_.ApplyAndAdd(x, states, y, exec);
}

// Queries come from the target; keys and values come from the encoder's output for the source.
void DecoderLayer::CrossAttention(const DecoderStep& step, const Matrix& x, Matrix& y,
                                  Execution& exec) const {
  const int model_dim = x.columns();
  cross_query_.Apply(x, exec.work.queries, exec.gemm);
  const ptrdiff_t keys = static_cast<ptrdiff_t>(index_) * 2 * model_dim;
  const auto source = [&](int row) {
    const int sentence = step.inputs[row].sentence;
    return KeysAndValues{.tokens = {&step.cross_cache.rows[step.source.begin(sentence)],
                                    step.source.length(sentence)},
                         .key_offset = keys,
                         .value_offset = keys + model_dim};
  };
  cross_attention_.ApplyAndAdd(exec.work.queries, source, y, exec);
}

Decoder::Decoder(const ModelConfig& config, const ModelWeights& weights, const Packing& packing)
    : embedding_(config, weights.decoder_stack),
      cross_keys_values_(PackCrossKeysValues(weights.decoder_layers, packing)),
      has_final_norm_(config.final_norm),
      output_(config, weights.output, packing) {
  for (const DecoderLayerWeights& layer : weights.decoder_layers) {
    layers_.emplace_back(config, layer, packing, static_cast<int>(layers_.size()));
  }
  if (has_final_norm_) {
    final_norm_ = LayerNorm(weights.decoder_stack.final_norm, config.layer_norm_epsilon);
  }
}

void Decoder::ReserveCrossKeysValues(int tokens, CrossAttentionCache& cache) const {
  cache.keys_values.Resize(tokens, cross_keys_values_.out());
  cache.rows.resize(tokens);
  for (int token = 0; token < tokens; ++token) cache.rows[token] = cache.keys_values.row(token);
}

void Decoder::ProjectCrossKeysValues(const Matrix& encoder_output, int first_token,
                                     CrossAttentionCache& cache, Gemm& gemm) const {
  cross_keys_values_.ApplyAt(encoder_output, first_token, cache.keys_values, gemm);
}

const Matrix& Decoder::Step(const DecoderStep& step, Execution& exec) const {
  Matrix& x = exec.work.x;
  x.Resize(static_cast<int>(step.inputs.size()), embedding_.model_dim());
  for (int row = 0; row < x.rows(); ++row) {
    const DecoderInput& input = step.inputs[row];
    assert(input.position == step.self_cache.length(input.hypothesis));
    embedding_.Lookup(input.token, input.position, row, x);
    step.self_cache.Append(input.hypothesis);
  }
  embedding_.Finish(x);
  for (const DecoderLayer& layer : layers_) layer.Apply(step, exec);
  if (has_final_norm_) final_norm_.Apply(x, x);
  return x;
}

}  // namespace limpid::internal

#include "engine/transformer/decoder.h"

#include <algorithm>
#include <cassert>

namespace limpid::internal {
namespace {

// All layers' keys and values side by side, layer by layer, as in Memory::keys_values.
Linear PackCrossKeysValues(const std::vector<DecoderLayerWeights>& layers, ComputeType type) {
  std::vector<LinearWeights> parts;
  for (const DecoderLayerWeights& layer : layers) {
    parts.push_back(layer.cross_attention.key);
    parts.push_back(layer.cross_attention.value);
  }
  return Linear::Pack(parts, type);
}

Heads HeadsOf(const ModelConfig& config) {
  return {config.decoder_heads, config.model_dim / config.decoder_heads};
}

}  // namespace

DecoderLayer::DecoderLayer(const ModelConfig& config, const DecoderLayerWeights& weights,
                           ComputeType type, int index)
    : index_(index),
      norm_order_(config.norm_order),
      self_attention_kind_(config.decoder_self_attention),
      self_norm_(weights.self_attention_norm, config.layer_norm_epsilon),
      cross_query_(Linear::Pack({weights.cross_attention.query}, type)),
      cross_attention_({AttentionKind::kCross, index}, HeadsOf(config),
                       weights.cross_attention.output, type),
      cross_norm_(weights.cross_attention_norm, config.layer_norm_epsilon),
      feed_forward_(weights.feed_forward, config.activation, type),
      feed_forward_norm_(weights.feed_forward_norm, config.layer_norm_epsilon) {
  if (self_attention_kind_ != DecoderSelfAttention::kAttention) {
    ssru_ = Ssru(weights.ssru, self_attention_kind_, type);
    return;
  }
  const AttentionWeights& attention = weights.self_attention;
  query_key_value_ = Linear::Pack({attention.query, attention.key, attention.value}, type);
  self_attention_ =
      Attention({AttentionKind::kDecoder, index}, HeadsOf(config), attention.output, type);
}

void DecoderLayer::Apply(const DecoderStep& step, Workspace& work) const {
  ApplyWithResidual(norm_order_, self_norm_, work.x, work.normed,
                    [&](const Matrix& x, Matrix& y) { LookBack(step, x, y, work); });
  ApplyWithResidual(norm_order_, cross_norm_, work.x, work.normed,
                    [&](const Matrix& x, Matrix& y) { CrossAttention(step, x, y, work); });
  ApplyWithResidual(norm_order_, feed_forward_norm_, work.x, work.normed,
                    [&](const Matrix& x, Matrix& y) {
                      feed_forward_.ApplyAndAdd(x, y, work.hidden, work.products);
                    });
}

void DecoderLayer::LookBack(const DecoderStep& step, const Matrix& x, Matrix& y,
                            Workspace& work) const {
  if (self_attention_kind_ == DecoderSelfAttention::kAttention) {
    SelfAttention(step, x, y, work);
  } else {
    RecurrentUnit(step, x, y, work);
  }
}

// Queries, keys and values all come from the target. A token is shown itself and those before it:
// that is the whole of the paper's mask.
void DecoderLayer::SelfAttention(const DecoderStep& step, const Matrix& x, Matrix& y,
                                 Workspace& work) const {
  const int model_dim = x.columns();
  query_key_value_.Apply(x, work.qkv, work.products);
  for (int row = 0; row < x.rows(); ++row) {
    const DecoderInput& input = step.inputs[row];
    std::copy_n(work.qkv.row(row) + model_dim, 2 * model_dim,
                step.cache.row(input.hypothesis, input.position, index_));
  }
  const ptrdiff_t keys = static_cast<ptrdiff_t>(index_) * 2 * model_dim;
  const auto so_far = [&](int row) {
    const DecoderInput& input = step.inputs[row];
    return KeysAndValues{.tokens = step.cache.tokens(input.hypothesis, input.position + 1),
                         .key_offset = keys,
                         .value_offset = keys + model_dim};
  };
  self_attention_.ApplyAndAdd(work.qkv, so_far, y, work);
}

// The state after a token stands in the cache in place of its keys, and is made from that of the
// token before it, so that hypotheses which share tokens share their states.
void DecoderLayer::RecurrentUnit(const DecoderStep& step, const Matrix& x, Matrix& y,
                                 Workspace& work) const {
  const auto states = [&](int row) {
    const auto& [token, position, hypothesis, sentence] = step.inputs[row];
    const float* before =
        position == 0 ? nullptr : step.cache.row(hypothesis, position - 1, index_);
    return SsruStates{before, step.cache.row(hypothesis, position, index_)};
  };
  ssru_.ApplyAndAdd(x, states, y, work);
}

// Queries come from the target, keys and values from the encoder's output for the source.
void DecoderLayer::CrossAttention(const DecoderStep& step, const Matrix& x, Matrix& y,
                                  Workspace& work) const {
  const int model_dim = x.columns();
  cross_query_.Apply(x, work.queries, work.products);
  const ptrdiff_t keys = static_cast<ptrdiff_t>(index_) * 2 * model_dim;
  const auto source = [&](int row) {
    const int sentence = step.inputs[row].sentence;
    return KeysAndValues{
        .tokens = {&step.memory.rows[step.source.begin(sentence)], step.source.length(sentence)},
        .key_offset = keys,
        .value_offset = keys + model_dim};
  };
  cross_attention_.ApplyAndAdd(work.queries, source, y, work);
}

Decoder::Decoder(const ModelConfig& config, const ModelWeights& weights, ComputeType type)
    : embedding_(config, weights.decoder_stack),
      cross_keys_values_(PackCrossKeysValues(weights.decoder_layers, type)),
      has_final_norm_(config.final_norm),
      output_(config, weights.output, type) {
  for (const DecoderLayerWeights& layer : weights.decoder_layers) {
    layers_.emplace_back(config, layer, type, static_cast<int>(layers_.size()));
  }
  if (has_final_norm_) {
    final_norm_ = LayerNorm(weights.decoder_stack.final_norm, config.layer_norm_epsilon);
  }
}

void Decoder::PrepareMemory(int tokens, Memory& memory) const {
  memory.keys_values.Resize(tokens, cross_keys_values_.out());
  memory.rows.resize(tokens);
  for (int token = 0; token < tokens; ++token) memory.rows[token] = memory.keys_values.row(token);
}

void Decoder::Remember(const Matrix& encoder_output, int first_token, Memory& memory,
                       Products& products) const {
  cross_keys_values_.ApplyAt(encoder_output, first_token, memory.keys_values, products);
}

void Decoder::Step(const DecoderStep& step, Workspace& work) const {
  work.x.Resize(static_cast<int>(step.inputs.size()), embedding_.model_dim());
  for (int row = 0; row < work.x.rows(); ++row) {
    const DecoderInput& input = step.inputs[row];
    assert(input.position == step.cache.length(input.hypothesis));
    embedding_.Lookup(input.token, input.position, row, work.x);
    step.cache.Append(input.hypothesis);
  }
  embedding_.Finish(work.x);
  for (const DecoderLayer& layer : layers_) layer.Apply(step, work);
  if (has_final_norm_) final_norm_.Apply(work.x, work.x);
}

}  // namespace limpid::internal

// The decoder: given the encoder's output and the target tokens so far, what comes next.

#ifndef LIMPID_ENGINE_TRANSFORMER_DECODER_H_
#define LIMPID_ENGINE_TRANSFORMER_DECODER_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/transformer/attention.h"
#include "engine/transformer/cache.h"
#include "engine/transformer/encoder.h"
#include "engine/transformer/layers.h"
#include "engine/transformer/output.h"
#include "engine/transformer/ssru.h"
#include "engine/transformer/workspace.h"

namespace limpid::internal {

// What cross-attention reads: the keys and values that all decoder layers make of the encoder's
// output, computed once a sentence.
struct Memory {
  Matrix keys_values;              // [source tokens, layers, 2, model_dim]: keys before values
  std::vector<const float*> rows;  // where each source token's row begins
};

// One row of a decoder step: a hypothesis takes in a token. It may take in several in one step,
// given in order, when they are known beforehand; each still sees only itself and those before it.
struct DecoderInput {
  int token = 0;       // the one produced last; at first the config's decoder_start_id
  int position = 0;    // how many tokens the hypothesis took in before
  int hypothesis = 0;  // in the cache
  int sentence = 0;    // in the source batch
};

// What a decoder layer needs to know about the step that it is part of.
struct DecoderStep {
  absl::Span<const DecoderInput> inputs;
  const SourceBatch& source;
  const Memory& memory;
  SelfAttentionCache& cache;
};

class DecoderLayer {
 public:
  DecoderLayer(const ModelConfig& config, const DecoderLayerWeights& weights, ComputeType type,
               int index);
  // Transforms work.x [inputs, model_dim] in place.
  void Apply(const DecoderStep& step, Workspace& work) const;

 private:
  // What the tokens so far bring to a token: by attention, or by an SSRU.
  void LookBack(const DecoderStep& step, const Matrix& x, Matrix& y, Workspace& work) const;
  void SelfAttention(const DecoderStep& step, const Matrix& x, Matrix& y, Workspace& work) const;
  void RecurrentUnit(const DecoderStep& step, const Matrix& x, Matrix& y, Workspace& work) const;
  void CrossAttention(const DecoderStep& step, const Matrix& x, Matrix& y, Workspace& work) const;

  int index_;  // of this layer, from 0
  NormOrder norm_order_;
  DecoderSelfAttention self_attention_kind_;
  Linear query_key_value_;  // [3 · model_dim, model_dim]; these two for kAttention
  Attention self_attention_;
  Ssru ssru_;  // for the other kinds
  LayerNorm self_norm_;
  Linear cross_query_;  // keys and values: Decoder::Remember
  Attention cross_attention_;
  LayerNorm cross_norm_;
  FeedForward feed_forward_;
  LayerNorm feed_forward_norm_;
};

class Decoder {
 public:
  Decoder(const ModelConfig& config, const ModelWeights& weights, ComputeType type);

  // Makes room for so many source tokens.
  void PrepareMemory(int tokens, Memory& memory) const;
  // Computes what is remembered of the encoder's output [tokens, model_dim] for the source tokens
  // from `first_token` on.
  void Remember(const Matrix& encoder_output, int first_token, Memory& memory,
                Products& products) const;

  // Takes in tokens, adds them to the cache, and leaves the decoder's output in work.x [inputs,
  // model_dim].
  void Step(const DecoderStep& step, Workspace& work) const;

  const OutputLayer& output() const { return output_; }

 private:
  Embedding embedding_;
  Linear cross_keys_values_;  // [layers · 2 · model_dim, model_dim]
  std::vector<DecoderLayer> layers_;
  bool has_final_norm_;
  LayerNorm final_norm_;
  OutputLayer output_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_DECODER_H_

// The decoder: from the encoder's output and the target tokens so far to the vectors from which
// output.h computes the next tokens' logits.

#ifndef LIMPID_ENGINE_TRANSFORMER_DECODER_H_
#define LIMPID_ENGINE_TRANSFORMER_DECODER_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/transformer/attention.h"
#include "engine/transformer/cache.h"
#include "engine/transformer/encoder.h"
#include "engine/transformer/execution.h"
#include "engine/transformer/layers.h"
#include "engine/transformer/output.h"
#include "engine/transformer/ssru.h"

namespace limpid::internal {

// One row of a decoder step: the next input token of a hypothesis. A step may have several tokens
// of the same hypothesis, in order, when they are known in advance; each attends only to itself and
// those before it.
struct DecoderInput {
  int token = 0;       // the hypothesis's last token; at first config.decoder_start_id
  int position = 0;    // number of the hypothesis's earlier inputs
  int hypothesis = 0;  // index in the self-attention cache
  int sentence = 0;    // index in the source batch
};

// What the layers of one decoder step share.
struct DecoderStep {
  absl::Span<const DecoderInput> inputs;
  const SourceBatch& source;
  const CrossAttentionCache& cross_cache;
  SelfAttentionCache& self_cache;
};

class DecoderLayer {
 public:
  DecoderLayer(const ModelConfig& config, const DecoderLayerWeights& weights,
               const Packing& packing, int index);
  // Transforms exec.work.x [inputs, model_dim] in place.
  void Apply(const DecoderStep& step, Execution& exec) const;

 private:
  void SelfAttentionOrSsru(const DecoderStep& step, const Matrix& x, Matrix& y,
                           Execution& exec) const;
  void SelfAttention(const DecoderStep& step, const Matrix& x, Matrix& y, Execution& exec) const;
  void ApplySsru(const DecoderStep& step, const Matrix& x, Matrix& y, Execution& exec) const;
  void CrossAttention(const DecoderStep& step, const Matrix& x, Matrix& y, Execution& exec) const;

  int index_;  // of this layer, from 0
  NormOrder norm_order_;
  DecoderSelfAttention self_attention_kind_;
  Linear query_key_value_;    // [3 · model_dim, model_dim]; for kAttention
  Attention self_attention_;  // for kAttention
  Ssru ssru_;                 // for the other kinds
  LayerNorm self_norm_;
  Linear cross_query_;  // [model_dim, model_dim]; keys, values: Decoder::ProjectCrossKeysValues
  Attention cross_attention_;
  LayerNorm cross_norm_;
  FeedForward feed_forward_;
  LayerNorm feed_forward_norm_;
};

class Decoder {
 public:
  Decoder(const ModelConfig& config, const ModelWeights& weights, const Packing& packing);

  // Makes room in the cache for a batch of `tokens` source tokens.
  void ReserveCrossKeysValues(int tokens, CrossAttentionCache& cache) const;
  // Projects the encoder's output [tokens, model_dim], of the source tokens from `first_token` on,
  // to the keys and values of every layer.
  void ProjectCrossKeysValues(const Matrix& encoder_output, int first_token,
                              CrossAttentionCache& cache, Gemm& gemm) const;

  // Appends the inputs to the self-attention cache. Returns the decoder's output [inputs,
  // model_dim], which belongs to `exec` and is valid until its next use.
  const Matrix& Step(const DecoderStep& step, Execution& exec) const;

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

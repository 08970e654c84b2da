// The encoder: from the source ids of a batch to one vector per token. Sentences are packed without
// padding; a token attends only to its own sentence.

#ifndef LIMPID_ENGINE_TRANSFORMER_ENCODER_H_
#define LIMPID_ENGINE_TRANSFORMER_ENCODER_H_

#include <vector>

#include "engine/transformer/attention.h"
#include "engine/transformer/execution.h"
#include "engine/transformer/layers.h"
#include "engine/transformer/source_batch.h"

namespace limpid::internal {

class EncoderLayer {
 public:
  EncoderLayer(const ModelConfig& config, const EncoderLayerWeights& weights,
               const Packing& packing, int index);
  // Transforms exec.work.x [tokens, model_dim] in place.
  void Apply(const SourceBatch& source, SentenceRange range, Execution& exec) const;

 private:
  void SelfAttention(const SourceBatch& source, SentenceRange range, const Matrix& x, Matrix& y,
                     Execution& exec) const;

  NormOrder norm_order_;
  Linear query_key_value_;  // [3 · model_dim, model_dim]
  Attention attention_;
  LayerNorm attention_norm_;
  FeedForward feed_forward_;
  LayerNorm feed_forward_norm_;
};

class Encoder {
 public:
  Encoder(const ModelConfig& config, const ModelWeights& weights, const Packing& packing);
  // Encodes these sentences of the batch. Returns the encoder's output [their tokens, model_dim],
  // which belongs to `exec` and is valid until its next use.
  const Matrix& Encode(const SourceBatch& source, SentenceRange range, Execution& exec) const;

 private:
  Embedding embedding_;
  std::vector<EncoderLayer> layers_;
  bool has_final_norm_;
  LayerNorm final_norm_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_ENCODER_H_

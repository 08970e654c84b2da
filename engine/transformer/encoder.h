// The encoder: reads a batch of source sentences. Sentences lie one after the other without
// padding, and a token sees its own sentence only.

#ifndef LIMPID_ENGINE_TRANSFORMER_ENCODER_H_
#define LIMPID_ENGINE_TRANSFORMER_ENCODER_H_

#include <vector>

#include "engine/transformer/attention.h"
#include "engine/transformer/layers.h"
#include "engine/transformer/source_batch.h"
#include "engine/transformer/workspace.h"

namespace limpid::internal {

class EncoderLayer {
 public:
  EncoderLayer(const ModelConfig& config, const EncoderLayerWeights& weights, ComputeType type,
               int index);
  // Transforms work.x [tokens, model_dim] in place.
  void Apply(const SourceBatch& source, Workspace& work) const;

 private:
  void SelfAttention(const SourceBatch& source, const Matrix& x, Matrix& y, Workspace& work) const;

  NormOrder norm_order_;
  Linear query_key_value_;  // [3 · model_dim, model_dim]
  Attention attention_;
  LayerNorm attention_norm_;
  FeedForward feed_forward_;
  LayerNorm feed_forward_norm_;
};

class Encoder {
 public:
  Encoder(const ModelConfig& config, const ModelWeights& weights, ComputeType type);
  // Leaves the encoder's output in work.x [tokens, model_dim].
  void Encode(const SourceBatch& source, Workspace& work) const;

 private:
  Embedding embedding_;
  std::vector<EncoderLayer> layers_;
  bool has_final_norm_;
  LayerNorm final_norm_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_ENCODER_H_

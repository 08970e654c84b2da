// The weights of a transformer by role, in order of computation. Binding checks that every tensor
// exists, that it has the shape that the config asks for, and that none is left over.
//
// Dimensions are named as in engine/transformer/transformer.h. Matrices are [out, in], as in
// PyTorch.

#ifndef LIMPID_MODELS_MODEL_WEIGHTS_H_
#define LIMPID_MODELS_MODEL_WEIGHTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/model/config.h"
#include "models/model/tensor.h"

namespace limpid::internal {

struct LinearWeights {
  TensorView weight;  // [out, in]
  TensorView bias;    // [out]
};

struct LayerNormWeights {
  TensorView scale;  // [model_dim]
  TensorView bias;   // [model_dim]
};

struct AttentionWeights {
  LinearWeights query, key, value, output;  // each [model_dim, model_dim]
};

struct FeedForwardWeights {
  LinearWeights hidden;  // [ffn_dim, model_dim]
  LinearWeights output;  // [model_dim, ffn_dim]
};

struct SsruWeights {
  LinearWeights input, forget;  // each [model_dim, model_dim]
  LinearWeights output;         // [model_dim, model_dim]; null data: the model has none
};

struct EncoderLayerWeights {
  AttentionWeights self_attention;
  LayerNormWeights self_attention_norm;
  FeedForwardWeights feed_forward;
  LayerNormWeights feed_forward_norm;
};

struct DecoderLayerWeights {
  AttentionWeights self_attention;  // this or `ssru`, as config.decoder_self_attention says
  SsruWeights ssru;
  LayerNormWeights self_attention_norm;
  AttentionWeights cross_attention;
  LayerNormWeights cross_attention_norm;
  FeedForwardWeights feed_forward;
  LayerNormWeights feed_forward_norm;
};

// What encoder and decoder each have around their layers. Null data: the model has none.
struct StackWeights {
  TensorView embedding;  // [vocab, model_dim]
  TensorView positions;  // [max_positions, model_dim], if config.positions is kLearned
  LayerNormWeights embedding_norm;
  LayerNormWeights final_norm;
};

struct ModelWeights {
  StackWeights encoder_stack;
  std::vector<EncoderLayerWeights> encoder_layers;
  StackWeights decoder_stack;
  std::vector<DecoderLayerWeights> decoder_layers;
  LinearWeights output;  // [target_vocab_size, model_dim]; the decoder's embedding when tied
};

// Errors are InvalidArgument and name the tensor, the shape expected and the shape found.
absl::StatusOr<ModelWeights> BindWeights(const ModelConfig& config, const TensorMap& tensors);

// The names and shapes of all tensors that a model of this config has.
std::map<std::string, std::vector<int64_t>> TensorShapes(const ModelConfig& config);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_WEIGHTS_H_

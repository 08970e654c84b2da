// The output layer: from the decoder's output to a logit for each token of the vocabulary.

#ifndef LIMPID_ENGINE_TRANSFORMER_OUTPUT_H_
#define LIMPID_ENGINE_TRANSFORMER_OUTPUT_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/transformer/active_vocabulary.h"
#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal {

class OutputLayer {
 public:
  OutputLayer() = default;
  OutputLayer(const ModelConfig& config, const LinearWeights& weights, const Packing& packing);

  // Fills logits [rows, target_vocab] from the decoder's output x [rows, model_dim]; minus infinity
  // for config.bad_words and for tokens outside `vocabulary`.
  void Apply(const Matrix& x, ActiveVocabulary& vocabulary, Matrix& logits, Gemm& gemm) const;

  // Restricts the vocabulary to `tokens`, in ascending order; empty: the whole vocabulary.
  ActiveVocabulary RestrictVocabulary(std::vector<int> tokens) const;

  // The whole layer [target_vocab, model_dim], with bad words masked to minus infinity.
  const Linear& layer() const { return layer_; }
  // What it was made of. The weights are in the checkpoint's memory.
  const LinearWeights& weights() const { return weights_; }
  const Packing& packing() const { return packing_; }
  absl::Span<const int> bad_words() const { return bad_words_; }

 private:
  std::vector<int> bad_words_;
  LinearWeights weights_;  // in the checkpoint's memory
  Packing packing_ = ComputeType::kFloat32;
  Linear layer_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_OUTPUT_H_

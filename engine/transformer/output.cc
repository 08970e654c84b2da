#include "engine/transformer/output.h"

#include <utility>

namespace limpid::internal {

OutputLayer::OutputLayer(const ModelConfig& config, const LinearWeights& weights,
                         const Packing& packing)
    : bad_words_(config.bad_words),
      weights_(weights),
      packing_(packing),
      layer_(Linear::Pack({weights}, packing, bad_words_)) {}

void OutputLayer::Apply(const Matrix& x, ActiveVocabulary& vocabulary, Matrix& logits,
                        Gemm& gemm) const {
  if (vocabulary.is_whole()) {
    layer_.Apply(x, logits, gemm);
  } else {
    vocabulary.Apply(x, layer_.out(), logits, gemm);
  }
}

ActiveVocabulary OutputLayer::RestrictVocabulary(std::vector<int> tokens) const {
  return tokens.empty() ? ActiveVocabulary()
                        : ActiveVocabulary(std::move(tokens), bad_words_, weights_, packing_);
}

}  // namespace limpid::internal

#include "engine/transformer/active_vocabulary.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace limpid::internal {

ActiveVocabulary::ActiveVocabulary(std::vector<int> tokens, absl::Span<const int> bad_words,
                                   const LinearWeights& weights, const Packing& packing)
    : tokens_(std::move(tokens)),
      layer_(Linear::PackOutputs(weights, tokens_, packing, bad_words)) {}

void ActiveVocabulary::Apply(const Matrix& x, int vocab, Matrix& logits, Gemm& gemm) {
  layer_.Apply(x, logits_, gemm);
  logits.Resize(x.rows(), vocab);
  for (int row = 0; row < x.rows(); ++row) {
    std::fill_n(logits.row(row), vocab, -std::numeric_limits<float>::infinity());
    const float* active = logits_.row(row);
    for (const int token : tokens_) logits.row(row)[token] = *active++;
  }
}

void ActiveVocabulary::ArgMax(const Matrix& x, LogSumExp log_sum_exp, std::vector<MaxLogit>& best,
                              Gemm& gemm) const {
  layer_.ArgMax(x, log_sum_exp, best, gemm);
  // With NaN, from a broken model, the largest may be one of the layer's padding columns.
  const int last = static_cast<int>(tokens_.size()) - 1;
  for (MaxLogit& found : best) found.index = tokens_[std::min(found.index, last)];
}

}  // namespace limpid::internal

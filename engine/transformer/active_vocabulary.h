// The tokens that a batch may produce: the whole vocabulary, or a shortlist for the batch's source
// tokens. A shortlist has its own packed output layer, because the whole one is the most expensive
// layer of a decoder step.

#ifndef LIMPID_ENGINE_TRANSFORMER_ACTIVE_VOCABULARY_H_
#define LIMPID_ENGINE_TRANSFORMER_ACTIVE_VOCABULARY_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "limpid/compute_type.h"
#include "models/model/weights.h"

namespace limpid::internal {

// Not thread-safe: Apply uses scratch memory.
class ActiveVocabulary {
 public:
  ActiveVocabulary() = default;  // the whole vocabulary
  // `tokens` must be ascending and not empty. `weights` are the output layer's. Masks bad words.
  ActiveVocabulary(std::vector<int> tokens, absl::Span<const int> bad_words,
                   const LinearWeights& weights, const Packing& packing);

  bool is_whole() const { return tokens_.empty(); }

  // Fills logits [rows, vocab] from x [rows, model_dim]; minus infinity for inactive tokens.
  void Apply(const Matrix& x, int vocab, Matrix& logits, Gemm& gemm);
  // Finds the most probable token of each row of x: best [rows].
  void ArgMax(const Matrix& x, LogSumExp log_sum_exp, std::vector<MaxLogit>& best,
              Gemm& gemm) const;

 private:
  std::vector<int> tokens_;
  Linear layer_;   // [padded tokens, model_dim], bad words masked
  Matrix logits_;  // scratch: [rows, padded tokens]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_ACTIVE_VOCABULARY_H_

// The tokens that may be produced for a batch, when they are not the whole vocabulary: the output
// layer packed for the shortlist of the batch's source tokens, which is most of what decoding costs
// otherwise.

#ifndef LIMPID_ENGINE_TRANSFORMER_ACTIVE_VOCABULARY_H_
#define LIMPID_ENGINE_TRANSFORMER_ACTIVE_VOCABULARY_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "limpid/compute_type.h"
#include "models/model/weights.h"

namespace limpid::internal {

// One thread's: Apply uses scratch memory.
class ActiveVocabulary {
 public:
  ActiveVocabulary() = default;  // the whole vocabulary
  // `tokens` must be ascending. `weights` are the output layer's; bad words are masked.
  ActiveVocabulary(std::vector<int> tokens, absl::Span<const int> bad_words,
                   const LinearWeights& weights, ComputeType type);

  bool is_whole() const { return tokens_.empty(); }

  // Fills logits [rows, vocab] from x [rows, model_dim]. Inactive tokens have minus infinity.
  void Apply(const Matrix& x, int vocab, Matrix& logits, Gemm& gemm);
  // The most probable token of each row of x: best [rows].
  void ArgMax(const Matrix& x, LogSumExp log_sum_exp, std::vector<MaxLogit>& best,
              Gemm& gemm) const;

 private:
  std::vector<int> tokens_;
  Linear layer_;   // [tokens, model_dim], bad words masked
  Matrix logits_;  // scratch: [rows, tokens]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_ACTIVE_VOCABULARY_H_

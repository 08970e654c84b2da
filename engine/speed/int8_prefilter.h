// Float32 argmax over the vocabulary with an int8 prefilter. An int8 product takes a quarter of the
// time of a float32 product and leaves only a few candidates. Computing just their logits in
// float32 gives the same result.
//
// An input x and a token's weights w, quantized to X and W, have the int8 logit X·W. Its error is
//   x·w - X·W = (x - X)·w + X·(w - W),   at most   |x - X| |w| + |X| |w - W|
// (Cauchy-Schwarz). Rounding changes each number by at most half the scale, so
//   |x - X| <= x's scale · √model_dim / 2,   |w - W| <= w's scale · √model_dim / 2.
// A token whose int8 logit is more than twice this bound below the largest cannot be the best.
//
// The error of a float32 logit, summed in any order, is at most
//   (model_dim + 2) · 2^-24 · (|x| |w| + |bias|)
// (Higham 2002, section 3.1). If the best logit leads another by no more than twice the sum of
// their bounds, another order of summation could find another best, so the whole layer decides.
// Search thus finds the same token with and without log-probabilities.

#ifndef LIMPID_ENGINE_SPEED_INT8_PREFILTER_H_
#define LIMPID_ENGINE_SPEED_INT8_PREFILTER_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/math/ops.h"
#include "models/model/weights.h"

namespace limpid::internal {

// One thread's scratch memory for Int8Prefilter.
struct PrefilterScratch {
  std::vector<PrefilterCandidates> candidates;  // [rows]
  Matrix weights;                               // [candidates of one row, model_dim]
  std::vector<int> fallback_rows;               // rows that it cannot decide, 1 to 2 %
  // For FastOutput, which runs the whole layer on the fallback rows.
  Matrix fallback_inputs;               // [fallback_rows, model_dim]
  std::vector<MaxLogit> fallback_best;  // [fallback_rows]
};

// Immutable.
class Int8Prefilter {
 public:
  // `output` is the output layer's weights, which stay in the checkpoint's memory. Bad words are
  // masked to minus infinity.
  Int8Prefilter(const LinearWeights& output, absl::Span<const int> bad_words);

  // Fills best [rows] with the largest logit of each row of x [rows, model_dim], without
  // log_sum_exp. Lists in scratch.fallback_rows, instead, the rows that have too many candidates,
  // two that are too close, or values that are not finite.
  void ArgMax(const Matrix& x, std::vector<MaxLogit>& best, PrefilterScratch& scratch,
              Gemm& gemm) const;

 private:
  // Fills `best` with the largest float32 logit of the candidates. Returns false if it depends on
  // the order of summation.
  bool ExactArgMax(const PrefilterCandidates& candidates, const float* x, Matrix& weights,
                   MaxLogit& best) const;

  LinearWeights output_;
  std::vector<float> bias_;  // [vocab]: minus infinity for bad words
  Linear int8_;              // [vocab, model_dim]
  float weight_norm_ = 0;    // max |w|
  float weight_error_ = 0;   // bound of |w - W|
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_INT8_PREFILTER_H_

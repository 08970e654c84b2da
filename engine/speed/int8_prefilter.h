// The best token of the vocabulary in float32, by way of int8: a product in int8 takes a quarter of
// the time, and tells which few tokens can be the best. Their logits alone are computed in float32,
// so that what is found is the same.
//
// Of an input x and a token's weights w, rounded to X and W, the logit in int8 is X·W. It is off by
//   x·w - X·W = (x - X)·w + X·(w - W)   and so by no more than   |x - X| |w| + |X| |w - W|
// (Cauchy-Schwarz), where rounding takes half of what 1 stands for from each number at most:
//   |x - X| <= x's scale · √model_dim / 2,   |w - W| <= w's scale · √model_dim / 2
// A token whose logit in int8 is more than twice that below the largest cannot be the best.
//
// Whoever sums up a logit in float32, in whatever order, is off by no more than
//   (model_dim + 2) · 2^-24 · (|x| |w| + |bias|)
// (Higham 2002, section 3.1). Where the best logit is ahead of another by no more than twice what
// both may be off by, another order could find another best: that is left to the whole layer. So
// search finds the same token with and without log-probabilities.

#ifndef LIMPID_ENGINE_SPEED_INT8_PREFILTER_H_
#define LIMPID_ENGINE_SPEED_INT8_PREFILTER_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/math/ops.h"
#include "models/model/weights.h"

namespace limpid::internal {

// What a worker keeps for Int8Prefilter.
struct PrefilterScratch {
  std::vector<PrefilterCandidates> candidates;  // [inputs]
  Matrix weights;                               // [candidates of an input, model_dim]
  // The inputs that Int8Prefilter could not decide, 1 or 2 in 100: their rows, and what is to be
  // filled in for them.
  std::vector<int> fallback_rows;
  Matrix fallback_inputs;
  std::vector<MaxLogit> fallback_best;
};

// Immutable once made.
class Int8Prefilter {
 public:
  Int8Prefilter() = default;  // filters nothing
  // The output layer, whose weights stay in the checkpoint's own memory. Bad words never win.
  Int8Prefilter(const LinearWeights& output, absl::Span<const int> bad_words);

  // The best token of each row of x [inputs, model_dim], without log_sum_exp: best [inputs]. Rows
  // that have too many candidates, or two that are too near to each other, or are not finite, are
  // left out and listed in scratch.fallback_rows.
  void ArgMax(const Matrix& x, std::vector<MaxLogit>& best, PrefilterScratch& scratch,
              Gemm& gemm) const;

 private:
  // Returns whether one is the best, however logits are summed up.
  bool ExactArgMax(const PrefilterCandidates& candidates, const float* x, Matrix& weights,
                   MaxLogit& best) const;

  LinearWeights output_;
  std::vector<float> bias_;  // [vocab]: minus infinity for bad words
  Linear int8_;              // [vocab, model_dim]
  float weight_norm_ = 0;    // the largest |w|
  float weight_error_ = 0;   // what |w - W| is at most
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_INT8_PREFILTER_H_

// A faster output layer for greedy search, which needs only the largest logit of a row. The result
// is the same as ArgMax over OutputLayer's logits; `--plain` does without it.
//
//   fused argmax   keeps the largest logit while the product's panels are in the cache, instead of
//                  writing all logits                                           math/linear.h
//   prefilter      finds the few candidates for the float32 maximum with an int8 product
//                                                                               int8_prefilter.h
//   drafts         guesses tokens from a shortlist, to verify several at once
//                                                                  draft.h, fast_greedy.h

#ifndef LIMPID_ENGINE_SPEED_FAST_OUTPUT_H_
#define LIMPID_ENGINE_SPEED_FAST_OUTPUT_H_

#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/speed/draft.h"
#include "engine/speed/int8_prefilter.h"
#include "engine/transformer/active_vocabulary.h"
#include "engine/transformer/output.h"
#include "limpid/compute_type.h"
#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal {

// One thread's scratch memory for FastOutput.
struct FastOutputScratch {
  PrefilterScratch prefilter;
  Buffer<int16_t> draft_input;  // [model_dim]: a quantized row
};

// Immutable.
class FastOutput {
 public:
  // Drafts take an int8 copy of the layer's weights.
  FastOutput(const OutputLayer& output, bool drafts);

  // Fills best [rows] with the largest logit of each row of the decoder's output
  // x [rows, model_dim].
  void ArgMax(const Matrix& x, const ActiveVocabulary& vocabulary, LogSumExp log_sum_exp,
              FastOutputScratch& scratch, std::vector<MaxLogit>& best, Gemm& gemm) const;

  bool has_drafts() const { return draft_.has_value(); }
  // Guesses the next token after x [model_dim], among `candidates` (not empty).
  int Draft(const float* x, absl::Span<const int> candidates, FastOutputScratch& scratch) const {
    return draft_->ArgMax(x, candidates, scratch.draft_input);
  }

 private:
  void ArgMaxWithPrefilter(const Matrix& x, PrefilterScratch& scratch, std::vector<MaxLogit>& best,
                           Gemm& gemm) const;

  Linear layer_;                            // a copy of OutputLayer::layer(), with shared weights
  std::optional<Int8Prefilter> prefilter_;  // for float32, if the processor supports int8
  std::optional<DraftLayer> draft_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_FAST_OUTPUT_H_

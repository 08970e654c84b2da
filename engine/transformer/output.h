// The last layer: from the decoder's output to how much each token of the vocabulary is to come
// next. Scores every token, or those of a shortlist alone, which saves most of the work.

#ifndef LIMPID_ENGINE_TRANSFORMER_OUTPUT_H_
#define LIMPID_ENGINE_TRANSFORMER_OUTPUT_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/speed/screen.h"
#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal {

// The tokens that are scored, for a batch.
struct OutputSelection {
  std::vector<int> tokens;  // in order; none: the whole vocabulary
  Linear layer;             // scores `tokens`
  Linear allowed;           // the same, with bad words at minus infinity
  // Scratch.
  Matrix logits;  // [inputs, tokens]
  ScreenScratch screen;
};

class OutputLayer {
 public:
  OutputLayer() = default;
  OutputLayer(const ModelConfig& config, const LinearWeights& weights, ComputeType type);

  // From now on `selection` holds these tokens, each once and in order.
  void Select(std::vector<int> tokens, OutputSelection& selection) const;

  // Logits of the decoder's output x [inputs, model_dim]: [inputs, target_vocab]. Tokens that are
  // not selected have minus infinity.
  void Apply(const Matrix& x, OutputSelection& selection, Matrix& logits, Products& products) const;

  // The best token of each row alone: best [inputs]. Bad words are left out.
  void FindBest(const Matrix& x, OutputSelection& selection, LogSumExp log_sum_exp,
                std::vector<Best>& best, Products& products) const;

 private:
  void FindBestOfScreened(const Matrix& x, ScreenScratch& scratch, std::vector<Best>& best,
                          Products& products) const;

  std::vector<int> bad_words_;
  LinearWeights weights_;  // in the checkpoint's own memory
  ComputeType type_ = ComputeType::kFloat32;
  Linear layer_;    // [target_vocab, model_dim]
  Linear allowed_;  // without bad words
  bool is_screened_ = false;
  Screen screen_;  // for float32 where int8 is faster
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_OUTPUT_H_

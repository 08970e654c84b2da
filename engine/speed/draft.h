// The output layer in int8 for a few candidates: drafts of the next token, for speculative decoding
// (fast_greedy.h).

#ifndef LIMPID_ENGINE_SPEED_DRAFT_H_
#define LIMPID_ENGINE_SPEED_DRAFT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "engine/math/matrix.h"
#include "models/model/weights.h"

namespace limpid::internal {

// The output layer in int8, row by row, unpacked. Immutable.
class DraftLayer {
 public:
  explicit DraftLayer(const LinearWeights& output);

  // Returns the token of `candidates` (not empty) with the largest int8 logit after the decoder's
  // output x [model_dim]. `input` is scratch memory.
  int ArgMax(const float* x, absl::Span<const int> candidates, Buffer<int16_t>& input) const;

  // Row sizes are multiples of this: whole vectors on any processor, and whole cache lines.
  static constexpr int kRowGranularity = 64;

 private:
  int model_dim_ = 0;
  int row_size_ = 0;                    // model_dim_ rounded up to kRowGranularity
  std::shared_ptr<std::byte> weights_;  // int8 [vocab, row_size_]
  std::vector<float> scales_, bias_;    // [vocab]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_DRAFT_H_

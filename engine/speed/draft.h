// Drafts of the next token. The output layer is half of what a step of decoding reads, where a
// sentence is translated alone; a draft reads the rows of a few candidates instead. Search checks
// many drafts at once with the whole layer, so that what it finds is the same: this is
// speculative decoding (Leviathan et al. 2023) with the model's own decoder and a shortlist.

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

// The output layer in int8, its rows as they lie. Immutable once made.
class DraftLayer {
 public:
  DraftLayer() = default;  // drafts nothing
  explicit DraftLayer(const LinearWeights& output);

  // The one of `candidates`, of which there is one at least, that most probably comes next, going
  // by the decoder's output x [model_dim]. `input` is scratch memory. Not for a layer made of
  // nothing.
  int ArgMax(const float* x, absl::Span<const int> candidates, Buffer<int16_t>& input) const;

  // Of what a row of weights takes: whole vectors of any processor, and a cache line.
  static constexpr int kRowGranularity = 64;

 private:
  int model_dim_ = 0;
  int row_size_ = 0;                    // model_dim_, rounded up
  std::shared_ptr<std::byte> weights_;  // int8 [vocab, row_size_]
  std::vector<float> scales_, bias_;    // [vocab]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_DRAFT_H_

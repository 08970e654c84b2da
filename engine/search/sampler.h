// Samples the next token.

#ifndef LIMPID_ENGINE_SEARCH_SAMPLER_H_
#define LIMPID_ENGINE_SEARCH_SAMPLER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "limpid/search_options.h"

namespace limpid::internal {

// Hashes the seed and the numbers, in order, to 64 pseudorandom bits.
uint64_t Hash(uint64_t seed, absl::Span<const int> numbers);

// Not thread-safe; keeps its scratch memory.
class Sampler {
 public:
  // Draws a column of `scores` from softmax(scores / temperature), restricted to top_k and then to
  // top_p, as in Hugging Face. A pure function of its arguments; `key` supplies the randomness.
  // Robust to rounding: if scores change by 1e-6, the draw changes with a probability of about
  // 1e-6. Returns -1 if no score is above minus infinity.
  int Sample(absl::Span<const float> scores, const SearchOptions& options, uint64_t key);

 private:
  void KeepTop(absl::Span<const float> scores, const SearchOptions& options);

  std::vector<int> columns_;  // the columns to draw from
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_SAMPLER_H_

// Drawing the next token at random.

#ifndef LIMPID_ENGINE_SEARCH_SAMPLER_H_
#define LIMPID_ENGINE_SEARCH_SAMPLER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "limpid/search_options.h"

namespace limpid::internal {

// A number that looks random and is the same for the same `numbers`, in their order.
uint64_t Hash(uint64_t seed, absl::Span<const int> numbers);

// Not thread-safe; keeps its scratch memory.
class Sampler {
 public:
  // Draws a column of `scores` from softmax(scores / temperature), cut down to top_k and then to
  // top_p, as in Hugging Face. The draw is a function of the arguments: `key` is what makes it
  // random. It hardly depends on rounding: where scores change by 1e-6, so do the odds that another
  // column is drawn. Returns -1 where no score is above minus infinity.
  int Sample(absl::Span<const float> scores, const SearchOptions& options, uint64_t key);

 private:
  void KeepTop(absl::Span<const float> scores, const SearchOptions& options);

  std::vector<int> columns_;  // those to draw from
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_SAMPLER_H_

// Greedy search, the plain path from source ids to target ids:
//
//   encode the source; then, until every translation has ended:
//     step the decoder  →  logits  →  argmax  →  the chosen token is the next input
//
// With a temperature a token is sampled instead; SearchOptions can forbid, force or fork tokens.
// engine/speed/fast_greedy.h finds the same translations faster, if no option changes which token
// is taken.

#ifndef LIMPID_ENGINE_SEARCH_GREEDY_H_
#define LIMPID_ENGINE_SEARCH_GREEDY_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/matrix.h"
#include "engine/search/decoding.h"
#include "engine/search/greedy_state.h"
#include "engine/search/sampler.h"
#include "engine/search/top_candidates.h"
#include "engine/transformer/transformer.h"

namespace limpid::internal {

// Keeps its memory between batches. Not thread-safe.
class GreedySearch {
 public:
  explicit GreedySearch(const Transformer& transformer) : transformer_(transformer) {}

  // Fills found [sentences] with at least one hypothesis for each.
  void Search(const SourceBatch& source, const SearchRequest& request, DecodingState& state,
              std::vector<Hypotheses>& found);

 private:
  NextToken Choose(const DecoderInput& input, const float* logits, const SourceBatch& source,
                   const SearchRequest& request);
  int ProcessedToken(const DecoderInput& input, const float* logits, const SourceBatch& source,
                     const SearchOptions& options);
  const float* ProcessedLogits(const float* logits, absl::Span<const int> ids);
  void Fork(const DecoderInput& input, const float* logits, const SearchOptions& options,
            SelfAttentionCache& cache);

  const Transformer& transformer_;
  GreedyState state_;
  Sampler sampler_;
  TopCandidates alternatives_;
  Buffer<float> processed_logits_;  // scratch: [vocab]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_GREEDY_H_

// Greedy search faster, with the same result: what is left of engine/search/greedy.h when only the
// most probable token of each step is needed.
//
// A sentence that is alone in its batch is decoded speculatively (Leviathan et al. 2023), with the
// model's own decoder: the output layer is half of what a step reads from memory, so tokens are
// first drafted from the few rows of a shortlist, and then verified together by one pass of the
// whole layer. Drafts after the first wrong one are discarded.

#ifndef LIMPID_ENGINE_SPEED_FAST_GREEDY_H_
#define LIMPID_ENGINE_SPEED_FAST_GREEDY_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/search/decoding.h"
#include "engine/search/greedy_state.h"
#include "engine/speed/fast_output.h"
#include "engine/transformer/transformer.h"

namespace limpid::internal {

// Keeps its memory between batches. Not thread-safe.
class FastGreedySearch {
 public:
  FastGreedySearch(const Transformer& transformer, const FastOutput& output)
      : transformer_(transformer), output_(output) {}

  // Whether the request needs nothing but the most probable token of each step.
  bool CanSearch(const SearchRequest& request) const;

  // As GreedySearch::Search. Drafts tokens from `candidates` if the output has drafts and the batch
  // is one sentence; none: no drafts.
  void Search(const SourceBatch& source, const SearchRequest& request,
              absl::Span<const int> candidates, DecodingState& state,
              std::vector<Hypotheses>& found);

 private:
  void Draft(const SourceBatch& source, absl::Span<const int> candidates, int max_drafts,
             DecodingState& state);
  int AcceptDrafts(DecodingState& state);
  void ArgMax(const Matrix& output, const SearchRequest& request, DecodingState& state);
  NextToken Next(int row) const;

  const Transformer& transformer_;
  const FastOutput& output_;
  GreedyState state_;
  FastOutputScratch scratch_;
  std::vector<MaxLogit> best_;  // [rows]
  bool wants_log_probabilities_ = true;

  std::vector<DecoderInput> draft_inputs_;  // [drafts]: the decoder's input at each
  std::vector<int> drafts_;                 // [drafts]: the token guessed to follow
  Matrix draft_outputs_;                    // [drafts, model_dim]: the decoder's output at each
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_FAST_GREEDY_H_

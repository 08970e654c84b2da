// A faster greedy search with the same result as engine/search/greedy.h, for requests that need
// only the most probable token of each step.
//
// It decodes a sentence that is alone in its batch speculatively (Leviathan et al. 2023), with the
// model's own decoder. The output layer is half of what a step reads from memory, so the search
// drafts tokens from the few rows of a shortlist, then verifies them together in one pass over the
// whole layer. It discards the drafts after the first wrong one.

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

  // Whether the request needs only the most probable token of each step: no sampling, alternatives
  // or prefix, and a LogitsProcessor that changes no logits.
  bool CanSearch(const SearchRequest& request) const;

  // Same as GreedySearch::Search. Drafts tokens from `candidates` if the batch is one sentence and
  // the output has drafts. Empty: no drafts.
  void Search(const SourceBatch& source, const SearchRequest& request,
              absl::Span<const int> candidates, DecodingState& state,
              std::vector<Hypotheses>& found);

 private:
  void Draft(const SourceBatch& source, absl::Span<const int> candidates, int max_drafts,
             DecodingState& state);
  int AcceptDrafts(DecodingState& state);
  void ArgMax(const Matrix& output, DecodingState& state);
  NextToken Next(int row) const;

  const Transformer& transformer_;
  const FastOutput& output_;
  GreedyState state_;
  FastOutputScratch scratch_;
  std::vector<MaxLogit> best_;  // [rows]
  LogSumExp log_sum_exp_ = LogSumExp::kCompute;

  std::vector<DecoderInput> draft_inputs_;  // [drafts]: the decoder's inputs
  std::vector<int> drafts_;                 // [drafts]: the token guessed after each input
  Matrix draft_outputs_;                    // [drafts, model_dim]: the decoder's outputs
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_FAST_GREEDY_H_

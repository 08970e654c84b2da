#include "engine/searcher.h"

#include <utility>

namespace limpid::internal {

Searcher::Searcher(const Transformer& transformer, const FastOutput* fast_output)
    : transformer_(transformer), greedy_(transformer), beam_search_(transformer) {
  if (fast_output != nullptr) fast_greedy_.emplace(transformer, *fast_output);
}

const std::vector<Hypotheses>& Searcher::Search(const SourceBatch& source,
                                                const SearchRequest& request) {
  if (request.options.beam_size > 1) {
    beam_search_.Search(source, request, state_, found_);
  } else if (fast_greedy_.has_value() && fast_greedy_->CanSearch(request)) {
    fast_greedy_->Search(source, request, draft_candidates_, state_, found_);
  } else {
    greedy_.Search(source, request, state_, found_);
  }
  return found_;
}

void Searcher::DraftFrom(std::vector<int> candidates) { draft_candidates_ = std::move(candidates); }

void Searcher::RestrictVocabulary(std::vector<int> tokens) {
  state_.vocabulary = transformer_.RestrictVocabulary(std::move(tokens));
}

}  // namespace limpid::internal

#include "engine/search/top_candidates.h"

#include <algorithm>

namespace limpid::internal {

void TopCandidates::Insert(const Candidate& candidate) {
  if (best_.size() == max_) best_.pop_back();
  const auto worse = [](float score, const Candidate& other) { return score > other.score; };
  best_.insert(std::upper_bound(best_.begin(), best_.end(), candidate.score, worse), candidate);
  if (best_.size() == max_) threshold_ = best_.back().score;
}

}  // namespace limpid::internal

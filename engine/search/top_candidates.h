// The best of what could come next.

#ifndef LIMPID_ENGINE_SEARCH_TOP_CANDIDATES_H_
#define LIMPID_ENGINE_SEARCH_TOP_CANDIDATES_H_

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "absl/types/span.h"

namespace limpid::internal {

// One token that could follow one hypothesis.
struct Candidate {
  float score = 0;
  int row = 0;     // of the hypothesis, as the caller counts
  int column = 0;  // of the token, in the row of scores
};

// Collects the candidates of the highest scores, the best first; of equals, those that came first.
class TopCandidates {
 public:
  // Forgets everything; `count` is how many to keep, at least 1.
  void Reset(size_t count) {
    max_ = count;
    best_.clear();
    threshold_ = -std::numeric_limits<float>::infinity();
  }

  // Offers a row of scores, `offset` added to each. Minus infinity and NaN are never kept.
  void Offer(int row, float offset, const float* scores, int size) {
    for (int column = 0; column < size; ++column) {
      const float score = scores[column] + offset;
      if (score > threshold_) Insert({score, row, column});
    }
  }

  absl::Span<const Candidate> best() const { return best_; }

 private:
  void Insert(const Candidate& candidate) {
    if (best_.size() == max_) best_.pop_back();
    const auto worse = [](float score, const Candidate& other) { return score > other.score; };
    best_.insert(std::upper_bound(best_.begin(), best_.end(), candidate.score, worse), candidate);
    if (best_.size() == max_) threshold_ = best_.back().score;
  }

  size_t max_ = 1;
  float threshold_ = 0;  // what a candidate must exceed to be kept
  std::vector<Candidate> best_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_TOP_CANDIDATES_H_

// The best candidates for the next token.

#ifndef LIMPID_ENGINE_SEARCH_TOP_CANDIDATES_H_
#define LIMPID_ENGINE_SEARCH_TOP_CANDIDATES_H_

#include <cstddef>
#include <limits>
#include <vector>

#include "absl/types/span.h"

namespace limpid::internal {

// One possible next token of one hypothesis.
struct Candidate {
  float score = 0;
  int row = 0;     // the hypothesis, by the caller's numbering
  int column = 0;  // the token: index in the row of scores
};

// Keeps the candidates with the highest scores, the best first; of equal ones, the earliest.
class TopCandidates {
 public:
  // Removes all candidates; from now on keeps up to `count`, at least 1.
  void Reset(size_t count) {
    max_ = count;
    best_.clear();
    threshold_ = -std::numeric_limits<float>::infinity();
  }

  // Offers each of scores[size] + offset. Never keeps minus infinity or NaN.
  void Offer(int row, float offset, const float* scores, int size) {
    float threshold = threshold_;
    for (int column = 0; column < size; ++column) {
      const float score = scores[column] + offset;
      if (score > threshold) {
        Insert({score, row, column});
        threshold = threshold_;
      }
    }
  }

  absl::Span<const Candidate> best() const { return best_; }

 private:
  void Insert(const Candidate& candidate);  // rare, so not inlined into the loop of Offer

  size_t max_ = 1;
  float threshold_ = 0;  // the score that a candidate must exceed
  std::vector<Candidate> best_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_TOP_CANDIDATES_H_

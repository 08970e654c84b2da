#include "engine/search/top_candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> Scores(const TopCandidates& candidates) {
  std::vector<float> scores;
  for (const Candidate& candidate : candidates.best()) scores.push_back(candidate.score);
  return scores;
}

TEST(TopCandidatesTest, KeepsTheBestOfAllRows) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> rows(3, std::vector<float>(200));
  std::vector<float> all;
  for (int row = 0; row < 3; ++row) {
    for (float& score : rows[row]) {
      score = normal(random);
      all.push_back(score + static_cast<float>(row));
    }
  }
  std::sort(all.begin(), all.end(), std::greater<>());
  TopCandidates candidates;
  for (const size_t count : {1, 7, 600, 1000}) {
    candidates.Reset(count);
    for (int row = 0; row < 3; ++row) {
      candidates.Offer(row, static_cast<float>(row), rows[row].data(), 200);
    }
    const auto end = all.begin() + static_cast<ptrdiff_t>(std::min<size_t>(count, 600));
    EXPECT_EQ(Scores(candidates), std::vector<float>(all.begin(), end));
    for (const Candidate& candidate : candidates.best()) {
      EXPECT_EQ(candidate.score,
                rows[candidate.row][candidate.column] + static_cast<float>(candidate.row));
    }
  }
}

TEST(TopCandidatesTest, KeepsTheFirstOfEquals) {
  const std::vector<float> scores = {1, 2, 2, 2, 1};
  TopCandidates candidates;
  candidates.Reset(2);
  candidates.Offer(0, 0, scores.data(), 5);
  ASSERT_EQ(candidates.best().size(), 2U);
  EXPECT_EQ(candidates.best()[0].column, 1);
  EXPECT_EQ(candidates.best()[1].column, 2);
}

TEST(TopCandidatesTest, DoesNotKeepMinusInfinityOrNaN) {
  const std::vector<float> scores = {-kInfinity, std::nanf(""), -5, -kInfinity};
  TopCandidates candidates;
  candidates.Reset(4);
  candidates.Offer(0, 0, scores.data(), 4);
  EXPECT_EQ(Scores(candidates), std::vector<float>{-5});
  candidates.Reset(4);
  candidates.Offer(0, std::nanf(""), scores.data(), 4);
  EXPECT_TRUE(candidates.best().empty());
}

}  // namespace
}  // namespace limpid::internal

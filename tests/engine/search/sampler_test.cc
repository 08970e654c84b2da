#include "engine/search/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr int kDraws = 40000;

// The distribution to sample: softmax with temperature of the top_k scores, cut at top_p.
std::vector<double> Distribution(const std::vector<float>& scores, const SearchOptions& options) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[a] > scores[b]; });
  if (options.top_k > 0 && options.top_k < static_cast<int>(order.size())) {
    order.resize(options.top_k);
  }
  std::vector<double> probabilities(scores.size());
  double sum = 0;
  for (const int i : order) sum += std::exp(scores[i] / options.temperature);
  double before = 0;
  double kept = 0;
  for (const int i : order) {
    const double probability = std::exp(scores[i] / options.temperature) / sum;
    if (before < options.top_p) kept += probabilities[i] = probability;
    before += probability;
  }
  for (double& probability : probabilities) probability /= kept;
  return probabilities;
}

class SamplerTest : public testing::TestWithParam<SearchOptions> {};

TEST_P(SamplerTest, DrawsEachTokenAsOftenAsItIsProbable) {
  const std::vector<float> scores = {0.5F, kNever, 2, -1, 1.5F, -3, 0, 2.5F, kNever, 1};
  const std::vector<double> expected = Distribution(scores, GetParam());
  Sampler sampler;
  std::vector<int> drawn(scores.size());
  for (int key = 0; key < kDraws; ++key) {
    ++drawn[sampler.Sample(scores, GetParam(), Hash(7, {key}))];
  }
  for (size_t i = 0; i < scores.size(); ++i) {
    if (expected[i] == 0) {
      EXPECT_EQ(drawn[i], 0) << i;
    } else {
      const double deviation = std::sqrt(expected[i] * (1 - expected[i]) / kDraws);
      EXPECT_NEAR(static_cast<double>(drawn[i]) / kDraws, expected[i], 4 * deviation) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SamplerTest,
                         testing::Values(SearchOptions{.temperature = 1},
                                         SearchOptions{.temperature = 0.5},
                                         SearchOptions{.temperature = 3},
                                         SearchOptions{.temperature = 1, .top_k = 3},
                                         SearchOptions{.temperature = 1, .top_k = 100},
                                         SearchOptions{.temperature = 1, .top_p = 0.6},
                                         SearchOptions{.temperature = 2, .top_k = 5, .top_p = 0.7},
                                         SearchOptions{.temperature = 1, .top_p = 0.999}));

TEST(SamplerDrawTest, LargeVocabulariesAreDrawnFromEvenly) {
  const std::vector<float> scores(8000, -3.0F);
  Sampler sampler;
  double sum = 0;
  for (int key = 0; key < 2000; ++key) {
    sum += sampler.Sample(scores, {.temperature = 1}, Hash(1, {key}));
  }
  EXPECT_NEAR(sum / 2000, 4000, 4 * 8000 / std::sqrt(12 * 2000));
}

TEST(SamplerDrawTest, HardlyDependsOnRounding) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 2);
  std::normal_distribution<float> noise(0, 1e-6F);
  Sampler sampler;
  int different = 0;
  for (int key = 0; key < 500; ++key) {
    std::vector<float> scores(2000);
    for (float& score : scores) score = normal(random);
    const int drawn = sampler.Sample(scores, {.temperature = 1}, Hash(1, {key}));
    for (float& score : scores) score += noise(random);
    if (sampler.Sample(scores, {.temperature = 1}, Hash(1, {key})) != drawn) ++different;
  }
  EXPECT_LE(different, 1);
}

TEST(SamplerDrawTest, DrawsNothingIfNoTokenIsAllowed) {
  const std::vector<float> nothing = {kNever, kNever, std::nanf("")};
  Sampler sampler;
  EXPECT_EQ(sampler.Sample(nothing, {.temperature = 1}, 1), -1);
  EXPECT_EQ(sampler.Sample(nothing, {.temperature = 1, .top_k = 2, .top_p = 0.5}, 1), -1);
}

TEST(HashTest, DependsOnSeedNumbersAndOrder) {
  EXPECT_EQ(Hash(1, {2, 3}), Hash(1, {2, 3}));
  EXPECT_NE(Hash(1, {2, 3}), Hash(1, {3, 2}));
  EXPECT_NE(Hash(1, {2, 3}), Hash(2, {2, 3}));
  EXPECT_NE(Hash(1, {2}), Hash(1, {2, 0}));
}

// Scores divided by even the smallest temperature must still be comparable numbers.
TEST(SamplerTest, TheSmallestTemperatureIsGreedy) {
  Sampler sampler;
  const std::vector<float> scores = {-3, -1, -2};
  for (const double temperature : {1e-3, 1e-310, 4.9e-324}) {
    for (const double top_p : {1.0, 0.5}) {
      const SearchOptions options = {.temperature = temperature, .top_p = top_p};
      for (uint64_t key = 0; key < 20; ++key) EXPECT_EQ(sampler.Sample(scores, options, key), 1);
    }
  }
}

}  // namespace
}  // namespace limpid::internal

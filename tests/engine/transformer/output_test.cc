#include "engine/transformer/output.h"

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/compute_types.h"

namespace limpid::internal {
namespace {

constexpr int kVocab = 700;
constexpr int kModelDim = 24;
constexpr int kInputs = 5;

class OutputLayerTest : public testing::TestWithParam<ComputeType> {
 protected:
  OutputLayerTest() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    weights_.resize(kVocab * kModelDim);
    bias_.resize(kVocab);
    for (float& value : weights_) value = normal(random);
    for (float& value : bias_) value = normal(random);
    x_.Resize(kInputs, kModelDim);
    for (int i = 0; i < kInputs * kModelDim; ++i) x_.row(0)[i] = normal(random);
  }

  OutputLayer Make(std::vector<int> bad_words) const {
    ModelConfig config;
    config.bad_words = std::move(bad_words);
    const TensorView weight = {.dtype = DType::kFloat32,
                               .shape = {kVocab, kModelDim},
                               .data = reinterpret_cast<const std::byte*>(weights_.data())};
    const TensorView bias = {.dtype = DType::kFloat32,
                             .shape = {kVocab},
                             .data = reinterpret_cast<const std::byte*>(bias_.data())};
    return {config, {weight, bias}, GetParam()};
  }

  Matrix Logits(const OutputLayer& layer) {
    Matrix logits;
    layer.Apply(x_, selection_, logits, products_);
    return logits;
  }

  std::vector<Best> FindBest(const OutputLayer& layer,
                             LogSumExp log_sum_exp = LogSumExp::kCompute) {
    std::vector<Best> best;
    layer.FindBest(x_, selection_, log_sum_exp, best, products_);
    return best;
  }

  const SingleThreadScope single_thread_;
  std::vector<float> weights_;
  std::vector<float> bias_;
  Matrix x_;
  Products products_;
  OutputSelection selection_;
};

TEST_P(OutputLayerTest, SelectedTokensHaveTheLogitsThatTheyHaveAmongAll) {
  const OutputLayer layer = Make({});
  const Matrix all = Logits(layer);
  const std::vector<int> tokens = {0, 3, 4, 299, 300, 699};
  layer.Select(tokens, selection_);
  const Matrix some = Logits(layer);
  for (int row = 0; row < kInputs; ++row) {
    for (int token = 0; token < kVocab; ++token) {
      const bool selected = std::find(tokens.begin(), tokens.end(), token) != tokens.end();
      if (selected) {
        EXPECT_NEAR(some.row(row)[token], all.row(row)[token], 1e-4);
      } else {
        EXPECT_EQ(some.row(row)[token], -std::numeric_limits<float>::infinity());
      }
    }
  }
}

TEST_P(OutputLayerTest, FindsTheBestOfAllAndOfASelection) {
  const OutputLayer layer = Make({});
  const Matrix all = Logits(layer);
  const std::vector<Best> best = FindBest(layer);
  const std::vector<int> tokens = {7, 8, 70, 400};
  layer.Select(tokens, selection_);
  const std::vector<Best> best_of_some = FindBest(layer);
  for (int row = 0; row < kInputs; ++row) {
    EXPECT_EQ(best[row].index, internal::FindBest(all.row(row), kVocab).index);
    int expected = tokens[0];
    for (const int token : tokens) {
      if (all.row(row)[token] > all.row(row)[expected]) expected = token;
    }
    EXPECT_EQ(best_of_some[row].index, expected);
  }
}

TEST_P(OutputLayerTest, FindsTheSameWithAndWithoutLogSumExp) {
  // The screen of float32 cannot decide about these.
  std::fill_n(x_.row(0), kModelDim, 0.0F);
  x_.row(4)[0] = std::numeric_limits<float>::infinity();
  std::fill(bias_.begin(), bias_.end(), 0.5F);
  const OutputLayer layer = Make({0, 3});
  const std::vector<Best> expected = FindBest(layer, LogSumExp::kCompute);
  const std::vector<Best> best = FindBest(layer, LogSumExp::kLeaveOut);
  ASSERT_EQ(best.size(), expected.size());
  EXPECT_EQ(best[0].index, 1);
  for (int row = 0; row < kInputs; ++row) EXPECT_EQ(best[row].index, expected[row].index);
}

TEST_P(OutputLayerTest, NeverFindsABadWord) {
  const std::vector<Best> best = FindBest(Make({}));
  const OutputLayer layer = Make({best[0].index, best[1].index});
  const std::vector<int> tokens = {best[0].index, 699};
  for (const Best& found : FindBest(layer)) {
    EXPECT_NE(found.index, best[0].index);
    EXPECT_NE(found.index, best[1].index);
  }
  layer.Select(tokens, selection_);
  for (const Best& found : FindBest(layer)) EXPECT_EQ(found.index, 699);
}

TEST_P(OutputLayerTest, NaNGivesATokenOfTheSelection) {
  const OutputLayer layer = Make({});
  std::fill_n(x_.row(0), kInputs * kModelDim, std::numeric_limits<float>::quiet_NaN());
  layer.Select({5, 6}, selection_);
  for (const Best& found : FindBest(layer)) {
    EXPECT_THAT(found.index, testing::AnyOf(5, 6));
  }
}

INSTANTIATE_TEST_SUITE_P(ComputeTypes, OutputLayerTest, testing::ValuesIn(SupportedComputeTypes()),
                         NameOf);

}  // namespace
}  // namespace limpid::internal

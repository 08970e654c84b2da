// Against the logits of the plain path.

#include "engine/speed/fast_output.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/compute_types.h"
#include "tests/engine/output_fixture.h"

namespace limpid::internal {
namespace {

class FastOutputTest : public OutputFixture {
 protected:
  void Make(std::vector<int> bad_words) {
    output_ = MakeLayer(std::move(bad_words));
    fast_.emplace(output_, /*drafts=*/false);
  }

  std::vector<MaxLogit> ArgMax(const std::vector<int>& tokens = {},
                               LogSumExp log_sum_exp = LogSumExp::kCompute) {
    std::vector<MaxLogit> best;
    fast_->ArgMax(x_, output_.RestrictVocabulary(tokens), log_sum_exp, scratch_, best, gemm_);
    return best;
  }

  // From the logits of the output layer itself.
  std::vector<MaxLogit> PlainArgMax(const std::vector<int>& tokens = {}) {
    const Matrix logits = Logits(output_, output_.RestrictVocabulary(tokens));
    std::vector<MaxLogit> best;
    for (int row = 0; row < kInputs; ++row) {
      best.push_back(internal::ArgMax(logits.row(row), kVocab));
    }
    return best;
  }

  OutputLayer output_;
  std::optional<FastOutput> fast_;
  FastOutputScratch scratch_;
};

TEST_P(FastOutputTest, FindsTheLargestLogitOfAllAndOfTheActiveTokens) {
  Make({5});
  for (const std::vector<int>& tokens :
       std::vector<std::vector<int>>{{}, {7, 8, 70, 400}, {0, 5, 699}}) {
    const std::vector<MaxLogit> expected = PlainArgMax(tokens);
    for (const LogSumExp log_sum_exp : {LogSumExp::kCompute, LogSumExp::kLeaveOut}) {
      const std::vector<MaxLogit> best = ArgMax(tokens, log_sum_exp);
      ASSERT_EQ(best.size(), expected.size());
      for (int row = 0; row < kInputs; ++row) {
        EXPECT_EQ(best[row].index, expected[row].index);
        EXPECT_NEAR(best[row].logit, expected[row].logit, 1e-4);
        if (log_sum_exp == LogSumExp::kLeaveOut) continue;
        EXPECT_NEAR(best[row].log_sum_exp, expected[row].log_sum_exp, 1e-3);
      }
    }
  }
}

TEST_P(FastOutputTest, FindsTheSameWithAndWithoutLogSumExp) {
  // Rows 0 and 4 are fallback rows of the prefilter.
  std::fill_n(x_.row(0), kModelDim, 0.0F);
  x_.row(4)[0] = std::numeric_limits<float>::infinity();
  std::fill(bias_.begin(), bias_.end(), 0.5F);
  Make({0, 3});
  const std::vector<MaxLogit> expected = ArgMax({}, LogSumExp::kCompute);
  const std::vector<MaxLogit> best = ArgMax({}, LogSumExp::kLeaveOut);
  ASSERT_EQ(best.size(), expected.size());
  EXPECT_EQ(best[0].index, 1);
  for (int row = 0; row < kInputs; ++row) EXPECT_EQ(best[row].index, expected[row].index);
}

TEST_P(FastOutputTest, NeverFindsABadWord) {
  Make({});
  const std::vector<MaxLogit> best = ArgMax();
  Make({best[0].index, best[1].index});
  for (const LogSumExp log_sum_exp : {LogSumExp::kCompute, LogSumExp::kLeaveOut}) {
    for (const MaxLogit& found : ArgMax({}, log_sum_exp)) {
      EXPECT_NE(found.index, best[0].index);
      EXPECT_NE(found.index, best[1].index);
    }
  }
  std::vector<int> tokens = {best[0].index, 699};
  for (const MaxLogit& found : ArgMax(tokens)) EXPECT_EQ(found.index, 699);
}

TEST_P(FastOutputTest, NaNGivesAnActiveToken) {
  Make({});
  std::fill_n(x_.row(0), kInputs * kModelDim, std::numeric_limits<float>::quiet_NaN());
  for (const MaxLogit& found : ArgMax({5, 6})) EXPECT_THAT(found.index, testing::AnyOf(5, 6));
}

INSTANTIATE_TEST_SUITE_P(ComputeTypes, FastOutputTest, testing::ValuesIn(SupportedComputeTypes()),
                         NameOf);

}  // namespace
}  // namespace limpid::internal

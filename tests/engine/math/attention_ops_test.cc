// Each function against plain arithmetic in double.

#include "engine/math/attention_ops.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/simd_fixture.h"

namespace limpid::internal {
namespace {

using testing::Each;

class AttentionOpsTest : public SimdTest {};

// Rows scattered in memory. All columns but those of the heads are NaN, to catch reads of them.
struct ScatteredRows {
  ScatteredRows(int count, ptrdiff_t offset, int head_dim, std::mt19937& random) {
    const ptrdiff_t width = offset + head_dim + kGuard;
    memory.assign(width * count * 3, kNaN);
    std::normal_distribution<float> normal;
    for (int i = 0; i < count; ++i) {
      float* row = memory.data() + width * 3 * i + i % 5;
      for (int column = 0; column < head_dim; ++column) row[offset + column] = normal(random);
      rows.push_back(row);
    }
    std::shuffle(rows.begin(), rows.end(), random);
  }
  RowList list() const { return {rows.data(), static_cast<int>(rows.size())}; }

  std::vector<float> memory;
  std::vector<const float*> rows;
};

TEST_P(AttentionOpsTest, QueryKeyScoresAreScaledDotProducts) {
  for (const int head_dim : Sizes()) {
    for (const int count : {1, 2, 3, 4, 5, 9, 16, 17}) {
      const Heads shape = {3, head_dim};
      const ptrdiff_t offset = 3 * count + head_dim;
      const ScatteredRows keys(count, offset, 3 * head_dim, random_);
      const std::vector<float> query = Normal(3 * head_dim);
      std::vector<float> scores = Output(3 * PaddedKeys(count));
      QueryKeyScores(query.data(), keys.list(), offset, shape, 0.3F, scores.data());
      for (int i = 0; i < 3 * count; ++i) {
        const int head = i / count;
        const int k = i % count;
        double dot = 0;
        double magnitude = 0;
        for (int column = head * head_dim; column < (head + 1) * head_dim; ++column) {
          const double term = double{query[column]} * keys.rows[k][offset + column] * 0.3F;
          dot += term;
          magnitude += std::abs(term);
        }
        ASSERT_NEAR(scores[head * PaddedKeys(count) + k], dot, (head_dim + 2) * kUnit * magnitude)
            << head_dim;
      }
      ExpectGuardUntouched(scores);
    }
  }
}

// Bit for bit, a key's score depends neither on the number of keys nor on its place among them.
TEST_P(AttentionOpsTest, QueryKeyScoresDoNotDependOnThePlaceInTheList) {
  const Heads shape = {2, kOddSize};
  const ScatteredRows keys(9, 0, 2 * kOddSize, random_);
  const std::vector<float> query = Normal(2 * kOddSize);
  std::vector<float> all = Output(2 * PaddedKeys(9));
  QueryKeyScores(query.data(), keys.list(), 0, shape, 0.3F, all.data());
  for (int k = 0; k < 9; ++k) {
    std::vector<float> alone = Output(2 * PaddedKeys(1));
    QueryKeyScores(query.data(), {keys.list().rows + k, 1}, 0, shape, 0.3F, alone.data());
    EXPECT_EQ(alone[0], all[k]);
    EXPECT_EQ(alone[PaddedKeys(1)], all[PaddedKeys(9) + k]);
  }
}

TEST_P(AttentionOpsTest, WeightedSumAddsTheWeightedRows) {
  for (const int head_dim : Sizes()) {
    for (const int count : {1, 2, 9, 17}) {
      const Heads shape = {3, head_dim};
      const int stride = PaddedKeys(count);
      const ptrdiff_t offset = 3 * count + head_dim;
      const ScatteredRows values(count, offset, 3 * head_dim, random_);
      std::vector<float> weights = Normal(3 * stride);
      for (int i = 0; i < 3 * stride; ++i) {
        if (i % stride >= count) weights[i] = kNaN;  // padding is ignored
      }
      std::vector<float> out = Output(3 * head_dim);
      WeightedSum(weights.data(), values.list(), offset, shape, out.data());
      for (int i = 0; i < 3 * head_dim; ++i) {
        double sum = 0;
        double magnitude = 0;
        for (int k = 0; k < count; ++k) {
          const double term =
              double{weights[i / head_dim * stride + k]} * values.rows[k][offset + i];
          sum += term;
          magnitude += std::abs(term);
        }
        ASSERT_NEAR(out[i], sum, (count + 1) * kUnit * magnitude) << head_dim;
      }
      ExpectGuardUntouched(out);
    }
  }
}

// With means of ±20000 and deviations of 100, exp would over- and underflow if Softmax did not
// subtract the largest score. Every fifth score is -infinity.
TEST_P(AttentionOpsTest, SoftmaxOfAnySizeAndRange) {
  for (const int size : Sizes()) {
    for (const float mean : {-20000.0F, 0.0F, 20000.0F}) {
      for (const float deviation : {1.0F, 100.0F}) {
        std::vector<float> x = Normal(size, deviation, mean);
        for (int i = 4; i < size; i += 5) x[i] = -kInfinity;
        const int stride = PaddedKeys(size);
        std::vector<float> out = Output(2 * stride);
        std::copy(x.begin(), x.end(), out.begin());
        std::copy(x.rbegin(), x.rend(), out.begin() + stride);
        Softmax(2, size, out.data());
        for (int i = 0; i < size; ++i) ASSERT_NEAR(out[i], out[stride + size - 1 - i], 1e-6);
        const double log_sum = LogOfSumOfExp(x);
        double sum = 0;
        for (int i = 0; i < size; ++i) {
          sum += out[i];
          const double expected = std::exp(x[i] - log_sum);
          // Rounding x - largest to one part in 2^24 changes exp by |x - largest| such parts.
          const double roundings = std::isinf(x[i]) ? 0 : 8 + size + std::abs(x[i] - log_sum);
          ASSERT_NEAR(out[i], expected, roundings * kUnit * expected + 1e-37);
        }
        EXPECT_NEAR(sum, 1, 1e-6) << size;
        ExpectGuardUntouched(out);
      }
    }
  }
}

TEST_P(AttentionOpsTest, SoftmaxOfOneIsOne) {
  for (const float x : {-3e38F, -1.0F, 0.0F, 100.0F, 3e38F}) {
    std::vector<float> out(PaddedKeys(1), x);
    Softmax(1, 1, out.data());
    EXPECT_EQ(out[0], 1);
  }
}

TEST_P(AttentionOpsTest, SoftmaxOfEqualsIsEqual) {
  std::vector<float> x(PaddedKeys(kOddSize), 0.7F);
  Softmax(1, kOddSize, x.data());
  x.resize(kOddSize);
  EXPECT_THAT(x, Each(x[0]));
  EXPECT_NEAR(x[0], 1.0 / kOddSize, 40 * kUnit / kOddSize);
}

LIMPID_ON_ALL_INSTRUCTION_SETS(AttentionOpsTest);

}  // namespace
}  // namespace limpid::internal

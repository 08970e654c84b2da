#include "engine/transformer/output.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/compute_types.h"
#include "tests/engine/output_fixture.h"

namespace limpid::internal {
namespace {

using OutputLayerTest = OutputFixture;

constexpr float kNever = -std::numeric_limits<float>::infinity();

TEST_P(OutputLayerTest, ActiveTokensKeepTheirLogits) {
  const OutputLayer layer = MakeLayer({});
  const Matrix all = Logits(layer);
  const std::vector<int> tokens = {0, 3, 4, 299, 300, 699};
  const Matrix some = Logits(layer, layer.RestrictVocabulary(tokens));
  for (int row = 0; row < kInputs; ++row) {
    for (int token = 0; token < kVocab; ++token) {
      if (std::binary_search(tokens.begin(), tokens.end(), token)) {
        EXPECT_NEAR(some.row(row)[token], all.row(row)[token], 1e-4);
      } else {
        EXPECT_EQ(some.row(row)[token], kNever);
      }
    }
  }
}

TEST_P(OutputLayerTest, AnEmptyListActivatesTheWholeVocabulary) {
  const OutputLayer layer = MakeLayer({});
  EXPECT_TRUE(layer.RestrictVocabulary({}).is_whole());
  EXPECT_FALSE(layer.RestrictVocabulary({1}).is_whole());
}

TEST_P(OutputLayerTest, BadWordsHaveMinusInfinity) {
  const Matrix expected = Logits(MakeLayer({}));
  // Even if their weights are broken.
  weights_[3 * kModelDim] = std::numeric_limits<float>::quiet_NaN();
  weights_[699 * kModelDim] = std::numeric_limits<float>::infinity();
  const OutputLayer layer = MakeLayer({3, 699});
  for (const std::vector<int>& tokens : std::vector<std::vector<int>>{{}, {2, 3, 4, 699}}) {
    const Matrix logits = Logits(layer, layer.RestrictVocabulary(tokens));
    for (int row = 0; row < kInputs; ++row) {
      EXPECT_EQ(logits.row(row)[3], kNever);
      EXPECT_EQ(logits.row(row)[699], kNever);
      EXPECT_NEAR(logits.row(row)[4], expected.row(row)[4], 1e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ComputeTypes, OutputLayerTest, testing::ValuesIn(SupportedComputeTypes()),
                         NameOf);

}  // namespace
}  // namespace limpid::internal

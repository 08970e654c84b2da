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

  Matrix Logits(const OutputLayer& layer, ActiveVocabulary active = {}) {
    Matrix logits;
    layer.Apply(x_, active, logits, gemm_);
    return logits;
  }

  const SingleThreadScope single_thread_;
  std::vector<float> weights_;
  std::vector<float> bias_;
  Matrix x_;
  Gemm gemm_;
};

constexpr float kNever = -std::numeric_limits<float>::infinity();

TEST_P(OutputLayerTest, ActiveTokensKeepTheirLogits) {
  const OutputLayer layer = Make({});
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
  const OutputLayer layer = Make({});
  EXPECT_TRUE(layer.RestrictVocabulary({}).is_whole());
  EXPECT_FALSE(layer.RestrictVocabulary({1}).is_whole());
}

TEST_P(OutputLayerTest, BadWordsHaveMinusInfinity) {
  const Matrix expected = Logits(Make({}));
  // Even if their weights are broken.
  weights_[3 * kModelDim] = std::numeric_limits<float>::quiet_NaN();
  weights_[699 * kModelDim] = std::numeric_limits<float>::infinity();
  const OutputLayer layer = Make({3, 699});
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

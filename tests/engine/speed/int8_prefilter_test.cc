// Against the logits themselves, in double precision.

#include "engine/speed/int8_prefilter.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

constexpr int kVocab = 3000;  // several panels
constexpr int kModelDim = 40;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class Int8PrefilterTest : public testing::Test {
 protected:
  Int8PrefilterTest() : weights_(Normal(kVocab * kModelDim)), bias_(Normal(kVocab)) {}

  std::vector<float> Normal(int size) {
    std::normal_distribution<float> normal;
    std::vector<float> values(size);
    for (float& value : values) value = normal(random_);
    return values;
  }

  LinearWeights Layer() const {
    return {{.dtype = DType::kFloat32,
             .shape = {kVocab, kModelDim},
             .data = reinterpret_cast<const std::byte*>(weights_.data())},
            {.dtype = DType::kFloat32,
             .shape = {kVocab},
             .data = reinterpret_cast<const std::byte*>(bias_.data())}};
  }

  Matrix RandomInputs(int rows) {
    Matrix x;
    x.Resize(rows, kModelDim);
    const std::vector<float> values = Normal(rows * kModelDim);
    std::copy(values.begin(), values.end(), x.row(0));
    return x;
  }

  double Logit(const float* x, int token) const {
    return std::inner_product(x, x + kModelDim, &weights_[token * kModelDim], double{bias_[token]});
  }

  int PlainArgMax(const float* x) const {
    int best = 0;
    for (int token = 1; token < kVocab; ++token) {
      if (Logit(x, token) > Logit(x, best)) best = token;
    }
    return best;
  }

  // Makes tokens that are equal in int8. For an input of PointTo, the last is the best.
  void MakeAlike(int first, int last) {
    weights_[first * kModelDim] = 2;
    for (int token = first + 1; token <= last; ++token) {
      float* weights = &weights_[token * kModelDim];
      std::copy_n(&weights_[first * kModelDim], kModelDim, weights);
      weights[0] *= 1 + 3e-4F * static_cast<float>(token - first);
      bias_[token] = bias_[first];
    }
  }

  // Sets x to an input whose best token is `token` or one that MakeAlike made equal to it.
  void PointTo(int token, float* x) const {
    for (int i = 0; i < kModelDim; ++i) x[i] = 3 * weights_[token * kModelDim + i];
  }

  std::vector<MaxLogit> ArgMax(const Int8Prefilter& prefilter, const Matrix& x) {
    std::vector<MaxLogit> best;
    prefilter.ArgMax(x, best, scratch_, gemm_);
    return best;
  }

  const SingleThreadScope single_thread_;
  std::mt19937 random_{1};
  std::vector<float> weights_;
  std::vector<float> bias_;
  PrefilterScratch scratch_;
  Gemm gemm_;
};

TEST_F(Int8PrefilterTest, FindsTheBestTokenAndItsLogit) {
  const Int8Prefilter prefilter(Layer(), {});
  const Matrix x = RandomInputs(300);
  const std::vector<MaxLogit> best = ArgMax(prefilter, x);
  // Inputs of 7 bits (without VNNI) may give a few rows too many candidates.
  EXPECT_THAT(scratch_.fallback_rows, SizeIs(Le(3)));
  for (int row = 0; row < x.rows(); ++row) {
    if (std::count(scratch_.fallback_rows.begin(), scratch_.fallback_rows.end(), row) > 0) continue;
    EXPECT_EQ(best[row].index, PlainArgMax(x.row(row)));
    EXPECT_NEAR(best[row].logit, Logit(x.row(row), best[row].index), 1e-4);
  }
}

TEST_F(Int8PrefilterTest, TellsApartTokensThatAreEqualInInt8) {
  MakeAlike(100, 109);
  Matrix x = RandomInputs(1);
  PointTo(100, x.row(0));
  const std::vector<MaxLogit> best = ArgMax(Int8Prefilter(Layer(), {}), x);
  EXPECT_THAT(scratch_.fallback_rows, IsEmpty());
  EXPECT_EQ(best[0].index, 109);
}

// Summed in another order, the other token may be the best.
TEST_F(Int8PrefilterTest, FallsBackIfTheBestAreWithinRounding) {
  std::copy_n(&weights_[100 * kModelDim], kModelDim, &weights_[2900 * kModelDim]);
  bias_[2900] = bias_[100];
  weights_[2900 * kModelDim] *= 1 + 1e-7F;
  Matrix x = RandomInputs(2);
  PointTo(100, x.row(1));
  ArgMax(Int8Prefilter(Layer(), {}), x);
  EXPECT_THAT(scratch_.fallback_rows, ElementsAre(1));
}

TEST_F(Int8PrefilterTest, FallsBackOnTooManyCandidates) {
  MakeAlike(100, 100 + PrefilterCandidates::kMax - 1);
  MakeAlike(200, 200 + PrefilterCandidates::kMax);
  Matrix x = RandomInputs(3);
  PointTo(100, x.row(1));
  PointTo(200, x.row(2));
  const std::vector<MaxLogit> best = ArgMax(Int8Prefilter(Layer(), {}), x);
  EXPECT_THAT(scratch_.fallback_rows, ElementsAre(2));
  EXPECT_EQ(best[0].index, PlainArgMax(x.row(0)));
  EXPECT_EQ(best[1].index, 100 + PrefilterCandidates::kMax - 1);
}

TEST_F(Int8PrefilterTest, FallsBackOnInputsThatAreNotFinite) {
  const Int8Prefilter prefilter(Layer(), {});
  Matrix x = RandomInputs(4);
  x.row(0)[3] = kNaN;
  x.row(1)[4] = kInfinity;
  x.row(3)[5] = -kInfinity;
  const std::vector<MaxLogit> best = ArgMax(prefilter, x);
  EXPECT_THAT(scratch_.fallback_rows, ElementsAre(0, 1, 3));
  EXPECT_EQ(best[2].index, PlainArgMax(x.row(2)));
}

TEST_F(Int8PrefilterTest, FallsBackOnWeightsThatAreNotFinite) {
  for (const float broken : {kInfinity, kNaN}) {
    weights_[7] = broken;
    ArgMax(Int8Prefilter(Layer(), {}), RandomInputs(2));
    EXPECT_THAT(scratch_.fallback_rows, ElementsAre(0, 1));
  }
}

TEST_F(Int8PrefilterTest, NeverFindsABadWord) {
  Matrix x = RandomInputs(1);
  PointTo(100, x.row(0));
  const Int8Prefilter prefilter(Layer(), {100});
  bias_[100] = -1e9F;
  EXPECT_EQ(ArgMax(prefilter, x)[0].index, PlainArgMax(x.row(0)));
}

// A scale made for inputs below 1 would clip larger ones.
TEST_F(Int8PrefilterTest, IgnoresTheModelsInputScale) {
  std::vector<int8_t> integers(weights_.size());
  for (size_t i = 0; i < weights_.size(); ++i) {
    integers[i] = static_cast<int8_t>(std::clamp(40 * weights_[i], -127.0F, 127.0F));
    weights_[i] = integers[i];
  }
  const std::vector<float> scales(kVocab, 1.0F);
  LinearWeights layer = Layer();
  layer.weight.dtype = DType::kInt8;
  layer.weight.data = reinterpret_cast<const std::byte*>(integers.data());
  layer.weight.scales = scales.data();
  layer.weight.input_scale = 1.0F / 127;
  const Matrix x = RandomInputs(50);
  const std::vector<MaxLogit> best = ArgMax(Int8Prefilter(layer, {}), x);
  for (int row = 0; row < x.rows(); ++row) EXPECT_EQ(best[row].index, PlainArgMax(x.row(row)));
}

}  // namespace
}  // namespace limpid::internal

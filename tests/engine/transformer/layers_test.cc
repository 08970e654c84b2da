#include "engine/transformer/layers.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/model/float16.h"
#include "tests/engine/made_up_weights.h"

namespace limpid::internal {
namespace {

using testing::FloatNear;
using testing::Pointwise;

constexpr double kUnit = 1.0 / (1 << 24);  // float32 rounds to one part in 2^24

Matrix MatrixOf(int rows, int columns, const std::vector<float>& values) {
  Matrix matrix;
  matrix.Resize(rows, columns);
  std::copy(values.begin(), values.end(), matrix.row(0));
  return matrix;
}

std::vector<float> ValuesOf(const Matrix& matrix) {
  return {matrix.row(0), matrix.row(0) + static_cast<ptrdiff_t>(matrix.rows()) * matrix.columns()};
}

// LayerNorm of each row of `columns` elements, in double.
std::vector<float> LayerNormInDouble(std::vector<float> x, int columns,
                                     const std::vector<float>& scale,
                                     const std::vector<float>& bias) {
  for (size_t begin = 0; begin < x.size(); begin += columns) {
    double mean = 0;
    double variance = 0;
    for (int i = 0; i < columns; ++i) mean += x[begin + i] / columns;
    for (int i = 0; i < columns; ++i) variance += std::pow(x[begin + i] - mean, 2) / columns;
    for (int i = 0; i < columns; ++i) {
      x[begin + i] = static_cast<float>(
          (x[begin + i] - mean) / std::sqrt(variance + 1e-5) * scale[i] + bias[i]);
    }
  }
  return x;
}

struct StoredNorm {
  explicit StoredNorm(int size) : scale(Normal(size, 71, 1)), bias(Normal(size, 72)) {}
  LayerNormWeights view() const {
    const auto size = static_cast<int64_t>(scale.size());
    return {View(scale, {size}), View(bias, {size})};
  }
  std::vector<float> scale;
  std::vector<float> bias;
};

TEST(LayerNormTest, NormalizesEachRow) {
  const StoredNorm stored(10);
  const LayerNorm norm(stored.view(), 1e-5F);
  std::vector<float> values = Normal(30, 1);
  for (int i = 10; i < 20; ++i) values[i] = 100 * values[i] + 1000;
  const std::vector<float> expected = LayerNormInDouble(values, 10, stored.scale, stored.bias);

  Matrix x = MatrixOf(3, 10, values);
  Matrix out;
  norm.Apply(x, out);
  EXPECT_THAT(ValuesOf(out), Pointwise(FloatNear(1e-4), expected));
  EXPECT_EQ(ValuesOf(x), values);

  norm.Apply(x, x);
  EXPECT_EQ(ValuesOf(x), ValuesOf(out));
}

TEST(LayerNormTest, EpsilonIsPartOfTheVariance) {
  const std::vector<float> ones(2, 1.0F);
  const std::vector<float> zeros(2, 0.0F);
  const LayerNorm norm({View(ones, {2}), View(zeros, {2})}, /*epsilon=*/3);
  Matrix x = MatrixOf(1, 2, {-1, 1});  // variance 1, 1 + epsilon = 4
  norm.Apply(x, x);
  EXPECT_THAT(ValuesOf(x), Pointwise(FloatNear(1e-7F), {-0.5F, 0.5F}));
}

constexpr int kVocab = 7;
constexpr int kMaxPositions = 20;

class EmbeddingTest : public testing::Test {
 protected:
  EmbeddingTest() { SetModelDim(12); }

  void SetModelDim(int model_dim) {
    config_.model_dim = model_dim;
    config_.embedding_scale = 3.5F;
    config_.max_positions = kMaxPositions;
    table_ = Normal(kVocab * model_dim, 1);
    learned_ = Normal(kMaxPositions * model_dim, 2);
    weights_.embedding = View(table_, {kVocab, model_dim});
    weights_.positions = View(learned_, {kMaxPositions, model_dim});
  }

  // One row, before Finish.
  std::vector<float> Lookup(int token, int position) const {
    const Embedding embedding(config_, weights_);
    EXPECT_EQ(embedding.model_dim(), config_.model_dim);
    Matrix x;
    x.Resize(1, config_.model_dim);
    embedding.Lookup(token, position, 0, x);
    return ValuesOf(x);
  }

  // Looks up every token at every position, and expects its scaled embedding plus
  // position_at(position, column).
  template <typename PositionAt>
  void ExpectPositions(const PositionAt& position_at) const {
    const int model_dim = config_.model_dim;
    for (int position = 0; position < kMaxPositions; ++position) {
      for (int token = -1; token < kVocab; ++token) {
        const std::vector<float> row = Lookup(token, position);
        for (int i = 0; i < model_dim; ++i) {
          const double embedding = token < 0 ? 0 : double{table_[token * model_dim + i]} * 3.5;
          // The position, the product and the sum each round once.
          ASSERT_NEAR(row[i], embedding + position_at(position, i),
                      2 * kUnit * (std::abs(embedding) + 1 + std::abs(row[i])))
              << "token " << token << ", position " << position << ", column " << i;
        }
      }
    }
  }

  ModelConfig config_;
  StackWeights weights_;
  std::vector<float> table_;
  std::vector<float> learned_;
};

TEST_F(EmbeddingTest, SinusoidsOfThePaper) {
  ExpectPositions([](int position, int column) {
    const double angle = position / std::pow(10000.0, 2.0 * (column % 6) / 12);
    return column < 6 ? std::sin(angle) : std::cos(angle);
  });
}

TEST_F(EmbeddingTest, SinusoidsOfMarian) {
  config_.positions = Positions::kSinusoidalMarian;
  ExpectPositions([](int position, int column) {
    const double angle = position / std::pow(10000.0, (column % 6) / 5.0);
    return column < 6 ? std::sin(angle) : std::cos(angle);
  });
}

TEST_F(EmbeddingTest, PositionsMayBeginAtOne) {
  config_.first_position = 1;
  ExpectPositions([](int position, int column) {
    const double angle = (position + 1) / std::pow(10000.0, 2.0 * (column % 6) / 12);
    return column < 6 ? std::sin(angle) : std::cos(angle);
  });
}

// Seven columns: four sines, then three cosines.
TEST_F(EmbeddingTest, AnOddWidthHasOneMoreSine) {
  SetModelDim(7);
  ExpectPositions([](int position, int column) {
    const double angle = position / std::pow(10000.0, 2.0 * (column % 4) / 7);
    return column < 4 ? std::sin(angle) : std::cos(angle);
  });
}

// Marian's d/2 - 1 is 0 here: its only frequency is 1.
TEST_F(EmbeddingTest, MarianSinusoidsOfTwoColumns) {
  SetModelDim(2);
  config_.positions = Positions::kSinusoidalMarian;
  ExpectPositions([](int position, int column) {
    return column == 0 ? std::sin(position) : std::cos(position);
  });
}

TEST_F(EmbeddingTest, LearnedPositionsAreThoseOfTheModel) {
  config_.positions = Positions::kLearned;
  ExpectPositions([&](int position, int column) { return learned_[position * 12 + column]; });
}

TEST_F(EmbeddingTest, ReadsATableInFloat16) {
  const std::vector<float> in_float32 = Lookup(3, 5);
  std::vector<uint16_t> halves(table_.size());
  std::transform(table_.begin(), table_.end(), halves.begin(), Float32ToFloat16);
  weights_.embedding.dtype = DType::kFloat16;
  weights_.embedding.data = reinterpret_cast<const std::byte*>(halves.data());
  // Half a unit of float16, 2^-11, of values up to 3 · 3.5.
  EXPECT_THAT(Lookup(3, 5), Pointwise(FloatNear(10.5F / 2048), in_float32));
}

TEST_F(EmbeddingTest, FinishAppliesTheModelsLayerNorm) {
  const StoredNorm stored(12);
  weights_.embedding_norm = stored.view();
  for (const bool has_norm : {false, true}) {
    config_.embedding_norm = has_norm;
    const Embedding embedding(config_, weights_);
    Matrix x;
    x.Resize(2, 12);
    embedding.Lookup(3, 0, 0, x);
    embedding.Lookup(-1, 1, 1, x);
    const std::vector<float> raw = ValuesOf(x);
    embedding.Finish(x);
    if (has_norm) {
      EXPECT_THAT(ValuesOf(x), Pointwise(FloatNear(1e-5F),
                                         LayerNormInDouble(raw, 12, stored.scale, stored.bias)));
    } else {
      EXPECT_EQ(ValuesOf(x), raw);
    }
  }
}

TEST(FeedForwardTest, AddsTheOutputOfTwoLayers) {
  const int model_dim = 6;
  const int ffn_dim = 9;
  const int rows = 5;
  const SingleThreadScope single_thread;
  const std::vector<float> w1 = Normal(ffn_dim * model_dim, 1);
  const std::vector<float> b1 = Normal(ffn_dim, 2);
  const std::vector<float> w2 = Normal(model_dim * ffn_dim, 3);
  const std::vector<float> b2 = Normal(model_dim, 4);
  const FeedForward feed_forward(
      {.hidden = {View(w1, {ffn_dim, model_dim}), View(b1, {ffn_dim})},
       .output = {View(w2, {model_dim, ffn_dim}), View(b2, {model_dim})}},
      Activation::kRelu, ComputeType::kFloat32);
  const std::vector<float> in = Normal(rows * model_dim, 5);
  const std::vector<float> residual = Normal(rows * model_dim, 6);

  // relu(x W₁ᵀ + b₁) W₂ᵀ + b₂
  std::vector<double> sublayer(rows * model_dim);
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < model_dim; ++i) sublayer[row * model_dim + i] = b2[i];
    for (int h = 0; h < ffn_dim; ++h) {
      double hidden = b1[h];
      for (int i = 0; i < model_dim; ++i) {
        hidden += double{in[row * model_dim + i]} * w1[h * model_dim + i];
      }
      for (int i = 0; i < model_dim; ++i) {
        sublayer[row * model_dim + i] += std::max(0.0, hidden) * w2[i * ffn_dim + h];
      }
    }
  }
  const Matrix x = MatrixOf(rows, model_dim, in);
  Matrix y = MatrixOf(rows, model_dim, residual);
  Matrix both = MatrixOf(rows, model_dim, in);
  Matrix hidden;
  Gemm gemm;
  feed_forward.ApplyAndAdd(x, y, hidden, gemm);
  feed_forward.ApplyAndAdd(both, both, hidden, gemm);
  for (int i = 0; i < rows * model_dim; ++i) {
    EXPECT_NEAR(y.row(0)[i], residual[i] + sublayer[i], 2e-5);
    EXPECT_NEAR(both.row(0)[i], in[i] + sublayer[i], 2e-5);
  }
}

// The sublayer of these tests is 2 x + 1.
class ApplyWithResidualTest : public testing::Test {
 protected:
  std::vector<float> Apply(NormOrder order) {
    Matrix x = MatrixOf(2, 8, values_);
    Matrix normed;
    ApplyWithResidual(order, LayerNorm(norm_.view(), 1e-5F), x, normed,
                      [](const Matrix& in, Matrix& out) {
                        const std::vector<float> input = ValuesOf(in);
                        for (int i = 0; i < 16; ++i) out.row(0)[i] += 2 * input[i] + 1;
                      });
    return ValuesOf(x);
  }

  const StoredNorm norm_{8};
  const std::vector<float> values_ = Normal(16, 1);
};

TEST_F(ApplyWithResidualTest, PostNormNormalizesTheSum) {
  std::vector<float> sum = values_;
  for (float& value : sum) value += 2 * value + 1;
  EXPECT_THAT(Apply(NormOrder::kPost),
              Pointwise(FloatNear(1e-5F), LayerNormInDouble(sum, 8, norm_.scale, norm_.bias)));
}

TEST_F(ApplyWithResidualTest, PreNormNormalizesTheSublayersInput) {
  std::vector<float> expected = LayerNormInDouble(values_, 8, norm_.scale, norm_.bias);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = values_[i] + 2 * expected[i] + 1;
  EXPECT_THAT(Apply(NormOrder::kPre), Pointwise(FloatNear(1e-5F), expected));
}

}  // namespace
}  // namespace limpid::internal

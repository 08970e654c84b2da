// Each function against plain arithmetic in double.

#include "engine/math/ops.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/simd_fixture.h"

namespace limpid::internal {
namespace {

using testing::AllOf;
using testing::Each;
using testing::Ge;
using testing::Lt;

constexpr Activation kActivations[] = {Activation::kRelu, Activation::kGelu, Activation::kGeluTanh,
                                       Activation::kGeluSigmoid, Activation::kSwish};

double Activate(double x, Activation activation) {
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  switch (activation) {
    case Activation::kRelu:
      return std::max(0.0, x);
    case Activation::kGelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case Activation::kGeluTanh:
      return x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
    case Activation::kGeluSigmoid:
      return x * sigmoid(1.702 * x);
    case Activation::kSwish:
      return x * sigmoid(x);
  }
  return 0;
}

enum class Kind { kFloat, kInt8 };
constexpr Kind kKinds[] = {Kind::kFloat, Kind::kInt8};

constexpr int kRows = 6;  // a block of four and two left over

// The result of a float32 or int8 GEMM, and the values it represents.
struct Product {
  Kind kind = Kind::kFloat;
  std::vector<float> floats;      // [kRows, columns]
  std::vector<int32_t> integers;  // [kRows, columns]
  std::vector<float> bias;
  std::vector<float> scales;
  std::vector<int32_t> offsets;
  std::vector<float> input_scales = {0.0137F, 0.5F, 1, 0.02F, 0, 3};

  int columns() const { return static_cast<int>(bias.size()); }
  ProductRows rows() const {
    ProductRows rows = {
        .values = floats.data(), .rows = kRows, .columns = columns(), .bias = bias.data()};
    if (kind == Kind::kInt8) {
      rows.values = integers.data();
      rows.scales = scales.data();
      rows.offsets = offsets.data();
      rows.input_scales = input_scales.data();
    }
    return rows;
  }
  double WithoutBias(int row, int i) const {
    const int place = row * columns() + i;
    return kind == Kind::kFloat
               ? double{floats[place]}
               : 1.0 * (integers[place] - offsets[i]) * input_scales[row] * scales[i];
  }
  double value(int row, int i) const { return WithoutBias(row, i) + bias[i]; }
  // Error bound of a value: the scale, the product and the sum each round once.
  double tolerance(int row, int i) const {
    return 3 * kUnit * (std::abs(WithoutBias(row, i)) + std::abs(bias[i]));
  }
};

// Output rows, each followed by a guard that must stay untouched.
class Finished {
 public:
  explicit Finished(int columns, float before = 0) : columns_(columns) {
    for (std::vector<float>& row : rows_) {
      row.assign(columns, before);
      row.resize(stride(), kUntouched);
    }
  }

  size_t stride() const { return columns_ + kGuard; }
  std::vector<float>& operator[](int row) { return rows_[row]; }
  // Calls finish(out, stride) on all rows in one buffer.
  template <typename Finish>
  void Run(const Finish& finish) {
    std::vector<float> memory;
    for (const std::vector<float>& row : rows_) memory.insert(memory.end(), row.begin(), row.end());
    finish(memory.data(), stride());
    for (int row = 0; row < kRows; ++row) {
      const auto begin = memory.begin() + static_cast<ptrdiff_t>(row * stride());
      rows_[row].assign(begin, begin + static_cast<ptrdiff_t>(stride()));
      ExpectGuardUntouched(rows_[row]);
      rows_[row].resize(columns_);
    }
  }

 private:
  int columns_;
  std::array<std::vector<float>, kRows> rows_;
};

class OpsTest : public SimdTest {
 protected:
  Product RandomProduct(Kind kind, int columns) {
    Product product;
    product.kind = kind;
    product.bias = Normal(columns);
    if (kind == Kind::kFloat) {
      product.floats = Normal(kRows * columns, 3);
      return product;
    }
    product.integers.resize(kRows * columns);
    std::normal_distribution<float> normal(0, 20000);
    for (int32_t& value : product.integers) value = static_cast<int32_t>(normal(random_));
    product.scales = Normal(columns, 0.001F, 0.01F);
    for (int i = 0; i < columns; ++i) product.offsets.push_back(1000 * (i % 7));
    return product;
  }

  // A product whose values are all the same.
  Product ConstantProduct(Kind kind, int columns) {
    Product product = RandomProduct(kind, 1);
    product.floats.assign(kRows * columns, kind == Kind::kFloat ? product.floats[0] : 0);
    product.integers.assign(kRows * columns, kind == Kind::kInt8 ? product.integers[0] : 0);
    product.scales.resize(columns, kind == Kind::kInt8 ? product.scales[0] : 0);
    product.offsets.resize(columns, kind == Kind::kInt8 ? product.offsets[0] : 0);
    product.bias.resize(columns, product.bias[0]);
    product.input_scales.assign(kRows, product.input_scales[0]);
    return product;
  }
};

TEST_P(OpsTest, AddBiasGivesTheProduct) {
  for (const Kind kind : kKinds) {
    for (const int size : Sizes()) {
      const Product product = RandomProduct(kind, size);
      Finished out(size);
      out.Run([&](float* to, size_t stride) { AddBias(product.rows(), to, stride); });
      for (int row = 0; row < kRows; ++row) {
        for (int i = 0; i < size; ++i) {
          ASSERT_NEAR(out[row][i], product.value(row, i), product.tolerance(row, i));
        }
      }
    }
  }
}

TEST_P(OpsTest, AddBiasAndResidualAddsTheProduct) {
  for (const Kind kind : kKinds) {
    for (const int size : Sizes()) {
      const Product product = RandomProduct(kind, size);
      Finished out(size);
      Finished residual(size);
      for (int row = 0; row < kRows; ++row) {
        residual[row] = Normal(size);
        std::copy(residual[row].begin(), residual[row].end(), out[row].begin());
      }
      out.Run([&](float* to, size_t stride) { AddBiasAndResidual(product.rows(), to, stride); });
      for (int row = 0; row < kRows; ++row) {
        for (int i = 0; i < size; ++i) {
          const double expected = residual[row][i] + product.value(row, i);
          ASSERT_NEAR(out[row][i], expected,
                      product.tolerance(row, i) + kUnit * std::abs(expected));
        }
      }
    }
  }
}

TEST_P(OpsTest, ActivationsFollowTheirFormulas) {
  for (const Activation activation : kActivations) {
    for (const Kind kind : kKinds) {
      for (const int size : Sizes()) {
        const Product product = RandomProduct(kind, size);
        Finished out(size);
        out.Run([&](float* to, size_t stride) {
          AddBiasAndActivate(product.rows(), activation, to, stride);
        });
        for (int row = 0; row < kRows; ++row) {
          for (int i = 0; i < size; ++i) {
            const double value = product.value(row, i);
            // No slope exceeds 1.2; the functions themselves take about eight roundings.
            ASSERT_NEAR(out[row][i], Activate(value, activation),
                        1.2 * product.tolerance(row, i) + 8 * kUnit * std::abs(value))
                << ActivationName(activation) << " of " << value;
          }
        }
      }
    }
  }
}

// Large inputs must reach the limits, 0 and x, without overflowing to NaN or wrapping around.
TEST_P(OpsTest, ActivationsOfExtremeInputs) {
  const std::vector<float> magnitudes = {10, 13, 14, 30, 88, 100, 105, 180, 1000, 1e10F, 1e30F};
  std::vector<float> inputs;
  for (const float x : magnitudes) inputs.insert(inputs.end(), {x, -x});
  Product product;
  product.bias.assign(inputs.size(), 0.0F);
  for (int row = 0; row < kRows; ++row) {
    product.floats.insert(product.floats.end(), inputs.begin(), inputs.end());
  }
  for (const Activation activation : kActivations) {
    Finished out(product.columns());
    out.Run([&](float* to, size_t stride) {
      AddBiasAndActivate(product.rows(), activation, to, stride);
    });
    for (int row = 0; row < kRows; ++row) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        EXPECT_NEAR(out[row][i], Activate(inputs[i], activation), 8 * kUnit * std::abs(inputs[i]))
            << ActivationName(activation) << " of " << inputs[i];
      }
    }
  }
}

TEST_P(OpsTest, ValuesDoNotDependOnTheirPosition) {
  std::vector<std::function<void(const ProductRows&, float*, size_t)>> functions = {
      AddBias, AddBiasAndResidual};
  for (const Activation activation : kActivations) {
    functions.emplace_back([activation](const ProductRows& rows, float* out, size_t stride) {
      AddBiasAndActivate(rows, activation, out, stride);
    });
  }
  for (const Kind kind : kKinds) {
    for (int i = 0; i < 200; ++i) {
      const Product product = ConstantProduct(kind, kOddSize);
      for (const auto& function : functions) {
        Finished out(kOddSize, 0.3F);
        out.Run([&](float* to, size_t stride) { function(product.rows(), to, stride); });
        for (int row = 0; row < kRows; ++row) ASSERT_THAT(out[row], Each(out[0][0]));
      }
    }
  }
}

std::vector<double> LayerNormInDouble(const std::vector<float>& x, const std::vector<float>& scale,
                                      const std::vector<float>& bias, double epsilon) {
  const auto size = static_cast<double>(x.size());
  double mean = 0;
  for (const float value : x) mean += value / size;
  double variance = 0;
  for (const float value : x) variance += (value - mean) * (value - mean) / size;
  std::vector<double> out;
  for (size_t i = 0; i < x.size(); ++i) {
    out.push_back((x[i] - mean) / std::sqrt(variance + epsilon) * scale[i] + bias[i]);
  }
  return out;
}

TEST_P(OpsTest, LayerNormFollowsItsFormula) {
  for (const int size : Sizes()) {
    const std::vector<float> x = Normal(size, 2, 1);
    const std::vector<float> scale = Normal(size, 0.2F, 1);
    const std::vector<float> bias = Normal(size);
    std::vector<float> out = Output(size);
    Normalize(x.data(), scale.data(), bias.data(), 1e-5F, size, out.data());
    const std::vector<double> expected = LayerNormInDouble(x, scale, bias, 1e-5);
    // Two sums over the row. In a short row the spread may be smaller than the values, which
    // magnifies the error by their ratio: here at most 32.
    const double tolerance = (size + 8) * kUnit * 32;
    for (int i = 0; i < size; ++i) ASSERT_NEAR(out[i], expected[i], tolerance) << size;
    ExpectGuardUntouched(out);

    std::vector<float> in_place = x;
    Normalize(in_place.data(), scale.data(), bias.data(), 1e-5F, size, in_place.data());
    EXPECT_TRUE(std::equal(in_place.begin(), in_place.end(), out.begin()));
  }
}

// The textbook's mean(x²) - mean(x)² would be all rounding error here: 1e8 rounds to multiples of
// 8, and the variance is 1.
TEST_P(OpsTest, LayerNormOfASmallSpreadAroundALargeMean) {
  const int size = 256;
  const std::vector<float> x = Normal(size, 1, 10000);
  const std::vector<float> scale(size, 1.0F);
  const std::vector<float> bias(size, 0.0F);
  std::vector<float> out(size);
  Normalize(x.data(), scale.data(), bias.data(), 1e-5F, size, out.data());
  const std::vector<double> expected = LayerNormInDouble(x, scale, bias, 1e-5);
  // The error is that of the mean: at most 256 units of 10000, even if summed one by one.
  for (int i = 0; i < size; ++i) ASSERT_NEAR(out[i], expected[i], 256 * 10000 * kUnit);
}

TEST_P(OpsTest, LayerNormOfAConstantRowIsTheBias) {
  const std::vector<float> x(kOddSize, 0.1F);
  const std::vector<float> scale = Normal(kOddSize);
  const std::vector<float> bias = Normal(kOddSize);
  std::vector<float> out(kOddSize);
  Normalize(x.data(), scale.data(), bias.data(), 1e-5F, kOddSize, out.data());
  for (int i = 0; i < kOddSize; ++i) ASSERT_NEAR(out[i], bias[i], 1e-4);
}

TEST_P(OpsTest, ScaleAndAdd) {
  for (const int size : Sizes()) {
    const std::vector<float> x = Normal(size);
    const std::vector<float> y = Normal(size);
    std::vector<float> out = Output(size);
    std::copy(x.begin(), x.end(), out.begin());
    ScaleAndAdd(22.6F, y.data(), size, out.data());
    for (int i = 0; i < size; ++i) {
      const double scaled = double{x[i]} * 22.6F;
      ASSERT_NEAR(out[i], scaled + y[i], 2 * kUnit * (std::abs(scaled) + std::abs(y[i])));
    }
    ExpectGuardUntouched(out);
  }
}

TEST_P(OpsTest, ArgMaxGivesTheLargestAndItsProbability) {
  for (const int size : Sizes()) {
    for (const float mean : {-20000.0F, 0.0F, 20000.0F}) {
      const std::vector<float> logits = Normal(size, 10, mean);
      const auto largest = std::max_element(logits.begin(), logits.end());
      const MaxLogit best = ArgMax(logits.data(), size);
      EXPECT_EQ(best.index, largest - logits.begin());
      EXPECT_EQ(best.logit, *largest);
      const double log_sum_exp = LogOfSumOfExp(logits);
      // The sum of exp takes about `size` roundings, which are an absolute error of its logarithm.
      const double tolerance = kUnit * (8 + size + 2 * std::abs(log_sum_exp));
      EXPECT_NEAR(best.log_sum_exp, log_sum_exp, tolerance);
      EXPECT_NEAR(best.log_probability(), *largest - log_sum_exp, tolerance);
    }
  }
}

TEST_P(OpsTest, ArgMaxTakesTheFirstOfEquals) {
  for (int first = 0; first < kOddSize; ++first) {
    for (int second = first; second < kOddSize; ++second) {
      std::vector<float> logits(kOddSize, -1.5F);
      logits[first] = logits[second] = -0.5F;
      ASSERT_EQ(ArgMax(logits.data(), kOddSize).index, first);
    }
  }
}

TEST_P(OpsTest, ArgMaxSkipsMinusInfinity) {
  for (int place = 0; place < kOddSize; ++place) {
    std::vector<float> logits(kOddSize, -kInfinity);
    logits[place] = -1e30F;
    const MaxLogit best = ArgMax(logits.data(), kOddSize);
    EXPECT_EQ(best.index, place);
    EXPECT_EQ(best.log_probability(), 0);  // there is no other token
  }
}

TEST_P(OpsTest, ArgMaxOfNaNGivesAnIndexInRange) {
  const auto in_range = AllOf(Ge(0), Lt(kOddSize));
  for (int place = 0; place < kOddSize; ++place) {
    std::vector<float> logits = Normal(kOddSize);
    logits[place] = kNaN;
    EXPECT_THAT(ArgMax(logits.data(), kOddSize).index, in_range);
  }
  for (const float all : {kNaN, -kInfinity}) {
    const std::vector<float> logits(kOddSize, all);
    EXPECT_THAT(ArgMax(logits.data(), kOddSize).index, in_range);
  }
}

TEST_P(OpsTest, ArgMaxOfAProductIsThatOfItsFinishedRows) {
  for (const Kind kind : kKinds) {
    for (const int size : {1, kOddSize, 511, 512, 513, 1500}) {
      const Product product = RandomProduct(kind, size);
      Finished finished(size);
      finished.Run([&](float* to, size_t stride) { AddBias(product.rows(), to, stride); });
      std::array<MaxLogit, kRows> best;
      ArgMax(product.rows(), LogSumExp::kCompute, best.data());
      std::array<MaxLogit, kRows> without;
      ArgMax(product.rows(), LogSumExp::kLeaveOut, without.data());
      for (int row = 0; row < kRows; ++row) {
        const MaxLogit expected = ArgMax(finished[row].data(), size);
        EXPECT_EQ(best[row].index, expected.index);
        EXPECT_EQ(best[row].logit, expected.logit);
        EXPECT_EQ(best[row].log_sum_exp, expected.log_sum_exp);
        EXPECT_EQ(without[row].index, expected.index);
        EXPECT_EQ(without[row].logit, expected.logit);
      }
    }
  }
}

TEST_P(OpsTest, CandidatesAreTheColumnsThatReachTheThreshold) {
  for (const Kind kind : kKinds) {
    for (const int size : {1, kOddSize, 200}) {
      const Product product = RandomProduct(kind, size);
      Finished finished(size);
      finished.Run([&](float* to, size_t stride) { AddBias(product.rows(), to, stride); });
      std::array<PrefilterCandidates, kRows> candidates;
      for (int row = 0; row < kRows; ++row) {
        const MaxLogit best = ArgMax(finished[row].data(), size);
        candidates[row] = {.margin = std::abs(best.logit) / 4, .largest = best.logit};
      }
      AddCandidates(product.rows(), /*offset=*/1000, candidates.data());
      for (int row = 0; row < kRows; ++row) {
        std::vector<int> columns;
        for (int i = 0; i < size; ++i) {
          if (finished[row][i] >= candidates[row].threshold()) columns.push_back(1000 + i);
        }
        ASSERT_EQ(candidates[row].count, static_cast<int>(columns.size()));
        columns.resize(std::min<size_t>(columns.size(), PrefilterCandidates::kMax));
        for (size_t i = 0; i < columns.size(); ++i) {
          EXPECT_EQ(candidates[row].columns[i], columns[i]);
          EXPECT_EQ(candidates[row].logits[i], finished[row][columns[i] - 1000]);
        }
      }
    }
  }
}

TEST_P(OpsTest, AMarginOfNaNGivesNoCandidates) {
  const Product product = RandomProduct(Kind::kInt8, kOddSize);
  std::array<PrefilterCandidates, kRows> candidates;
  candidates.fill({.margin = kNaN});
  AddCandidates(product.rows(), /*offset=*/0, candidates.data());
  for (const PrefilterCandidates& row : candidates) EXPECT_EQ(row.count, 0);
}

TEST(PrefilterCandidatesTest, CountsMoreThanItKeeps) {
  PrefilterCandidates candidates = {.margin = 1, .largest = 5};
  for (int i = 0; i < PrefilterCandidates::kMax + 2; ++i) candidates.Add(i, 4.5F);
  candidates.Prune();
  EXPECT_EQ(candidates.count, PrefilterCandidates::kMax + 2);
}

TEST(PrefilterCandidatesTest, PrunesThoseBelowTheThreshold) {
  PrefilterCandidates candidates = {.margin = 1, .largest = 5};
  candidates.Add(3, 4.5F);
  candidates.Add(8, 5);
  candidates.Add(9, 6);
  candidates.largest = 6;
  candidates.Prune();
  ASSERT_EQ(candidates.count, 2);
  EXPECT_EQ(candidates.columns[0], 8);
  EXPECT_EQ(candidates.columns[1], 9);
  EXPECT_EQ(candidates.logits[1], 6);
}

TEST_P(OpsTest, LargerOfTwoPartsIsTheLargestOfTheWhole) {
  const std::vector<float> logits = Normal(kOddSize, 10);
  const MaxLogit whole = ArgMax(logits.data(), kOddSize);
  for (int size = 1; size < kOddSize; ++size) {
    const MaxLogit left = ArgMax(logits.data(), size);
    MaxLogit right = ArgMax(logits.data() + size, kOddSize - size);
    right.index += size;
    const MaxLogit larger = LargerOf(left, right, LogSumExp::kCompute);
    EXPECT_EQ(larger.index, whole.index);
    EXPECT_EQ(larger.logit, whole.logit);
    EXPECT_NEAR(larger.log_sum_exp, whole.log_sum_exp, 16 * kUnit * std::abs(whole.log_sum_exp));
  }
}

TEST_P(OpsTest, LargerOfEqualsIsTheLeft) {
  const MaxLogit left = {.index = 3, .logit = 1.5F, .log_sum_exp = 2};
  const MaxLogit right = {.index = 9, .logit = 1.5F, .log_sum_exp = 2};
  EXPECT_EQ(LargerOf(left, right, LogSumExp::kLeaveOut).index, 3);
}

LIMPID_ON_ALL_INSTRUCTION_SETS(OpsTest);

}  // namespace
}  // namespace limpid::internal

#include "engine/math/linear.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/math/quantize.h"
#include "engine/speed/fast_packing.h"
#include "gtest/gtest.h"
#include "models/model/float16.h"
#include "models/model/tensor.h"
#include "tests/engine/compute_types.h"

namespace limpid::internal {
namespace {

constexpr double kUnit = 1.0 / (1 << 24);         // float32 rounds to one part in 2^24
constexpr double kBFloat16Unit = 1.0 / (1 << 8);  // bfloat16 to one part in 2^8

// Normally distributed, with one outlier per row, as in activations.
std::vector<float> RandomRows(int rows, int columns, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(rows) * columns);
  for (float& value : values) value = normal(random);
  for (int i = 0; i < rows; ++i) values[static_cast<size_t>(i) * columns + i % columns] *= 5;
  return values;
}

Matrix RandomMatrix(int rows, int columns, std::mt19937& random) {
  Matrix matrix;
  matrix.Resize(rows, columns);
  const std::vector<float> values = RandomRows(rows, columns, random);
  std::copy(values.begin(), values.end(), matrix.row(0));
  return matrix;
}

// Random weights as a checkpoint stores them in some dtype.
class StoredLayer {
 public:
  StoredLayer(int in, int out, DType dtype, std::mt19937& random)
      : bias_(RandomRows(1, out, random)), scales_(out) {
    const std::vector<float> values = RandomRows(out, in, random);
    view_ = {.weight = {.dtype = dtype, .shape = {out, in}},
             .bias = {.dtype = DType::kFloat32, .shape = {out}}};
    bytes_.resize(view_.weight.bytes());
    auto* halves = reinterpret_cast<uint16_t*>(bytes_.data());
    switch (dtype) {
      case DType::kFloat32:
        std::memcpy(bytes_.data(), values.data(), bytes_.size());
        break;
      case DType::kFloat16:
        std::transform(values.begin(), values.end(), halves, Float32ToFloat16);
        break;
      case DType::kBFloat16:
        std::transform(values.begin(), values.end(), halves, Float32ToBFloat16);
        break;
      case DType::kInt8:
        for (std::byte& byte : bytes_) byte = static_cast<std::byte>(random());
        for (float& scale : scales_) scale = 0.01F * static_cast<float>(1 + random() % 7);
        break;
    }
  }

  LinearWeights view() const {
    LinearWeights view = view_;
    view.weight.data = bytes_.data();
    view.weight.scales = scales_.data();
    view.bias.data = reinterpret_cast<const std::byte*>(bias_.data());
    return view;
  }

 private:
  std::vector<float> bias_;
  std::vector<float> scales_;
  std::vector<std::byte> bytes_;
  LinearWeights view_;
};

double LargestMagnitude(const float* row, int size) {
  double largest = 0;
  for (int i = 0; i < size; ++i) largest = std::max<double>(largest, std::abs(row[i]));
  return largest;
}

// Error bound of x · w + b computed in `type`. With S = Σ |x w| + |b|:
//   float32   a sum of `in` products and b: in + 2 roundings, each of at most S
//   bfloat16  as float32, after x and w are each off by 2^-8 of themselves
//   int8      the sum is exact and three roundings finish it; but x and w are each off by half a
//             step, which is a 127th of the row's largest magnitude (for x without VNNI, a 63rd)
double Tolerance(ComputeType type, const float* x, const float* w, int in, double bias) {
  double sum_xw = 0;
  double sum_x = 0;
  double sum_w = 0;
  for (int i = 0; i < in; ++i) {
    sum_xw += std::abs(double{x[i]} * w[i]);
    sum_x += std::abs(x[i]);
    sum_w += std::abs(w[i]);
  }
  const double s = sum_xw + std::abs(bias);
  if (type == ComputeType::kFloat32) return (in + 2) * kUnit * s;
  if (type == ComputeType::kBFloat16) {
    return (in + 2) * kUnit * s + (2 * kBFloat16Unit + kBFloat16Unit * kBFloat16Unit) * sum_xw;
  }
  const double half_x = LargestMagnitude(x, in) / (ZeroPoint() - 1) / 2;
  const double half_w = LargestMagnitude(w, in) / 127 / 2;
  return 4 * kUnit * s + half_x * sum_w + half_w * sum_x + in * half_x * half_w;
}

void ExpectProduct(const Matrix& y, const Matrix& x, const std::vector<LinearWeights>& layers,
                   ComputeType type) {
  int first_column = 0;
  for (const LinearWeights& layer : layers) {
    const std::vector<float> weights = ReadAll(layer.weight);
    const std::vector<float> bias = ReadAll(layer.bias);
    const int in = x.columns();
    for (int row = 0; row < x.rows(); ++row) {
      for (size_t out = 0; out < bias.size(); ++out) {
        const float* w = weights.data() + out * in;
        double sum = bias[out];
        for (int i = 0; i < in; ++i) sum += double{x.row(row)[i]} * w[i];
        ASSERT_NEAR(y.row(row)[first_column + out], sum,
                    Tolerance(type, x.row(row), w, in, bias[out]))
            << "row " << row << " of " << x.rows() << ", column " << first_column + out;
      }
    }
    first_column += static_cast<int>(bias.size());
  }
  ASSERT_EQ(y.rows(), x.rows());
  ASSERT_EQ(y.columns(), first_column);
}

void ExpectSame(const Matrix& a, const Matrix& b) {
  ASSERT_EQ(a.rows(), b.rows());
  ASSERT_EQ(a.columns(), b.columns());
  for (int row = 0; row < a.rows(); ++row) {
    for (int i = 0; i < a.columns(); ++i) ASSERT_EQ(a.row(row)[i], b.row(row)[i]) << "row " << row;
  }
}

class LinearTest : public testing::TestWithParam<Packing> {
 protected:
  const SingleThreadScope single_thread_;
  std::mt19937 random_{1};
  Gemm gemm_;
};

TEST_P(LinearTest, MatchesDoubleForAnyNumberOfRows) {
  const StoredLayer layer(24, 40, DType::kFloat32, random_);
  const Linear linear = Linear::Pack({layer.view()}, GetParam());
  for (int rows = 1; rows <= 70; ++rows) {
    const Matrix x = RandomMatrix(rows, 24, random_);
    Matrix y;
    linear.Apply(x, y, gemm_);
    ExpectProduct(y, x, {layer.view()}, GetParam().type);
  }
}

TEST_P(LinearTest, MatchesDoubleForAnySize) {
  for (const int in : {1, 5, 10, 16, 257}) {
    for (const int out : {1, 5, 10, 16, 257}) {
      const StoredLayer layer(in, out, DType::kFloat32, random_);
      const Linear linear = Linear::Pack({layer.view()}, GetParam());
      EXPECT_EQ(linear.in(), in);
      EXPECT_EQ(linear.out(), out);
      for (const int rows : {1, 3, 18, 130}) {
        const Matrix x = RandomMatrix(rows, in, random_);
        Matrix y;
        linear.Apply(x, y, gemm_);
        ExpectProduct(y, x, {layer.view()}, GetParam().type);
      }
    }
  }
}

// Wide layers are computed in panels.
TEST_P(LinearTest, MatchesDoubleWhenWide) {
  const StoredLayer layer(16, 5000, DType::kFloat32, random_);
  const Linear linear = Linear::Pack({layer.view()}, GetParam());
  const Matrix x = RandomMatrix(70, 16, random_);
  Matrix y;
  linear.Apply(x, y, gemm_);
  ExpectProduct(y, x, {layer.view()}, GetParam().type);
}

TEST_P(LinearTest, ArgMaxFindsTheLargestOutputOfEachRow) {
  for (const int out : {5, 2049, 5000}) {
    const StoredLayer layer(24, out, DType::kFloat32, random_);
    const Linear linear = Linear::Pack({layer.view()}, GetParam());
    const Matrix x = RandomMatrix(70, 24, random_);
    Matrix y;
    linear.Apply(x, y, gemm_);
    std::vector<MaxLogit> best;
    linear.ArgMax(x, LogSumExp::kCompute, best, gemm_);
    ASSERT_EQ(best.size(), 70U);
    for (int row = 0; row < 70; ++row) {
      const MaxLogit expected = ArgMax(y.row(row), out);
      EXPECT_EQ(best[row].index, expected.index);
      EXPECT_EQ(best[row].logit, expected.logit);
      EXPECT_NEAR(best[row].log_sum_exp, expected.log_sum_exp, 1e-5);
    }
    linear.ArgMax(x, LogSumExp::kLeaveOut, best, gemm_);
    for (int row = 0; row < 70; ++row) {
      EXPECT_EQ(best[row].index, ArgMax(y.row(row), out).index);
    }
  }
}

TEST_P(LinearTest, ArgMaxNeverFindsMaskedOutputs) {
  const StoredLayer layer(24, 3000, DType::kFloat32, random_);
  const Matrix x = RandomMatrix(1, 24, random_);
  std::vector<MaxLogit> best;
  std::vector<int> masked;
  for (int i = 0; i < 10; ++i) {
    const Linear linear = Linear::Pack({layer.view()}, GetParam(), masked);
    linear.ArgMax(x, LogSumExp::kCompute, best, gemm_);
    for (const int output : masked) EXPECT_NE(best[0].index, output);
    masked.push_back(best[0].index);
  }
}

TEST_P(LinearTest, TakesWeightsStoredInAnyType) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8}) {
    SCOPED_TRACE(DTypeName(dtype));
    const StoredLayer layer(33, 20, dtype, random_);
    const Linear linear = Linear::Pack({layer.view()}, GetParam());
    const Matrix x = RandomMatrix(7, 33, random_);
    Matrix y;
    linear.Apply(x, y, gemm_);
    ExpectProduct(y, x, {layer.view()}, GetParam().type);
  }
}

TEST_P(LinearTest, LayersThatReadTheSameInputLieSideBySide) {
  const StoredLayer first(24, 5, DType::kFloat32, random_);
  const StoredLayer second(24, 16, DType::kInt8, random_);
  const StoredLayer third(24, 3, DType::kFloat16, random_);
  const std::vector<LinearWeights> layers = {first.view(), second.view(), third.view()};
  const Linear linear = Linear::Pack(layers, GetParam());
  const Matrix x = RandomMatrix(70, 24, random_);
  Matrix y;
  linear.Apply(x, y, gemm_);
  ExpectProduct(y, x, layers, GetParam().type);
}

TEST_P(LinearTest, ActivatesTheProduct) {
  const StoredLayer layer(24, 37, DType::kFloat32, random_);
  const Linear linear = Linear::Pack({layer.view()}, GetParam());
  const Matrix x = RandomMatrix(70, 24, random_);
  Matrix product;
  linear.Apply(x, product, gemm_);
  const std::vector<float> no_bias(37, 0.0F);
  for (const Activation activation :
       {Activation::kRelu, Activation::kGelu, Activation::kGeluTanh, Activation::kSwish}) {
    Matrix expected;
    expected.Resize(70, 37);
    AddBiasAndActivate(
        {.values = product.row(0), .rows = 70, .columns = 37, .bias = no_bias.data()}, activation,
        expected.row(0), 37);
    Matrix y;
    linear.ApplyAndActivate(x, activation, y, gemm_);
    ExpectSame(y, expected);
  }
}

TEST_P(LinearTest, AddsTheProductToTheResidual) {
  const StoredLayer layer(24, 37, DType::kFloat32, random_);
  const Linear linear = Linear::Pack({layer.view()}, GetParam());
  const Matrix x = RandomMatrix(70, 24, random_);
  Matrix expected;
  linear.Apply(x, expected, gemm_);
  Matrix y = RandomMatrix(70, 37, random_);
  for (int row = 0; row < 70; ++row) {
    for (int i = 0; i < 37; ++i) expected.row(row)[i] += y.row(row)[i];
  }
  linear.ApplyAndAdd(x, y, gemm_);
  ExpectSame(y, expected);
}

// A GEMM may read padding rows after the last one; their memory holds old values.
TEST_P(LinearTest, GarbageInPaddingRowsDoesNotSpread) {
  const StoredLayer layer(24, 40, DType::kFloat32, random_);
  const Linear linear = Linear::Pack({layer.view()}, GetParam());
  for (const int rows : {17, 33, 65, 82}) {
    const Matrix clean = RandomMatrix(rows, 24, random_);
    Matrix expected;
    linear.Apply(clean, expected, gemm_);

    Matrix x;
    x.Resize(PaddedRows(rows), 24);
    std::fill_n(x.row(0), x.rows() * 24, std::numeric_limits<float>::quiet_NaN());
    Gemm gemm;
    Matrix y;
    linear.Apply(x, y, gemm);  // leaves NaN in the Gemm's buffers
    x.Resize(rows, 24);        // same memory: NaN remains after the last row
    std::copy_n(clean.row(0), rows * 24, x.row(0));
    linear.Apply(x, y, gemm);
    ExpectSame(y, expected);
  }
}

// Bit for bit, so that a translation is the same in any batch.
TEST_P(LinearTest, ARowDoesNotDependOnTheOthers) {
  const StoredLayer layer(256, 80, DType::kFloat32, random_);
  const Linear linear = Linear::Pack({layer.view()}, GetParam());
  const Matrix all = RandomMatrix(70, 256, random_);
  Matrix alone;
  Matrix alone_y;
  Matrix together;
  Matrix y;
  for (int rows = 1; rows <= 70; ++rows) {
    together.Resize(rows, 256);
    std::copy_n(all.row(0), rows * 256, together.row(0));
    linear.Apply(together, y, gemm_);
    for (int row = 0; row < rows; ++row) {
      alone.Resize(1, 256);
      std::copy_n(all.row(row), 256, alone.row(0));
      linear.Apply(alone, alone_y, gemm_);
      for (int i = 0; i < 80; ++i) ASSERT_EQ(y.row(row)[i], alone_y.row(0)[i]) << row << rows;
    }
  }
}

TEST_P(LinearTest, ThreadsShareWeights) {
  const StoredLayer layer(64, 48, DType::kFloat32, random_);
  const Linear linear = Linear::Pack({layer.view()}, GetParam());
  std::vector<Matrix> inputs;
  std::vector<Matrix> expected(20);
  for (size_t i = 0; i < expected.size(); ++i) {
    inputs.push_back(RandomMatrix(1 + 3 * static_cast<int>(i), 64, random_));
    linear.Apply(inputs[i], expected[i], gemm_);
  }
  std::vector<std::vector<Matrix>> results(2);
  std::vector<std::thread> threads;
  for (std::vector<Matrix>& mine : results) {
    threads.emplace_back([&inputs, &linear, &mine] {
      const SingleThreadScope single_thread;
      Gemm gemm;
      mine.resize(inputs.size());
      for (size_t i = 0; i < inputs.size(); ++i) linear.Apply(inputs[i], mine[i], gemm);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<Matrix>& result : results) {
    for (size_t i = 0; i < expected.size(); ++i) ExpectSame(result[i], expected[i]);
  }
}

// Packed weights share large blocks of memory; these layers fill more than one.
TEST_P(LinearTest, LayersDoNotChangeWhileOthersComeAndGo) {
  const int in = 512;
  const int out = 2000;
  std::deque<StoredLayer> stored;
  std::vector<Linear> layers;
  const auto add = [&] {
    stored.emplace_back(in, out, DType::kFloat32, random_);
    layers.push_back(Linear::Pack({stored.back().view()}, GetParam()));
  };
  while (stored.size() < 6) add();
  stored.erase(stored.begin() + 1);
  layers.erase(layers.begin() + 1);
  add();
  const Matrix x = RandomMatrix(2, in, random_);
  for (size_t i = 0; i < layers.size(); ++i) {
    Matrix y;
    layers[i].Apply(x, y, gemm_);
    ExpectProduct(y, x, {stored[i].view()}, GetParam().type);
  }
}

std::vector<Packing> SupportedPackings() {
  std::vector<Packing> packings;
  for (const ComputeType type : SupportedComputeTypes()) {
    packings.emplace_back(type);
    packings.push_back(FastPacking(type));
  }
  return packings;
}

std::string NameOfPacking(const testing::TestParamInfo<Packing>& packing) {
  const std::string type(ComputeTypeName(packing.param.type));
  return packing.param.allocate == nullptr ? type : type + "_fast";
}

INSTANTIATE_TEST_SUITE_P(Packings, LinearTest, testing::ValuesIn(SupportedPackings()),
                         NameOfPacking);

// These hold for int8 only, because its sums are exact.
class Int8LinearTest : public LinearTest {};

TEST_P(Int8LinearTest, MultipliesTheQuantizedValuesExactly) {
  for (const int in : {1, 5, 16, 257, 1024}) {
    const int out = 19;
    const StoredLayer layer(in, out, DType::kFloat32, random_);
    const Linear linear = Linear::Pack({layer.view()}, GetParam());
    const Matrix x = RandomMatrix(33, in, random_);
    Matrix y;
    linear.Apply(x, y, gemm_);

    const std::vector<float> weights = ReadAll(layer.view().weight);
    const std::vector<float> bias = ReadAll(layer.view().bias);
    std::vector<uint8_t> xq(in);
    std::vector<int8_t> wq(in);
    for (int row = 0; row < x.rows(); ++row) {
      const double x_scale = Quantize(x.row(row), in, ZeroPoint(), xq.data());
      for (int o = 0; o < out; ++o) {
        const double w_scale = Quantize(&weights[static_cast<size_t>(o) * in], in, wq.data());
        int64_t sum = 0;
        for (int i = 0; i < in; ++i) sum += (xq[i] - ZeroPoint()) * wq[i];
        const double product = static_cast<double>(sum) * x_scale * w_scale;
        ASSERT_NEAR(y.row(row)[o], product + bias[o],
                    1e-6 * (std::abs(product) + std::abs(bias[o])));
      }
    }
  }
}

// Integer rows x that contain the largest possible integer, and weights of scale 1, quantize to
// themselves, so that the result is exactly the integer product.
TEST_P(Int8LinearTest, UsesInt8WeightsAsTheyAre) {
  const int in = 130;
  const int out = 24;
  // The largest weight is 100: requantized, it would become 127.
  std::uniform_int_distribution<int> weight(-100, 100);
  const int largest = ZeroPoint() - 1;
  std::uniform_int_distribution<int> input(-largest, largest);
  std::vector<int8_t> weights(out * in);
  for (int8_t& w : weights) w = static_cast<int8_t>(weight(random_));
  weights[0] = -128;  // our quantizer never produces it, but a file may hold it
  const std::vector<float> scales(out, 1.0F);
  const std::vector<float> bias(out, 0.0F);
  const Linear linear =
      Linear::Pack({{.weight = {.dtype = DType::kInt8,
                                .shape = {out, in},
                                .data = reinterpret_cast<std::byte*>(weights.data()),
                                .scales = scales.data()},
                     .bias = {.dtype = DType::kFloat32,
                              .shape = {out},
                              .data = reinterpret_cast<const std::byte*>(bias.data())}}},
                   GetParam());
  Matrix x;
  x.Resize(70, in);
  for (int row = 0; row < x.rows(); ++row) {
    for (int i = 0; i < in; ++i) x.row(row)[i] = static_cast<float>(input(random_));
    x.row(row)[row] = static_cast<float>(largest);
  }
  Matrix y;
  linear.Apply(x, y, gemm_);
  for (int row = 0; row < x.rows(); ++row) {
    for (int o = 0; o < out; ++o) {
      int sum = 0;
      for (int i = 0; i < in; ++i) sum += static_cast<int>(x.row(row)[i]) * weights[o * in + i];
      ASSERT_EQ(y.row(row)[o], static_cast<float>(sum));
    }
  }
}

// Layers packed side by side may each have their own scale for the same input, or none. Inputs out
// of the range of 8 bits saturate. Inputs of 7 bits ignore the stored scales.
TEST_P(Int8LinearTest, QuantizesInputsByTheScaleStoredWithTheWeights) {
  const int in = 40;
  const std::vector<float> input_scales = {0.05F, 0.05F, 0.02F, 0, 0.011F};
  std::deque<StoredLayer> stored;
  std::vector<LinearWeights> layers;
  for (const float input_scale : input_scales) {
    layers.push_back(stored.emplace_back(in, 24, DType::kInt8, random_).view());
    layers.back().weight.input_scale = input_scale;
  }
  const Linear linear = Linear::Pack(layers, GetParam());
  const Matrix x = RandomMatrix(300, in, random_);  // more rows than are loaded at once
  Matrix y;
  linear.Apply(x, y, gemm_);

  const int largest = ZeroPoint() - 1;
  int saturated = 0;
  for (int row = 0; row < x.rows(); ++row) {
    int column = 0;
    for (const LinearWeights& layer : layers) {
      std::vector<uint8_t> quantized(in);
      double x_scale = ZeroPoint() == 128 ? layer.weight.input_scale : 0;
      if (x_scale == 0) x_scale = Quantize(x.row(row), in, ZeroPoint(), quantized.data());
      const std::vector<float> bias = ReadAll(layer.bias);
      const auto* w = reinterpret_cast<const int8_t*>(layer.weight.data);
      for (int o = 0; o < layer.weight.rows(); ++o, ++column) {
        int64_t sum = 0;
        int64_t off_by_one = 0;  // error bound for inputs whose x / scale is close to a tie
        for (int i = 0; i < in; ++i) {
          const double scaled = x.row(row)[i] / x_scale;
          const auto integer =
              static_cast<int64_t>(std::nearbyint(std::clamp<double>(scaled, -largest, largest)));
          saturated += std::abs(scaled) > largest ? 1 : 0;
          const double from_tie = std::abs(scaled - std::floor(scaled) - 0.5);
          if (from_tie < 1e-4) off_by_one += std::abs(w[o * in + i]);
          sum += integer * w[o * in + i];
        }
        const double scale = x_scale * layer.weight.scales[o];
        const double product = static_cast<double>(sum) * scale;
        ASSERT_NEAR(y.row(row)[column], product + bias[o],
                    1e-5 * (std::abs(product) + std::abs(bias[o])) +
                        static_cast<double>(off_by_one) * scale)
            << "row " << row << ", column " << column;
      }
    }
  }
  EXPECT_TRUE(ZeroPoint() < 128 || saturated > 100);
}

TEST_P(Int8LinearTest, RowsWithoutAScaleGiveTheBias) {
  const StoredLayer layer(24, 10, DType::kFloat32, random_);
  const Linear linear = Linear::Pack({layer.view()}, GetParam());
  Matrix x = RandomMatrix(3, 24, random_);
  std::fill_n(x.row(0), 24, 0.0F);
  x.row(2)[7] = std::numeric_limits<float>::infinity();
  Matrix y;
  linear.Apply(x, y, gemm_);
  const std::vector<float> bias = ReadAll(layer.view().bias);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(y.row(0)[i], bias[i]);
    EXPECT_EQ(y.row(2)[i], bias[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, Int8LinearTest,
                         testing::Values(Packing(ComputeType::kInt8),
                                         FastPacking(ComputeType::kInt8)),
                         NameOfPacking);

// Older processors, as far as oneDNN can tell. It reads the variable only once, at its first use,
// so that each needs its own process. The largest inputs could overflow int8 sums.
class InstructionSetTest : public testing::TestWithParam<const char*> {};

void MultiplyTheLargest() {
  const int in = 64;
  const int out = 32;
  std::vector<float> ones(in * out, 1.0F);
  const LinearWeights weights = {
      .weight = {.shape = {out, in}, .data = reinterpret_cast<const std::byte*>(ones.data())},
      .bias = {.shape = {out}, .data = reinterpret_cast<const std::byte*>(ones.data())}};
  const SingleThreadScope single_thread;
  for (const ComputeType type :
       {ComputeType::kFloat32, ComputeType::kBFloat16, ComputeType::kInt8}) {
    if (!IsSupported(type)) continue;
    const Linear linear = Linear::Pack({weights}, type);
    Gemm gemm;
    for (const int rows : {1, 2, 20, 64}) {
      Matrix x;
      x.Resize(rows, in);
      std::fill_n(x.row(0), rows * in, 1.0F);
      Matrix y;
      linear.Apply(x, y, gemm);
      ExpectProduct(y, x, {weights}, type);
    }
  }
  std::exit(testing::Test::HasFailure() ? 1 : 0);
}

TEST_P(InstructionSetTest, ComputesCorrectlyInEverySupportedType) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ASSERT_EQ(setenv("ONEDNN_MAX_CPU_ISA", GetParam(), /*overwrite=*/1), 0);
  EXPECT_EXIT(MultiplyTheLargest(), testing::ExitedWithCode(0), "");
  unsetenv("ONEDNN_MAX_CPU_ISA");
}

INSTANTIATE_TEST_SUITE_P(Processors, InstructionSetTest,
                         testing::Values("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE",
                                         "AVX512_CORE_VNNI", "ALL"),
                         [](const testing::TestParamInfo<const char*>& set) {
                           return std::string(set.param);
                         });

}  // namespace
}  // namespace limpid::internal

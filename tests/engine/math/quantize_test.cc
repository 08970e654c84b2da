// Against plain arithmetic in float and double.

#include "engine/math/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/simd_fixture.h"

namespace limpid::internal {
namespace {

using testing::Each;
using testing::Ge;

class QuantizeTest : public SimdTest {};
LIMPID_ON_ALL_INSTRUCTION_SETS(QuantizeTest);

TEST_P(QuantizeTest, ScalesTheLargestTo127) {
  for (const int size : Sizes()) {
    for (const float deviation : {1e-30F, 1.0F, 1e30F}) {
      const std::vector<float> x = Normal(size, deviation);
      std::vector<int8_t> out(size + kGuard, 99);
      const float scale = Quantize(x.data(), size, out.data());
      const auto largest = std::max_element(
          x.begin(), x.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
      EXPECT_EQ(scale, std::abs(*largest) / 127);
      EXPECT_EQ(out[largest - x.begin()], *largest > 0 ? 127 : -127);
      for (int i = 0; i < size; ++i) {
        ASSERT_LE(std::abs(out[i]), 127);
        // Half a step, and the roundings of 127 / largest, of its product with x, and of the scale.
        ASSERT_NEAR(1.0 * out[i] * scale, x[i], scale * (0.5 + 3 * 127 * kUnit));
      }
      EXPECT_THAT(std::vector<int8_t>(out.end() - kGuard, out.end()), Each(99));
    }
  }
}

TEST_P(QuantizeTest, RoundsToNearestAndTiesToEven) {
  // With 127 as the largest the scale is 1, and the integers are the numbers rounded.
  std::vector<float> x = {127, 0.5F, 1.5F, 2.5F, 125.5F, 126.5F, 0.49F, 0.51F, 3.501F, 0};
  std::vector<int8_t> expected = {127, 0, 2, 2, 126, 126, 0, 1, 4, 0};
  for (int i = 0; i < 10; ++i) {
    x.push_back(-x[i]);
    expected.push_back(static_cast<int8_t>(-expected[i]));
  }
  // At each place of a row: in whole vectors and in the remainder.
  for (size_t i = 0; i < x.size(); ++i) {
    std::vector<int8_t> out(x.size());
    EXPECT_EQ(Quantize(x.data(), static_cast<int>(x.size()), out.data()), 1);
    EXPECT_EQ(out, expected);
    std::rotate(x.begin(), x.begin() + 1, x.end());
    std::rotate(expected.begin(), expected.begin() + 1, expected.end());
  }
}

TEST_P(QuantizeTest, ToWiderIntegersGivesTheSame) {
  for (const int size : Sizes()) {
    const std::vector<float> x = Normal(size, 1);
    std::vector<int8_t> bytes(size);
    std::vector<int16_t> wide(size + kGuard, 99);
    EXPECT_EQ(Quantize(x.data(), size, wide.data()), Quantize(x.data(), size, bytes.data()));
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), wide.begin()));
    EXPECT_THAT(std::vector<int16_t>(wide.end() - kGuard, wide.end()), Each(99));
  }
}

TEST_P(QuantizeTest, QuantizeRowKeepsStoredInt8) {
  constexpr int kColumns = kOddSize;
  const std::vector<float> floats = Normal(2 * kColumns, 1);
  std::vector<int8_t> expected(kColumns);
  std::vector<int8_t> out(kColumns);
  std::vector<float> scratch;
  const float scale = Quantize(floats.data() + kColumns, kColumns, expected.data());
  const TensorView matrix = {.dtype = DType::kFloat32,
                             .shape = {2, kColumns},
                             .data = reinterpret_cast<const std::byte*>(floats.data())};
  EXPECT_EQ(QuantizeRow(matrix, 1, scratch, out.data()), scale);
  EXPECT_EQ(out, expected);

  const std::vector<int8_t> integers = {1, 2, 3, -4, 5, -6};
  const std::vector<float> scales = {0.5F, 0.25F};
  const TensorView stored = {.dtype = DType::kInt8,
                             .shape = {2, 3},
                             .data = reinterpret_cast<const std::byte*>(integers.data()),
                             .scales = scales.data()};
  out.resize(3);
  EXPECT_EQ(QuantizeRow(stored, 1, scratch, out.data()), 0.25F);
  EXPECT_EQ(out, std::vector<int8_t>({-4, 5, -6}));
}

TEST_P(QuantizeTest, DoesNotDependOnThePlaceInTheRow) {
  for (int i = 0; i < 1000; ++i) {
    std::vector<float> x(kOddSize, Normal(1)[0]);
    const int place = i % kOddSize;
    x[place] = 4;
    std::vector<int8_t> out(kOddSize);
    Quantize(x.data(), kOddSize, out.data());
    EXPECT_EQ(out[place], 127);
    out[place] = out[place == 0 ? 1 : 0];
    ASSERT_THAT(out, Each(out[0]));
  }
}

TEST_P(QuantizeTest, ToUnsignedAddsTheZeroPoint) {
  for (const int size : Sizes()) {
    for (const float deviation : {0.0F, 1.0F}) {
      const std::vector<float> x = Normal(size, deviation);
      std::vector<int8_t> integers(size);
      std::vector<uint8_t> out(size + kGuard, 99);
      EXPECT_EQ(Quantize(x.data(), size, 128, out.data()),
                Quantize(x.data(), size, integers.data()));
      for (int i = 0; i < size; ++i) ASSERT_EQ(out[i], integers[i] + 128);
      EXPECT_THAT(std::vector<uint8_t>(out.end() - kGuard, out.end()), Each(99));
    }
  }
}

TEST_P(QuantizeTest, StaysWithinTwiceTheZeroPoint) {
  for (const int zero_point : {2, 64}) {
    for (const int size : Sizes()) {
      const std::vector<float> x = Normal(size);
      std::vector<uint8_t> out(size);
      const float scale = Quantize(x.data(), size, zero_point, out.data());
      int largest = 0;
      for (int i = 0; i < size; ++i) {
        ASSERT_NEAR(scale * static_cast<float>(out[i] - zero_point), x[i], 0.5001 * scale);
        largest = std::max(largest, std::abs(out[i] - zero_point));
      }
      EXPECT_EQ(largest, zero_point - 1);
    }
  }
}

TEST_P(QuantizeTest, ByAScaleRoundsAndSaturates) {
  for (const int zero_point : {64, 128}) {
    for (const int size : Sizes()) {
      const std::vector<float> x = Normal(size, 50);
      std::vector<uint8_t> out(size + kGuard, 99);
      QuantizeBy(0.5F, x.data(), size, zero_point, out.data());
      for (int i = 0; i < size; ++i) {
        const int rounded = static_cast<int>(std::nearbyint(2 * x[i]));
        ASSERT_EQ(out[i] - zero_point, std::clamp(rounded, -(zero_point - 1), zero_point - 1))
            << x[i];
      }
      EXPECT_THAT(std::vector<uint8_t>(out.end() - kGuard, out.end()), Each(99));
    }
  }
}

TEST_P(QuantizeTest, ByAScaleTakesAnyNumber) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float scale : {1e-38F, 1.0F, 1e38F}) {
    // At each place of a row: in whole vectors and in the remainder.
    std::vector<float> x(kOddSize, infinity);
    std::vector<uint8_t> out(kOddSize);
    QuantizeBy(scale, x.data(), kOddSize, 128, out.data());
    EXPECT_THAT(out, Each(255));
    x.assign(kOddSize, -infinity);
    QuantizeBy(scale, x.data(), kOddSize, 128, out.data());
    EXPECT_THAT(out, Each(1));
    x.assign(kOddSize, std::numeric_limits<float>::quiet_NaN());
    QuantizeBy(scale, x.data(), kOddSize, 128, out.data());
    EXPECT_THAT(out, Each(Ge(1)));
  }
}

TEST_P(QuantizeTest, GivesZerosWithoutAScale) {
  const auto expect_zeros = [](const std::vector<float>& x) {
    std::vector<int8_t> out(x.size(), 99);
    EXPECT_EQ(Quantize(x.data(), static_cast<int>(x.size()), out.data()), 0);
    EXPECT_THAT(out, Each(0));
  };
  expect_zeros(std::vector<float>(kOddSize, 0.0F));
  expect_zeros(std::vector<float>(kOddSize, -0.0F));
  for (const float tiny : {1e-45F, 1e-38F, 3e-37F}) {
    expect_zeros(std::vector<float>(kOddSize, tiny));
  }
  for (const float bad : {kInfinity, -kInfinity, kNaN, -kNaN}) {
    for (int place = 0; place < kOddSize; ++place) {
      std::vector<float> x = Normal(kOddSize);
      x[place] = bad;
      expect_zeros(x);
    }
  }
}

// The value of a bfloat16. Infinity counts as 2^128, the next number after the largest, as it does
// in rounding to nearest.
double BFloat16Value(uint16_t bits) {
  const auto value = std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  return std::isinf(value) ? std::copysign(std::ldexp(1.0, 128), value) : value;
}

uint16_t NearestBFloat16(float x) {
  const auto toward_zero = static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16);
  if (std::isinf(x)) return toward_zero;
  const auto away = static_cast<uint16_t>(toward_zero + 1);
  const double below = std::abs(x - BFloat16Value(toward_zero));
  const double above = std::abs(BFloat16Value(away) - x);
  if (below != above) return below < above ? toward_zero : away;
  return toward_zero % 2 == 0 ? toward_zero : away;
}

TEST_P(QuantizeTest, RoundToBFloat16TakesTheNearest) {
  std::vector<float> x = {0, 1, -1, kInfinity, std::numeric_limits<float>::max()};
  for (const uint32_t bits : {0x3F808000U, 0x3F818000U, 0x3F808001U, 0x3F807FFFU, 0x7F7F8000U,
                              0x7F7F7FFFU, 0x00008000U, 0x00018000U, 0x00000001U, 0x007FFFFFU}) {
    x.push_back(std::bit_cast<float>(bits));
  }
  while (x.size() < 20000) {
    const auto any = std::bit_cast<float>(static_cast<uint32_t>(random_()));
    if (!std::isnan(any)) x.push_back(any);
  }
  for (int i = 0; i < 20000; i += 2) x[i] = -x[i];
  std::vector<uint16_t> out(x.size());
  RoundToBFloat16(x.data(), static_cast<int>(x.size()), out.data());
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(out[i], NearestBFloat16(x[i])) << x[i];
}

TEST_P(QuantizeTest, RoundToBFloat16KeepsNaN) {
  for (const uint32_t bits : {0x7FC00000U, 0x7F800001U, 0x7FFFFFFFU, 0xFFFFFFFFU, 0xFF800001U}) {
    const std::vector<float> x(kOddSize, std::bit_cast<float>(bits));
    std::vector<uint16_t> out(kOddSize);
    RoundToBFloat16(x.data(), kOddSize, out.data());
    for (const uint16_t rounded : out) {
      EXPECT_TRUE(std::isnan(std::bit_cast<float>(static_cast<uint32_t>(rounded) << 16)));
    }
  }
}

TEST_P(QuantizeTest, RoundToBFloat16OfAnySize) {
  for (const int size : Sizes()) {
    const std::vector<float> x = Normal(size);
    std::vector<uint16_t> out(size + kGuard, 99);
    RoundToBFloat16(x.data(), size, out.data());
    for (int i = 0; i < size; ++i) ASSERT_EQ(out[i], NearestBFloat16(x[i]));
    EXPECT_THAT(std::vector<uint16_t>(out.end() - kGuard, out.end()), Each(99));
  }
}

}  // namespace
}  // namespace limpid::internal

#include "models/model/float16.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The value of a float16 by the definition of IEEE 754.
float ByDefinition(uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const int mantissa = half & 0x3FF;
  float magnitude = std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  if (exponent == 0) magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  if (exponent == 31) magnitude = mantissa == 0 ? kInfinity : kNan;
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Float16Test, EveryValueReadsByDefinitionAndWritesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = Float16ToFloat32(half);
    if (std::isnan(ByDefinition(half))) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(Float16ToFloat32(Float32ToFloat16(value)))) << bits;
      continue;
    }
    ASSERT_EQ(value, ByDefinition(half)) << bits;
    ASSERT_EQ(std::signbit(value), bits >= 0x8000) << bits;
    ASSERT_EQ(Float32ToFloat16(value), half) << bits;
  }
}

// Between each pair of neighbours: the middle goes to the even one, all else to the nearer one.
TEST(Float16Test, RoundsToNearestTiesToEven) {
  for (uint16_t half = 0; half < 0x7BFF; ++half) {
    const uint16_t next = half + 1;
    const float middle = (ByDefinition(half) + ByDefinition(next)) / 2;
    ASSERT_EQ(Float32ToFloat16(middle), half % 2 == 0 ? half : next) << half;
    ASSERT_EQ(Float32ToFloat16(std::nextafter(middle, 0.0F)), half) << half;
    ASSERT_EQ(Float32ToFloat16(std::nextafter(middle, kInfinity)), next) << half;
    ASSERT_EQ(Float32ToFloat16(-middle), 0x8000 | (half % 2 == 0 ? half : next)) << half;
  }
}

TEST(Float16Test, TooLargeBecomesInfinityAndTooSmallZero) {
  EXPECT_EQ(Float32ToFloat16(65504), 0x7BFF);
  EXPECT_EQ(Float32ToFloat16(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
  EXPECT_EQ(Float32ToFloat16(65520), 0x7C00);
  EXPECT_EQ(Float32ToFloat16(-1e30F), 0xFC00);
  EXPECT_EQ(Float32ToFloat16(1e-30F), 0);
  EXPECT_EQ(Float32ToFloat16(-1e-40F), 0x8000);
}

TEST(BFloat16Test, EveryValueReadsAsTheUpperHalfAndWritesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = BFloat16ToFloat32(half);
    ASSERT_EQ(std::bit_cast<uint32_t>(value), bits << 16U);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(BFloat16ToFloat32(Float32ToBFloat16(value)))) << bits;
    } else {
      ASSERT_EQ(Float32ToBFloat16(value), half) << bits;
    }
  }
}

TEST(BFloat16Test, RoundsToNearestTiesToEven) {
  for (const uint32_t half : {0x0000U, 0x0001U, 0x3F80U, 0x3F81U, 0x7F7EU, 0x8000U, 0xBF81U}) {
    const uint32_t below = half << 16U;
    const auto round = [](uint32_t bits) { return Float32ToBFloat16(std::bit_cast<float>(bits)); };
    EXPECT_EQ(round(below + 0x7FFF), half);
    EXPECT_EQ(round(below + 0x8000), half % 2 == 0 ? half : half + 1);
    EXPECT_EQ(round(below + 0x8001), half + 1);
  }
  EXPECT_EQ(Float32ToBFloat16(std::numeric_limits<float>::max()), 0x7F80);
}

// A NaN whose only set bits are cut off must not become infinity.
TEST(BFloat16Test, NanStaysNan) {
  const float nan = std::bit_cast<float>(0x7F800001U);
  EXPECT_TRUE(std::isnan(BFloat16ToFloat32(Float32ToBFloat16(nan))));
  EXPECT_TRUE(std::isnan(BFloat16ToFloat32(Float32ToBFloat16(std::bit_cast<float>(0x7FFFFFFFU)))));
}

}  // namespace
}  // namespace limpid::internal

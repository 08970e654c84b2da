// The two 16-bit float formats, to float32 and back. float16 is IEEE 754 binary16 (5 exponent and
// 10 mantissa bits); bfloat16 is the upper half of a float32 (8 and 7).

#ifndef LIMPID_MODELS_MODEL_FLOAT16_H_
#define LIMPID_MODELS_MODEL_FLOAT16_H_

#include <bit>
#include <cmath>
#include <cstdint>

namespace limpid::internal {

// Free of branches and of float32 subnormals, so that a loop over it vectorizes and runs at the
// same speed on any values.
inline float Float16ToFloat32(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16U;
  const uint32_t magnitude = half & 0x7FFFU;
  // Exponent and mantissa move to their places in a float32 whose exponent is 0xE0 too large; the
  // product takes off the 2^112 that are too many. Infinity and NaN have exponent 0xFF either way.
  const float normal =
      std::bit_cast<float>((magnitude << 13U) + (uint32_t{0xE0} << 23U)) * 0x1p-112F;
  // A subnormal is a count of 2^-24, the last digit of a float32 between 0.5 and 1.
  const float subnormal = std::bit_cast<float>(std::bit_cast<uint32_t>(0.5F) | magnitude) - 0.5F;
  // A choice by mask: compilers turn `?:` into a branch here.
  const uint32_t mask = magnitude < 0x0400U ? ~0U : 0U;
  return std::bit_cast<float>(sign | (std::bit_cast<uint32_t>(subnormal) & mask) |
                              (std::bit_cast<uint32_t>(normal) & ~mask));
}

// Rounds to nearest, ties to even; magnitudes from 65520 up become infinity.
inline uint16_t Float32ToFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16U) & 0x8000U;
  uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<uint16_t>(sign | 0x7E00U);   // NaN
  if (magnitude >= 0x477FF000U) return static_cast<uint16_t>(sign | 0x7C00U);  // infinity
  if (magnitude < 0x38800000U) {
    // Below 2^-14 the result counts 2^-24: the last digit of a float32 between 0.5 and 1, so that
    // this addition rounds to it.
    const float sum = std::fabs(value) + 0.5F;
    return static_cast<uint16_t>(sign |
                                 (std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(0.5F)));
  }
  // 112 off the exponent; then just under half of the last digit that stays, or just half of it if
  // that digit is odd.
  magnitude -= 112U << 23U;
  magnitude += 0x0FFFU + ((magnitude >> 13U) & 1U);
  return static_cast<uint16_t>(sign | (magnitude >> 13U));
}

inline float BFloat16ToFloat32(uint16_t half) {
  return std::bit_cast<float>(static_cast<uint32_t>(half) << 16U);
}

// Rounds to nearest, ties to even. Free of branches, so that a loop over it vectorizes.
inline uint16_t Float32ToBFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = bits + 0x7FFFU + ((bits >> 16U) & 1U);
  // Rounding could carry a NaN over into infinity or zero: cut it off instead and keep it a NaN.
  const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  return static_cast<uint16_t>((is_nan ? bits | 0x00400000U : rounded) >> 16U);
}

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_FLOAT16_H_

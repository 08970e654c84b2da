// Conversion between float32 and the two 16-bit formats: float16 is IEEE 754 binary16 (5 exponent
// and 10 mantissa bits); bfloat16 is the upper half of a float32 (8 and 7).

#ifndef LIMPID_MODELS_MODEL_FLOAT16_H_
#define LIMPID_MODELS_MODEL_FLOAT16_H_

#include <bit>
#include <cmath>
#include <cstdint>

namespace limpid::internal {

// Without branches and float32 subnormals, so that a loop vectorizes and its speed does not depend
// on the values.
inline float Float16ToFloat32(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16U;
  const uint32_t magnitude = half & 0x7FFFU;
  // Shift exponent and mantissa into place and add 0xE0 to the exponent; multiplying by 2^-112
  // corrects the bias. Infinity and NaN get exponent 0xFF and keep it.
  const float normal =
      std::bit_cast<float>((magnitude << 13U) + (uint32_t{0xE0} << 23U)) * 0x1p-112F;
  // A subnormal counts units of 2^-24, the last bit of a float32 in [0.5, 1).
  const float subnormal = std::bit_cast<float>(std::bit_cast<uint32_t>(0.5F) | magnitude) - 0.5F;
  // Select by mask: compilers turn `?:` into a branch here.
  const uint32_t mask = magnitude < 0x0400U ? ~0U : 0U;
  return std::bit_cast<float>(sign | (std::bit_cast<uint32_t>(subnormal) & mask) |
                              (std::bit_cast<uint32_t>(normal) & ~mask));
}

// Rounds to nearest, ties to even; magnitudes of 65520 and more become infinity.
inline uint16_t Float32ToFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16U) & 0x8000U;
  uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<uint16_t>(sign | 0x7E00U);   // NaN
  if (magnitude >= 0x477FF000U) return static_cast<uint16_t>(sign | 0x7C00U);  // infinity
  if (magnitude < 0x38800000U) {
    // Below 2^-14 the result counts units of 2^-24, the last bit of a float32 in [0.5, 1): adding
    // 0.5 rounds to it.
    const float sum = std::fabs(value) + 0.5F;
    return static_cast<uint16_t>(sign |
                                 (std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(0.5F)));
  }
  // Rebias the exponent; then add just under half of the last kept bit, or exactly half if that bit
  // is odd, so that truncation rounds to nearest even.
  magnitude -= 112U << 23U;
  magnitude += 0x0FFFU + ((magnitude >> 13U) & 1U);
  return static_cast<uint16_t>(sign | (magnitude >> 13U));
}

inline float BFloat16ToFloat32(uint16_t half) {
  return std::bit_cast<float>(static_cast<uint32_t>(half) << 16U);
}

// Rounds to nearest, ties to even. Without branches, so that a loop vectorizes.
inline uint16_t Float32ToBFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = bits + 0x7FFFU + ((bits >> 16U) & 1U);
  // Rounding could turn a NaN into infinity or zero: truncate it and set a mantissa bit.
  const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  return static_cast<uint16_t>((is_nan ? bits | 0x00400000U : rounded) >> 16U);
}

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_FLOAT16_H_

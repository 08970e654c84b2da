#include "engine/math/quantize.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "models/model/float16.h"

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/math/quantize.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h.
#include "engine/math/simd-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace limpid::internal {
namespace HWY_NAMESPACE {

// max|x|; infinity or NaN if x holds one.
float MaxAbsOf(const float* HWY_RESTRICT x, int size) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> bits;
  // Without the sign bit, floats order as their bits do, with infinity and NaN last.
  auto largest_lanes = hn::Zero(bits);
  uint32_t largest = 0;
  ForEach(
      size,
      [&](int i) HWY_ATTR {
        largest_lanes = hn::Max(largest_lanes, hn::BitCast(bits, hn::Abs(hn::LoadU(d, x + i))));
      },
      [&](int i)
          HWY_ATTR { largest = std::max(largest, std::bit_cast<uint32_t>(x[i]) & 0x7FFFFFFF); });
  return std::bit_cast<float>(std::max(largest, hn::GetLane(hn::MaxOfLanes(bits, largest_lanes))));
}

struct Unbounded {
  template <typename V>
  HWY_INLINE V operator()(V scaled) const {
    return scaled;
  }
};

// Clamps to -max … max. NaN becomes `max`: converted to an integer it would be undefined.
class Clamp {
 public:
  explicit Clamp(float max) : max_(max) {}
  HWY_INLINE hn::Vec<FloatTag> operator()(hn::Vec<FloatTag> scaled) const {
    const FloatTag d;
    return hn::Max(hn::Set(d, -max_), hn::Min(scaled, hn::Set(d, max_)));
  }

 private:
  float max_;
};

// Rounds bounds(x · inverse) to integers and adds the zero point.
template <typename Bounds, typename T>
class Rounder {
 public:
  Rounder(float inverse, const Bounds& bounds, int zero_point)
      : inverse_(inverse), bounds_(bounds), shift_(kShift + static_cast<float>(zero_point)) {}

  // Numbers per call.
  static int size() { return 4 * static_cast<int>(LanesOf(FloatTag())); }

  HWY_INLINE void operator()(const float* HWY_RESTRICT x, T* HWY_RESTRICT out) const {
#if HWY_TARGET == HWY_SCALAR
    for (int i = 0; i < size(); ++i) {
      out[i] = static_cast<T>(std::bit_cast<uint32_t>(hn::GetLane(Shifted(x + i))));
    }
#else
    const hn::Repartition<T, FloatTag> integers;
    const size_t lanes = LanesOf(FloatTag());
    const auto low = LowHalves(Shifted(x), Shifted(x + lanes));
    const auto high = LowHalves(Shifted(x + 2 * lanes), Shifted(x + 3 * lanes));
    if constexpr (sizeof(T) == 2) {
      hn::StoreU(hn::BitCast(integers, low), integers, out);
      hn::StoreU(hn::BitCast(integers, high), integers, out + 2 * lanes);
    } else {
      const hn::Repartition<uint8_t, FloatTag> bytes;
      const auto all = hn::ConcatEven(bytes, hn::BitCast(bytes, high), hn::BitCast(bytes, low));
      hn::StoreU(hn::BitCast(integers, all), integers, out);
    }
#endif
  }

 private:
  // Between 2^23 and 2^24 a float's lowest bit is worth 1, so the low bits of kShift + an integer
  // are those of the integer.
  static constexpr float kShift = 0x1.8p23F;

  HWY_INLINE hn::Vec<FloatTag> Shifted(const float* x) const {
    const FloatTag d;
    const auto scaled = bounds_(hn::Mul(hn::LoadU(d, x), hn::Set(d, inverse_)));
    return hn::Add(hn::Round(scaled), hn::Set(d, shift_));
  }

#if HWY_TARGET != HWY_SCALAR
  // The lower 16 bits of each lane.
  static HWY_INLINE hn::Vec<hn::Repartition<uint16_t, FloatTag>> LowHalves(hn::Vec<FloatTag> first,
                                                                           hn::Vec<FloatTag> next) {
    const hn::Repartition<uint16_t, FloatTag> words;
    return hn::ConcatEven(words, hn::BitCast(words, next), hn::BitCast(words, first));
  }
#endif

  float inverse_;
  Bounds bounds_;
  float shift_;
};

template <typename Bounds, typename T>
HWY_INLINE void Round(float inverse, const Bounds& bounds, int zero_point,
                      const float* HWY_RESTRICT x, int size, T* HWY_RESTRICT out) {
  const Rounder<Bounds, T> round(inverse, bounds, zero_point);
  int i = 0;
  for (; i + round.size() <= size; i += round.size()) round(x + i, out + i);
  if (i == size) return;
  HWY_ALIGN float rest[4 * hn::MaxLanes(FloatTag())] = {};
  HWY_ALIGN T rounded[4 * hn::MaxLanes(FloatTag())];
  std::copy(x + i, x + size, rest);
  round(rest, rounded);
  std::copy_n(rounded, size - i, out + i);
}

// Quantizes to integers in -max … max and adds the zero point.
template <typename T>
HWY_INLINE float QuantizeAround(int zero_point, int max, const float* x, int size, T* out) {
  const float largest = MaxAbsOf(x, size);
  // Infinite if `largest` is 0; 0 if it is infinite.
  const float inverse = static_cast<float>(max) / largest;
  if (!(inverse > 0 && inverse < std::numeric_limits<float>::infinity())) {
    std::fill(out, out + size, static_cast<T>(zero_point));
    return 0;
  }
  Round(inverse, Unbounded(), zero_point, x, size, out);
  return largest / static_cast<float>(max);
}

float QuantizeSigned(const float* x, int size, int8_t* out) {
  return QuantizeAround(/*zero_point=*/0, /*max=*/127, x, size, out);
}

float QuantizeWide(const float* x, int size, int16_t* out) {
  return QuantizeAround(/*zero_point=*/0, /*max=*/127, x, size, out);
}

float QuantizeUnsigned(const float* x, int size, int zero_point, uint8_t* out) {
  return QuantizeAround(zero_point, zero_point - 1, x, size, out);
}

void QuantizeBy(float scale, const float* x, int size, int zero_point, uint8_t* out) {
  Round(1 / scale, Clamp(static_cast<float>(zero_point - 1)), zero_point, x, size, out);
}

void RoundToBFloat16(const float* HWY_RESTRICT x, int size, uint16_t* HWY_RESTRICT out) {
  for (int i = 0; i < size; ++i) out[i] = Float32ToBFloat16(x[i]);
}

}  // namespace HWY_NAMESPACE
}  // namespace limpid::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limpid::internal {

HWY_EXPORT(QuantizeSigned);
HWY_EXPORT(QuantizeWide);
HWY_EXPORT(QuantizeUnsigned);
HWY_EXPORT(QuantizeBy);
HWY_EXPORT(RoundToBFloat16);

float Quantize(const float* x, int size, int8_t* out) {
  return HWY_DYNAMIC_DISPATCH(QuantizeSigned)(x, size, out);
}
float Quantize(const float* x, int size, int16_t* out) {
  return HWY_DYNAMIC_DISPATCH(QuantizeWide)(x, size, out);
}
float Quantize(const float* x, int size, int zero_point, uint8_t* out) {
  return HWY_DYNAMIC_DISPATCH(QuantizeUnsigned)(x, size, zero_point, out);
}
void QuantizeBy(float scale, const float* x, int size, int zero_point, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(QuantizeBy)(scale, x, size, zero_point, out);
}
float QuantizeRow(const TensorView& matrix, int64_t row, std::vector<float>& scratch, int8_t* out) {
  const int64_t size = matrix.columns();
  if (matrix.dtype == DType::kInt8) {
    std::memcpy(out, matrix.data + row * size, size);
    return matrix.scales[row];
  }
  scratch.resize(size);
  ReadRow(matrix, row, scratch.data());
  return Quantize(scratch.data(), static_cast<int>(size), out);
}
void RoundToBFloat16(const float* x, int size, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(RoundToBFloat16)(x, size, out);
}

}  // namespace limpid::internal
#endif  // HWY_ONCE

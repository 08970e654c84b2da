#include "engine/ops.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "models/float16.h"

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace limpid {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;

inline size_t LanesOf(FloatTag d) { return hn::Lanes(d); }

// Applies `vector(i)` to whole vectors of [0, size) and `scalar(i)` to what is left.
template <typename VectorStep, typename ScalarStep>
HWY_INLINE void ForEach(int size, const VectorStep& vector, const ScalarStep& scalar) {
  const int lanes = static_cast<int>(LanesOf(FloatTag()));
  int i = 0;
  for (; i + lanes <= size; i += lanes) vector(i);
  for (; i < size; ++i) scalar(i);
}

inline float SumLanes(FloatTag d, hn::Vec<FloatTag> v) { return hn::GetLane(hn::SumOfLanes(d, v)); }

// The two kinds of ProductRow: each gives the value at i, bias included, as a vector or as one
// number.
class FloatProduct {
 public:
  explicit FloatProduct(const ProductRow& row)
      : values_(static_cast<const float*>(row.values)), bias_(row.bias) {}
  HWY_INLINE hn::Vec<FloatTag> Vector(FloatTag d, int i) const {
    return hn::Add(hn::LoadU(d, values_ + i), hn::LoadU(d, bias_ + i));
  }
  float Scalar(int i) const { return values_[i] + bias_[i]; }

 private:
  const float* HWY_RESTRICT values_;
  const float* HWY_RESTRICT bias_;
};

class Int8Product {
 public:
  explicit Int8Product(const ProductRow& row)
      : values_(static_cast<const int32_t*>(row.values)),
        bias_(row.bias),
        scales_(row.scales),
        offsets_(row.offsets),
        input_scale_(row.input_scale) {}
  HWY_INLINE hn::Vec<FloatTag> Vector(FloatTag d, int i) const {
    const hn::RebindToSigned<FloatTag> integers;
    const auto scale = hn::Mul(hn::Set(d, input_scale_), hn::LoadU(d, scales_ + i));
    const auto integer =
        hn::Sub(hn::LoadU(integers, values_ + i), hn::LoadU(integers, offsets_ + i));
    const auto value = hn::ConvertTo(d, integer);
    return hn::MulAdd(value, scale, hn::LoadU(d, bias_ + i));
  }
  // As a vector of one, so that it is fused, and rounds, just as Vector's lanes are.
  HWY_INLINE float Scalar(int i) const {
    const hn::CappedTag<float, 1> d;
    const auto scale = hn::Set(d, input_scale_ * scales_[i]);
    const auto difference = static_cast<uint32_t>(values_[i]) - static_cast<uint32_t>(offsets_[i]);
    const auto value = hn::Set(d, static_cast<float>(static_cast<int32_t>(difference)));
    return hn::GetLane(hn::MulAdd(value, scale, hn::Set(d, bias_[i])));
  }

 private:
  const int32_t* HWY_RESTRICT values_;
  const float* HWY_RESTRICT bias_;
  const float* HWY_RESTRICT scales_;
  const int32_t* HWY_RESTRICT offsets_;
  float input_scale_;
};

// A row that needs no finishing.
class PlainRow {
 public:
  explicit PlainRow(const float* values) : values_(values) {}
  HWY_INLINE hn::Vec<FloatTag> Vector(FloatTag d, int i) const { return hn::LoadU(d, values_ + i); }
  float Scalar(int i) const { return values_[i]; }

 private:
  const float* HWY_RESTRICT values_;
};

// Calls function(product) with the kind of product that `row` is.
template <typename Function>
HWY_INLINE void WithProduct(const ProductRow& row, const Function& function) {
  if (row.scales == nullptr) {
    function(FloatProduct(row));
  } else {
    function(Int8Product(row));
  }
}

void AddBias(const ProductRow& row, float* HWY_RESTRICT out) {
  const FloatTag d;
  WithProduct(row, [&](const auto& product) HWY_ATTR {
    ForEach(
        row.size, [&](int i) HWY_ATTR { hn::StoreU(product.Vector(d, i), d, out + i); },
        [&](int i) HWY_ATTR { out[i] = product.Scalar(i); });
  });
}

void AddBiasAndResidual(const ProductRow& row, float* HWY_RESTRICT out) {
  const FloatTag d;
  WithProduct(row, [&](const auto& product) HWY_ATTR {
    ForEach(
        row.size,
        [&](int i) HWY_ATTR {
          hn::StoreU(hn::Add(hn::LoadU(d, out + i), product.Vector(d, i)), d, out + i);
        },
        [&](int i) HWY_ATTR { out[i] += product.Scalar(i); });
  });
}

// exp(-x) may overflow to infinity, which gives the right limit: 1 / (1 + inf) = 0. Highway's exp
// does so only up to 104, and wraps around beyond.
template <typename Vector>
HWY_INLINE Vector Sigmoid(FloatTag d, Vector x) {
  const auto one = hn::Set(d, 1.0F);
  const auto e = hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 100.0F)));
  return hn::Div(one, hn::Add(one, e));
}

inline float Gelu(float x) { return 0.5F * x * (1.0F + std::erf(x * 0.70710678F)); }

// out = function(product). What is left over at the end goes through a vector too, so that a result
// does not depend on where in the row it stands.
template <typename VectorFunction>
HWY_INLINE void MapProduct(const ProductRow& row, float* HWY_RESTRICT out,
                           const VectorFunction& function) {
  const FloatTag d;
  const int lanes = static_cast<int>(LanesOf(d));
  WithProduct(row, [&](const auto& product) HWY_ATTR {
    int i = 0;
    for (; i + lanes <= row.size; i += lanes) {
      hn::StoreU(function(product.Vector(d, i)), d, out + i);
    }
    if (i == row.size) return;
    HWY_ALIGN float tail[hn::MaxLanes(d)] = {};
    for (int j = i; j < row.size; ++j) tail[j - i] = product.Scalar(j);
    hn::Store(function(hn::Load(d, tail)), d, tail);
    for (int j = i; j < row.size; ++j) out[j] = tail[j - i];
  });
}

void AddBiasAndActivate(const ProductRow& row, Activation activation, float* out) {
  const FloatTag d;
  using V = hn::Vec<FloatTag>;
  switch (activation) {
    case Activation::kRelu:
      return MapProduct(row, out, [d](V v) HWY_ATTR { return hn::Max(v, hn::Zero(d)); });
    case Activation::kSwish:
      return MapProduct(row, out, [d](V v) HWY_ATTR { return hn::Mul(v, Sigmoid(d, v)); });
    case Activation::kGeluSigmoid:  // x * sigmoid(1.702 x)
      return MapProduct(row, out, [d](V v) HWY_ATTR {
        return hn::Mul(v, Sigmoid(d, hn::Mul(v, hn::Set(d, 1.702F))));
      });
    case Activation::kGeluTanh:
      // 0.5 x (1 + tanh(u)) = x * sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715 x^3).
      return MapProduct(row, out, [d](V v) HWY_ATTR {
        const V cube = hn::Mul(hn::Mul(v, v), v);
        const V u = hn::Mul(hn::MulAdd(hn::Set(d, 0.044715F), cube, v), hn::Set(d, 0.79788456F));
        return hn::Mul(v, Sigmoid(d, hn::Add(u, u)));
      });
    case Activation::kGelu:  // Highway has no erf.
      HWY_NAMESPACE::AddBias(row, out);
      for (int i = 0; i < row.size; ++i) out[i] = Gelu(out[i]);
      return;
  }
}

// The largest |x|, or infinity or NaN where x holds one.
float MaxAbsOf(const float* HWY_RESTRICT x, int size) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> bits;
  // Without its sign bit, a float's bits order as its value does, with infinity and NaN last.
  auto largests = hn::Zero(bits);
  uint32_t largest = 0;
  ForEach(
      size,
      [&](int i) HWY_ATTR {
        largests = hn::Max(largests, hn::BitCast(bits, hn::Abs(hn::LoadU(d, x + i))));
      },
      [&](int i)
          HWY_ATTR { largest = std::max(largest, std::bit_cast<uint32_t>(x[i]) & 0x7FFFFFFF); });
  return std::bit_cast<float>(std::max(largest, hn::GetLane(hn::MaxOfLanes(bits, largests))));
}

// To integers of -most … most, to each of which `zero` is added.
template <typename T>
HWY_INLINE float QuantizeAround(int zero, int most, const float* HWY_RESTRICT x, int size,
                                T* HWY_RESTRICT out) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> integers;
  const hn::Rebind<T, FloatTag> bytes;
  const float largest = MaxAbsOf(x, size);
  const float inverse = static_cast<float>(most) / largest;  // infinite for zero, zero for infinity
  if (!(inverse > 0 && inverse < std::numeric_limits<float>::infinity())) {
    std::fill(out, out + size, static_cast<T>(zero));
    return 0;
  }
  const float scale = largest / static_cast<float>(most);
  const auto inverses = hn::Set(d, inverse);
  const auto zeros = hn::Set(integers, zero);
  ForEach(
      size,
      [&](int i) HWY_ATTR {
        const auto rounded = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), inverses));
        hn::StoreU(hn::DemoteTo(bytes, hn::Add(rounded, zeros)), bytes, out + i);
      },
      [&](int i) HWY_ATTR {
        out[i] = static_cast<T>(static_cast<int>(std::nearbyint(x[i] * inverse)) + zero);
      });
  return scale;
}

float QuantizeSigned(const float* x, int size, int8_t* out) {
  return QuantizeAround(/*zero=*/0, /*most=*/127, x, size, out);
}

float QuantizeUnsigned(const float* x, int size, int zero, uint8_t* out) {
  return QuantizeAround(zero, zero - 1, x, size, out);
}

void RoundToBFloat16(const float* HWY_RESTRICT x, int size, uint16_t* HWY_RESTRICT out) {
  for (int i = 0; i < size; ++i) out[i] = Float32ToBFloat16(x[i]);
}

void LayerNorm(const float* x, const float* HWY_RESTRICT scale, const float* HWY_RESTRICT bias,
               float epsilon, int size, float* out) {
  const FloatTag d;
  auto sums = hn::Zero(d);
  float sum = 0;
  ForEach(
      size, [&](int i) HWY_ATTR { sums = hn::Add(sums, hn::LoadU(d, x + i)); },
      [&](int i) HWY_ATTR { sum += x[i]; });
  const float mean = (sum + SumLanes(d, sums)) / static_cast<float>(size);

  // A second pass over the centred values: the one-pass formula loses all digits when the mean is
  // large against the spread.
  const auto means = hn::Set(d, mean);
  auto squares = hn::Zero(d);
  float square = 0;
  ForEach(
      size,
      [&](int i) HWY_ATTR {
        const auto centred = hn::Sub(hn::LoadU(d, x + i), means);
        squares = hn::MulAdd(centred, centred, squares);
      },
      [&](int i) HWY_ATTR { square += (x[i] - mean) * (x[i] - mean); });
  const float variance = (square + SumLanes(d, squares)) / static_cast<float>(size);

  const float inverse = 1.0F / std::sqrt(variance + epsilon);
  const auto inverses = hn::Set(d, inverse);
  ForEach(
      size,
      [&](int i) HWY_ATTR {
        const auto normal = hn::Mul(hn::Sub(hn::LoadU(d, x + i), means), inverses);
        hn::StoreU(hn::MulAdd(normal, hn::LoadU(d, scale + i), hn::LoadU(d, bias + i)), d, out + i);
      },
      [&](int i) HWY_ATTR { out[i] = (x[i] - mean) * inverse * scale[i] + bias[i]; });
}

void ScaleAndAdd(float factor, const float* HWY_RESTRICT y, int size, float* HWY_RESTRICT out) {
  const FloatTag d;
  const auto factors = hn::Set(d, factor);
  ForEach(
      size,
      [&](int i) HWY_ATTR {
        hn::StoreU(hn::MulAdd(hn::LoadU(d, out + i), factors, hn::LoadU(d, y + i)), d, out + i);
      },
      [&](int i) HWY_ATTR { out[i] = out[i] * factor + y[i]; });
}

void BlendByGate(const float* gate, const float* input, const float* before, int size,
                 float* state) {
  const FloatTag d;
  ForEach(
      size,
      [&](int i) HWY_ATTR {
        const auto in = hn::LoadU(d, input + i);
        const auto change = hn::Sub(hn::LoadU(d, before + i), in);
        hn::StoreU(hn::MulAdd(Sigmoid(d, hn::LoadU(d, gate + i)), change, in), d, state + i);
      },
      [&](int i) HWY_ATTR {
        const float sigmoid = 1.0F / (1.0F + std::exp(-gate[i]));
        state[i] = sigmoid * (before[i] - input[i]) + input[i];
      });
}

// The largest value of row[begin .. end), or minus infinity where there is none.
template <typename Row>
HWY_INLINE float MaxOf(const Row& row, int begin, int end) {
  const FloatTag d;
  const int lanes = static_cast<int>(LanesOf(d));
  float largest = -std::numeric_limits<float>::infinity();
  auto even = hn::Set(d, largest);
  auto odd = even;  // two maxima, for one need not wait for the other
  int i = begin;
  for (; i + 2 * lanes <= end; i += 2 * lanes) {
    even = hn::Max(even, row.Vector(d, i));
    odd = hn::Max(odd, row.Vector(d, i + lanes));
  }
  for (; i + lanes <= end; i += lanes) even = hn::Max(even, row.Vector(d, i));
  for (; i < end; ++i) largest = std::max(largest, row.Scalar(i));
  return std::max(largest, hn::GetLane(hn::MaxOfLanes(d, hn::Max(even, odd))));
}

// The sum of exp(row - largest).
template <typename Row>
HWY_INLINE float SumOfExp(const Row& row, int size, float largest) {
  const FloatTag d;
  const int lanes = static_cast<int>(LanesOf(d));
  const auto largests = hn::Set(d, largest);
  auto sums = hn::Zero(d);
  int i = 0;
  for (; i + lanes <= size; i += lanes) {
    sums = hn::Add(sums, hn::Exp(d, hn::Sub(row.Vector(d, i), largests)));
  }
  if (i < size) {
    HWY_ALIGN float tail[hn::MaxLanes(d)];
    std::fill(tail, tail + lanes, -std::numeric_limits<float>::infinity());
    for (int j = i; j < size; ++j) tail[j - i] = row.Scalar(j);
    sums = hn::Add(sums, hn::Exp(d, hn::Sub(hn::Load(d, tail), largests)));
  }
  return SumLanes(d, sums);
}

// Looks for the largest block by block, so that its place is then sought in one block only.
template <typename Row>
HWY_INLINE Best FindBestIn(const Row& row, int size, LogSumExp log_sum_exp) {
  constexpr int kBlock = 512;
  Best best;
  best.logit = -std::numeric_limits<float>::infinity();
  int block = 0;
  for (int begin = 0; begin < size; begin += kBlock) {
    const float largest = MaxOf(row, begin, std::min(begin + kBlock, size));
    if (largest > best.logit) {
      best.logit = largest;
      block = begin;
    }
  }
  const int end = std::min(block + kBlock, size);
  best.index = block;
  while (best.index < end && row.Scalar(best.index) != best.logit) ++best.index;
  if (best.index == end) best.index = block;  // NaN, from a broken model, equals nothing
  if (log_sum_exp == LogSumExp::kCompute) {
    best.log_sum_exp = best.logit + std::log(SumOfExp(row, size, best.logit));
  }
  return best;
}

Best FindBestOfProduct(const ProductRow& row, LogSumExp log_sum_exp) {
  Best best;
  WithProduct(row, [&](const auto& product)
                       HWY_ATTR { best = FindBestIn(product, row.size, log_sum_exp); });
  return best;
}

Best FindBestLogit(const float* logits, int size) {
  return FindBestIn(PlainRow(logits), size, LogSumExp::kCompute);
}

}  // namespace HWY_NAMESPACE
}  // namespace limpid
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limpid {

HWY_EXPORT(AddBias);
HWY_EXPORT(AddBiasAndActivate);
HWY_EXPORT(AddBiasAndResidual);
HWY_EXPORT(QuantizeSigned);
HWY_EXPORT(QuantizeUnsigned);
HWY_EXPORT(RoundToBFloat16);
HWY_EXPORT(LayerNorm);
HWY_EXPORT(ScaleAndAdd);
HWY_EXPORT(BlendByGate);
HWY_EXPORT(FindBestOfProduct);
HWY_EXPORT(FindBestLogit);

void AddBias(const ProductRow& product, float* out) { HWY_DYNAMIC_DISPATCH(AddBias)(product, out); }
void AddBiasAndActivate(const ProductRow& product, Activation activation, float* out) {
  HWY_DYNAMIC_DISPATCH(AddBiasAndActivate)(product, activation, out);
}
void AddBiasAndResidual(const ProductRow& product, float* out) {
  HWY_DYNAMIC_DISPATCH(AddBiasAndResidual)(product, out);
}
float Quantize(const float* x, int size, int8_t* out) {
  return HWY_DYNAMIC_DISPATCH(QuantizeSigned)(x, size, out);
}
float Quantize(const float* x, int size, int zero, uint8_t* out) {
  return HWY_DYNAMIC_DISPATCH(QuantizeUnsigned)(x, size, zero, out);
}
void RoundToBFloat16(const float* x, int size, uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(RoundToBFloat16)(x, size, out);
}
void LayerNorm(const float* x, const float* scale, const float* bias, float epsilon, int size,
               float* out) {
  HWY_DYNAMIC_DISPATCH(LayerNorm)(x, scale, bias, epsilon, size, out);
}
void ScaleAndAdd(float factor, const float* y, int size, float* out) {
  HWY_DYNAMIC_DISPATCH(ScaleAndAdd)(factor, y, size, out);
}
void BlendByGate(const float* gate, const float* input, const float* before, int size,
                 float* state) {
  HWY_DYNAMIC_DISPATCH(BlendByGate)(gate, input, before, size, state);
}
Best FindBest(const ProductRow& product, LogSumExp log_sum_exp) {
  return HWY_DYNAMIC_DISPATCH(FindBestOfProduct)(product, log_sum_exp);
}
Best FindBest(const float* logits, int size) {
  return HWY_DYNAMIC_DISPATCH(FindBestLogit)(logits, size);
}

Best BetterOf(const Best& left, const Best& right, LogSumExp log_sum_exp) {
  Best better = right.logit > left.logit ? right : left;
  if (log_sum_exp == LogSumExp::kLeaveOut) return better;
  const float largest = std::max(left.log_sum_exp, right.log_sum_exp);
  const float smallest = std::min(left.log_sum_exp, right.log_sum_exp);
  better.log_sum_exp = largest + std::log1p(std::exp(smallest - largest));
  return better;
}

}  // namespace limpid
#endif  // HWY_ONCE

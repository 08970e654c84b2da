#include "engine/math/ops.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/math/ops.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h.
#include "engine/math/simd-inl.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace limpid::internal {
namespace HWY_NAMESPACE {

// FloatProduct and Int8Product read the two kinds of ProductRows. WithShared passes to `function`
// what all rows share at columns i, i + 1 … (bias, scales, offsets); with these, Vector returns one
// row's values there, and Scalar one value, bias included. (They are not in a struct because
// vectors without a compile-time size, such as Arm SVE's, must not be members of structs or
// arrays.)
class FloatProduct {
 public:
  explicit FloatProduct(const ProductRows& rows)
      : values_(static_cast<const float*>(rows.values)), columns_(rows.columns), bias_(rows.bias) {}
  template <typename Function>
  HWY_INLINE void WithShared(FloatTag d, int i, const Function& function) const {
    function(hn::LoadU(d, bias_ + i));
  }
  HWY_INLINE hn::Vec<FloatTag> Vector(FloatTag d, int row, int i, hn::Vec<FloatTag> bias) const {
    return hn::Add(hn::LoadU(d, values_ + row * columns_ + i), bias);
  }
  float Scalar(int row, int i) const { return values_[row * columns_ + i] + bias_[i]; }

 private:
  const float* HWY_RESTRICT values_;
  ptrdiff_t columns_;
  const float* HWY_RESTRICT bias_;
};

class Int8Product {
 public:
  using IntegerTag = hn::RebindToSigned<FloatTag>;

  explicit Int8Product(const ProductRows& rows)
      : values_(static_cast<const int32_t*>(rows.values)),
        columns_(rows.columns),
        bias_(rows.bias),
        scales_(rows.scales),
        offsets_(rows.offsets),
        input_scales_(rows.input_scales) {}
  template <typename Function>
  HWY_INLINE void WithShared(FloatTag d, int i, const Function& function) const {
    const IntegerTag integers;
    function(hn::LoadU(d, scales_ + i), hn::LoadU(integers, offsets_ + i), hn::LoadU(d, bias_ + i));
  }
  HWY_INLINE hn::Vec<FloatTag> Vector(FloatTag d, int row, int i, hn::Vec<FloatTag> scale,
                                      hn::Vec<IntegerTag> offset, hn::Vec<FloatTag> bias) const {
    const IntegerTag integers;
    const auto both_scales = hn::Mul(hn::Set(d, input_scales_[row]), scale);
    const auto integer = hn::Sub(hn::LoadU(integers, values_ + row * columns_ + i), offset);
    return hn::MulAdd(hn::ConvertTo(d, integer), both_scales, bias);
  }
  // A vector of one lane, so that it is fused and rounded exactly as Vector's lanes are.
  HWY_INLINE float Scalar(int row, int i) const {
    const hn::CappedTag<float, 1> d;
    const auto scale = hn::Set(d, input_scales_[row] * scales_[i]);
    const auto difference =
        static_cast<uint32_t>(values_[row * columns_ + i]) - static_cast<uint32_t>(offsets_[i]);
    const auto value = hn::Set(d, static_cast<float>(static_cast<int32_t>(difference)));
    return hn::GetLane(hn::MulAdd(value, scale, hn::Set(d, bias_[i])));
  }

 private:
  const int32_t* HWY_RESTRICT values_;
  ptrdiff_t columns_;
  const float* HWY_RESTRICT bias_;
  const float* HWY_RESTRICT scales_;
  const int32_t* HWY_RESTRICT offsets_;
  const float* HWY_RESTRICT input_scales_;
};

// The same interface for a row of finished values.
class PlainRow {
 public:
  explicit PlainRow(const float* values) : values_(values) {}
  template <typename Function>
  HWY_INLINE void WithShared(FloatTag /*d*/, int /*i*/, const Function& function) const {
    function();
  }
  HWY_INLINE hn::Vec<FloatTag> Vector(FloatTag d, int /*row*/, int i) const {
    return hn::LoadU(d, values_ + i);
  }
  float Scalar(int /*row*/, int i) const { return values_[i]; }

 private:
  const float* HWY_RESTRICT values_;
};

// Calls function(product) with `rows` as a FloatProduct or an Int8Product.
template <typename Function>
HWY_INLINE void WithProduct(const ProductRows& rows, const Function& function) {
  if (rows.scales == nullptr) {
    function(FloatProduct(rows));
  } else {
    function(Int8Product(rows));
  }
}

template <int kCount>
using Count = std::integral_constant<int, kCount>;

// Calls function(first row, Count of rows) for blocks of four rows, which load what they share only
// once, then for single rows.
template <typename Function>
HWY_INLINE void ForRows(int rows, const Function& function) {
  int row = 0;
  for (; row + 4 <= rows; row += 4) function(row, Count<4>());
  for (; row < rows; ++row) function(row, Count<1>());
}

// out = function(product, out), one vector at a time. The tail of a row goes through a vector, too,
// so that results do not depend on the column.
template <typename Function>
HWY_INLINE void MapProduct(const ProductRows& rows, float* HWY_RESTRICT out, size_t stride,
                           const Function& function) {
  const FloatTag d;
  const int lanes = static_cast<int>(LanesOf(d));
  const int whole = rows.columns / lanes * lanes;
  WithProduct(rows, [&](const auto& product) HWY_ATTR {
    ForRows(rows.rows, [&](int first, auto count) HWY_ATTR {
      for (int i = 0; i < whole; i += lanes) {
        product.WithShared(d, i, [&](auto... shared) HWY_ATTR {
          for (int row = first; row < first + count; ++row) {
            float* HWY_RESTRICT to = out + row * stride + i;
            hn::StoreU(function(product.Vector(d, row, i, shared...), hn::LoadU(d, to)), d, to);
          }
        });
      }
      if (whole == rows.columns) return;
      for (int row = first; row < first + count; ++row) {
        float* HWY_RESTRICT to = out + row * stride;
        HWY_ALIGN float values[hn::MaxLanes(d)] = {};
        HWY_ALIGN float before[hn::MaxLanes(d)] = {};
        for (int i = whole; i < rows.columns; ++i) {
          values[i - whole] = product.Scalar(row, i);
          before[i - whole] = to[i];
        }
        hn::Store(function(hn::Load(d, values), hn::Load(d, before)), d, values);
        for (int i = whole; i < rows.columns; ++i) to[i] = values[i - whole];
      }
    });
  });
}

void AddBias(const ProductRows& rows, float* HWY_RESTRICT out, size_t stride) {
  using V = hn::Vec<FloatTag>;
  MapProduct(rows, out, stride, [](V product, V /*before*/) HWY_ATTR { return product; });
}

void AddBiasAndResidual(const ProductRows& rows, float* HWY_RESTRICT out, size_t stride) {
  using V = hn::Vec<FloatTag>;
  MapProduct(rows, out, stride,
             [](V product, V before) HWY_ATTR { return hn::Add(before, product); });
}

// exp(-x) may overflow to infinity, which gives the right limit: 1 / (1 + inf) = 0. Min() is needed
// because Highway's exp wraps around beyond 104.
template <typename Vector>
HWY_INLINE Vector Sigmoid(FloatTag d, Vector x) {
  const auto one = hn::Set(d, 1.0F);
  const auto e = hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 100.0F)));
  return hn::Div(one, hn::Add(one, e));
}

inline float Gelu(float x) { return 0.5F * x * (1.0F + std::erf(x * 0.70710678F)); }

void AddBiasAndActivate(const ProductRows& rows, Activation activation, float* out, size_t stride) {
  const FloatTag d;
  using V = hn::Vec<FloatTag>;
  const auto map = [&](const auto& function) HWY_ATTR {
    MapProduct(rows, out, stride, [&](V v, V /*before*/) HWY_ATTR { return function(v); });
  };
  switch (activation) {
    case Activation::kRelu:
      return map([d](V v) HWY_ATTR { return hn::Max(v, hn::Zero(d)); });
    case Activation::kSwish:
      return map([d](V v) HWY_ATTR { return hn::Mul(v, Sigmoid(d, v)); });
    case Activation::kGeluSigmoid:  // x * sigmoid(1.702 x)
      return map([d](V v)
                     HWY_ATTR { return hn::Mul(v, Sigmoid(d, hn::Mul(v, hn::Set(d, 1.702F)))); });
    case Activation::kGeluTanh:
      // 0.5 x (1 + tanh(u)) = x * sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715 x^3).
      return map([d](V v) HWY_ATTR {
        const V cube = hn::Mul(hn::Mul(v, v), v);
        const V u = hn::Mul(hn::MulAdd(hn::Set(d, 0.044715F), cube, v), hn::Set(d, 0.79788456F));
        return hn::Mul(v, Sigmoid(d, hn::Add(u, u)));
      });
    case Activation::kGelu:  // Highway has no erf.
      HWY_NAMESPACE::AddBias(rows, out, stride);
      for (int row = 0; row < rows.rows; ++row) {
        float* values = out + row * stride;
        for (int i = 0; i < rows.columns; ++i) values[i] = Gelu(values[i]);
      }
      return;
  }
}

void Normalize(const float* x, const float* HWY_RESTRICT scale, const float* HWY_RESTRICT bias,
               float epsilon, int size, float* out) {
  const FloatTag d;
  auto sums = hn::Zero(d);
  float sum = 0;
  ForEach(
      size, [&](int i) HWY_ATTR { sums = hn::Add(sums, hn::LoadU(d, x + i)); },
      [&](int i) HWY_ATTR { sum += x[i]; });
  const float mean = (sum + SumLanes(d, sums)) / static_cast<float>(size);

  // A second pass, over centred values: the one-pass formula loses all digits when the mean is much
  // larger than the spread.
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

// The largest value in columns begin … end - 1 of each of kRows rows (1 or 4).
template <int kRows, typename Product>
HWY_INLINE std::array<float, kRows> MaxOf(const Product& product, int first_row, int begin,
                                          int end) {
  const FloatTag d;
  const int lanes = static_cast<int>(LanesOf(d));
  auto max0 = hn::Set(d, -std::numeric_limits<float>::infinity());
  auto max1 = max0;
  auto max2 = max0;
  auto max3 = max0;
  int i = begin;
  for (; i + lanes <= end; i += lanes) {
    product.WithShared(d, i, [&](auto... shared) HWY_ATTR {
      max0 = hn::Max(max0, product.Vector(d, first_row, i, shared...));
      if constexpr (kRows == 4) {
        max1 = hn::Max(max1, product.Vector(d, first_row + 1, i, shared...));
        max2 = hn::Max(max2, product.Vector(d, first_row + 2, i, shared...));
        max3 = hn::Max(max3, product.Vector(d, first_row + 3, i, shared...));
      }
    });
  }
  std::array<float, kRows> largest;
  largest[0] = hn::GetLane(hn::MaxOfLanes(d, max0));
  if constexpr (kRows == 4) {
    largest[1] = hn::GetLane(hn::MaxOfLanes(d, max1));
    largest[2] = hn::GetLane(hn::MaxOfLanes(d, max2));
    largest[3] = hn::GetLane(hn::MaxOfLanes(d, max3));
  }
  for (int row = 0; row < kRows; ++row) {
    for (int j = i; j < end; ++j) {
      largest[row] = std::max(largest[row], product.Scalar(first_row + row, j));
    }
  }
  return largest;
}

// Σ exp(value - largest) over a row.
template <typename Product>
HWY_INLINE float SumOfExp(const Product& product, int row, int size, float largest) {
  const FloatTag d;
  const int lanes = static_cast<int>(LanesOf(d));
  const auto largests = hn::Set(d, largest);
  auto sums = hn::Zero(d);
  int i = 0;
  for (; i + lanes <= size; i += lanes) {
    product.WithShared(d, i, [&](auto... shared) HWY_ATTR {
      const auto values = product.Vector(d, row, i, shared...);
      sums = hn::Add(sums, hn::Exp(d, hn::Sub(values, largests)));
    });
  }
  if (i < size) {
    HWY_ALIGN float tail[hn::MaxLanes(d)];
    std::fill(tail, tail + lanes, -std::numeric_limits<float>::infinity());
    for (int j = i; j < size; ++j) tail[j - i] = product.Scalar(row, j);
    sums = hn::Add(sums, hn::Exp(d, hn::Sub(hn::Load(d, tail), largests)));
  }
  return SumLanes(d, sums);
}

// Finds each row's largest value block by block, then searches only its block for the index.
template <int kRows, typename Product>
HWY_INLINE void ArgMaxIn(const Product& product, int first_row, int size, LogSumExp log_sum_exp,
                         MaxLogit* best) {
  constexpr int kBlock = 512;
  for (int row = 0; row < kRows; ++row) best[row] = {0, -std::numeric_limits<float>::infinity(), 0};
  for (int begin = 0; begin < size; begin += kBlock) {
    const std::array<float, kRows> largest =
        MaxOf<kRows>(product, first_row, begin, std::min(begin + kBlock, size));
    for (int row = 0; row < kRows; ++row) {
      if (largest[row] > best[row].logit) best[row] = {begin, largest[row], 0};
    }
  }
  for (int row = 0; row < kRows; ++row) {
    MaxLogit& found = best[row];
    const int begin = found.index;
    const int end = std::min(begin + kBlock, size);
    while (found.index < end && product.Scalar(first_row + row, found.index) != found.logit) {
      ++found.index;
    }
    if (found.index == end) found.index = begin;  // not found: a broken model's NaN
    if (log_sum_exp == LogSumExp::kCompute) {
      found.log_sum_exp =
          found.logit + std::log(SumOfExp(product, first_row + row, size, found.logit));
    }
  }
}

void ArgMaxOfProduct(const ProductRows& rows, LogSumExp log_sum_exp, MaxLogit* best) {
  WithProduct(rows, [&](const auto& product) HWY_ATTR {
    ForRows(rows.rows, [&](int first, auto count) HWY_ATTR {
      ArgMaxIn<count>(product, first, rows.columns, log_sum_exp, best + first);
    });
  });
}

MaxLogit ArgMaxOfLogits(const float* logits, int size) {
  MaxLogit best;
  ArgMaxIn<1>(PlainRow(logits), 0, size, LogSumExp::kCompute, &best);
  return best;
}

void AddCandidatesOf(const ProductRows& rows, int offset, PrefilterCandidates* candidates) {
  const FloatTag d;
  const int lanes = static_cast<int>(LanesOf(d));
  const int whole = rows.columns / lanes * lanes;
  WithProduct(rows, [&](const auto& product) HWY_ATTR {
    ForRows(rows.rows, [&](int first, auto count) HWY_ATTR {
      const auto add = [&](int row, int begin, int end) HWY_ATTR {
        for (int i = begin; i < end; ++i) {
          const float logit = product.Scalar(row, i);
          if (logit >= candidates[row].threshold()) candidates[row].Add(offset + i, logit);
        }
      };
      std::array<float, count> thresholds;
      for (int i = 0; i < count; ++i) thresholds[i] = candidates[first + i].threshold();
      for (int i = 0; i < whole; i += lanes) {
        product.WithShared(d, i, [&](auto... shared) HWY_ATTR {
          for (int row = 0; row < count; ++row) {
            const auto logits = product.Vector(d, first + row, i, shared...);
            const auto is_candidate = hn::Ge(logits, hn::Set(d, thresholds[row]));
            if (!hn::AllFalse(d, is_candidate)) add(first + row, i, i + lanes);
          }
        });
      }
      for (int row = first; row < first + count; ++row) add(row, whole, rows.columns);
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace limpid::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limpid::internal {

HWY_EXPORT(AddBias);
HWY_EXPORT(AddBiasAndActivate);
HWY_EXPORT(AddBiasAndResidual);
HWY_EXPORT(Normalize);
HWY_EXPORT(ScaleAndAdd);
HWY_EXPORT(BlendByGate);
HWY_EXPORT(ArgMaxOfProduct);
HWY_EXPORT(ArgMaxOfLogits);
HWY_EXPORT(AddCandidatesOf);

void AddBias(const ProductRows& product, float* out, size_t stride) {
  HWY_DYNAMIC_DISPATCH(AddBias)(product, out, stride);
}
void AddBiasAndActivate(const ProductRows& product, Activation activation, float* out,
                        size_t stride) {
  HWY_DYNAMIC_DISPATCH(AddBiasAndActivate)(product, activation, out, stride);
}
void AddBiasAndResidual(const ProductRows& product, float* out, size_t stride) {
  HWY_DYNAMIC_DISPATCH(AddBiasAndResidual)(product, out, stride);
}
void Normalize(const float* x, const float* scale, const float* bias, float epsilon, int size,
               float* out) {
  HWY_DYNAMIC_DISPATCH(Normalize)(x, scale, bias, epsilon, size, out);
}
void ScaleAndAdd(float factor, const float* y, int size, float* out) {
  HWY_DYNAMIC_DISPATCH(ScaleAndAdd)(factor, y, size, out);
}
void BlendByGate(const float* gate, const float* input, const float* before, int size,
                 float* state) {
  HWY_DYNAMIC_DISPATCH(BlendByGate)(gate, input, before, size, state);
}
void ArgMax(const ProductRows& product, LogSumExp log_sum_exp, MaxLogit* best) {
  HWY_DYNAMIC_DISPATCH(ArgMaxOfProduct)(product, log_sum_exp, best);
}
MaxLogit ArgMax(const float* logits, int size) {
  return HWY_DYNAMIC_DISPATCH(ArgMaxOfLogits)(logits, size);
}

void AddCandidates(const ProductRows& product, int offset, PrefilterCandidates* rows) {
  HWY_DYNAMIC_DISPATCH(AddCandidatesOf)(product, offset, rows);
}

void PrefilterCandidates::Add(int column, float logit) {
  if (count < kMax) {
    columns[count] = column;
    logits[count] = logit;
  }
  ++count;
}

void PrefilterCandidates::Prune() {
  if (count > kMax) return;
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    if (logits[i] < threshold()) continue;
    columns[kept] = columns[i];
    logits[kept] = logits[i];
    ++kept;
  }
  count = kept;
}

MaxLogit LargerOf(const MaxLogit& left, const MaxLogit& right, LogSumExp log_sum_exp) {
  MaxLogit better = right.logit > left.logit ? right : left;
  if (log_sum_exp == LogSumExp::kLeaveOut) return better;
  const float largest = std::max(left.log_sum_exp, right.log_sum_exp);
  const float smallest = std::min(left.log_sum_exp, right.log_sum_exp);
  better.log_sum_exp = largest + std::log1p(std::exp(smallest - largest));
  return better;
}

}  // namespace limpid::internal
#endif  // HWY_ONCE

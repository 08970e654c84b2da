#include "engine/math/attention_ops.h"

#include <algorithm>
#include <limits>

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/math/attention_ops.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h.
#include "engine/math/simd-inl.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace limpid::internal {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE
HWY_INLINE void StoreSums(FloatTag d, hn::Vec<FloatTag> v0, hn::Vec<FloatTag> v1,
                          hn::Vec<FloatTag> v2, hn::Vec<FloatTag> v3, float scale, float* sums) {
  sums[0] = scale * SumLanes(d, v0);
  sums[1] = scale * SumLanes(d, v1);
  sums[2] = scale * SumLanes(d, v2);
  sums[3] = scale * SumLanes(d, v3);
}
#else
// The sum of a vector's blocks of four lanes.
template <typename D>
HWY_INLINE hn::Vec<hn::Full128<float> > SumBlocks(D /*d*/, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return v;
  } else {
    const hn::Half<D> half;
    return SumBlocks(half, hn::Add(hn::UpperHalf(half, v), hn::LowerHalf(half, v)));
  }
}

// sums[i] = scale * the sum of vi's lanes. Interleaves first, so that lane i of each block of four
// lanes holds vi's sum over that block; then adds up the blocks.
HWY_INLINE void StoreSums(FloatTag d, hn::Vec<FloatTag> v0, hn::Vec<FloatTag> v1,
                          hn::Vec<FloatTag> v2, hn::Vec<FloatTag> v3, float scale, float* sums) {
  const hn::Full128<float> block;
  const hn::RepartitionToWide<FloatTag> pairs;
  const auto sums01 = hn::Add(hn::InterleaveLower(d, v0, v1), hn::InterleaveUpper(d, v0, v1));
  const auto sums23 = hn::Add(hn::InterleaveLower(d, v2, v3), hn::InterleaveUpper(d, v2, v3));
  const auto pairs01 = hn::BitCast(pairs, sums01);
  const auto pairs23 = hn::BitCast(pairs, sums23);
  const auto low = hn::BitCast(d, hn::InterleaveLower(pairs, pairs01, pairs23));
  const auto high = hn::BitCast(d, hn::InterleaveUpper(pairs, pairs01, pairs23));
  hn::StoreU(hn::Mul(SumBlocks(d, hn::Add(low, high)), hn::Set(block, scale)), block, sums);
}
#endif

// One head's scores of four keys: scores[k] = scale * (query . keys[k]).
HWY_INLINE void DotFour(const float* HWY_RESTRICT query, const float* const* keys, int head_dim,
                        float scale, float* HWY_RESTRICT scores) {
  const FloatTag d;
  auto sum0 = hn::Zero(d);
  auto sum1 = sum0;
  auto sum2 = sum0;
  auto sum3 = sum0;
  const int lanes = static_cast<int>(hn::Lanes(d));
  int i = 0;
  for (; i + lanes <= head_dim; i += lanes) {
    const auto q = hn::LoadU(d, query + i);
    sum0 = hn::MulAdd(q, hn::LoadU(d, keys[0] + i), sum0);
    sum1 = hn::MulAdd(q, hn::LoadU(d, keys[1] + i), sum1);
    sum2 = hn::MulAdd(q, hn::LoadU(d, keys[2] + i), sum2);
    sum3 = hn::MulAdd(q, hn::LoadU(d, keys[3] + i), sum3);
  }
  StoreSums(d, sum0, sum1, sum2, sum3, scale, scores);
  for (; i < head_dim; ++i) {
    for (int k = 0; k < 4; ++k) scores[k] += scale * query[i] * keys[k][i];
  }
}

void QueryKeyScores(const float* HWY_RESTRICT query, RowList keys, ptrdiff_t offset, Heads shape,
                    float scale, float* HWY_RESTRICT scores) {
  const ptrdiff_t stride = PaddedKeys(keys.count);
  const ptrdiff_t head_dim = shape.head_dim;
  for (int k = 0; k < keys.count; k += 4) {
    // The last four are filled up with the last key; the extra scores go into the padding.
    const float* four[4];
    for (int i = 0; i < 4; ++i) four[i] = keys.rows[std::min(k + i, keys.count - 1)] + offset;
    for (int head = 0; head < shape.heads; ++head) {
      DotFour(query + head * head_dim, four, shape.head_dim, scale, scores + head * stride + k);
      for (const float*& key : four) key += head_dim;
    }
  }
}

// Works on whole vectors; padding counts as minus infinity.
HWY_INLINE void SoftmaxRow(int size, float* HWY_RESTRICT x) {
  const FloatTag d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const int last = (size - 1) / lanes * lanes;  // where the last vector begins
  const auto minus_infinity = hn::Set(d, -std::numeric_limits<float>::infinity());
  const auto end =
      hn::IfThenElse(hn::FirstN(d, size - last), hn::LoadU(d, x + last), minus_infinity);
  auto largest = end;
  for (int i = 0; i < last; i += lanes) largest = hn::Max(largest, hn::LoadU(d, x + i));
  largest = hn::MaxOfLanes(d, largest);

  const auto end_exp = hn::Exp(d, hn::Sub(end, largest));
  auto sum = end_exp;
  for (int i = 0; i < last; i += lanes) {
    const auto e = hn::Exp(d, hn::Sub(hn::LoadU(d, x + i), largest));
    sum = hn::Add(sum, e);
    hn::StoreU(e, d, x + i);
  }
  const auto inverse = hn::Div(hn::Set(d, 1.0F), hn::SumOfLanes(d, sum));
  for (int i = 0; i < last; i += lanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i), inverse), d, x + i);
  }
  hn::StoreU(hn::Mul(end_exp, inverse), d, x + last);
}

void Softmax(int rows, int size, float* x) {
  const ptrdiff_t stride = PaddedKeys(size);
  for (int row = 0; row < rows; ++row) SoftmaxRow(size, x + row * stride);
}

// One head. Keeps four vectors of `out` in registers over a pass through all values.
HWY_INLINE void WeightedSumOfHead(const float* HWY_RESTRICT weights, RowList values,
                                  ptrdiff_t offset, int head_dim, float* HWY_RESTRICT out) {
  const FloatTag d;
  const auto lanes = static_cast<ptrdiff_t>(hn::Lanes(d));
  ptrdiff_t i = 0;
  for (; i + 4 * lanes <= head_dim; i += 4 * lanes) {
    auto sum0 = hn::Zero(d);
    auto sum1 = sum0;
    auto sum2 = sum0;
    auto sum3 = sum0;
    for (int k = 0; k < values.count; ++k) {
      const auto weight = hn::Set(d, weights[k]);
      const float* HWY_RESTRICT value = values.rows[k] + offset + i;
      sum0 = hn::MulAdd(weight, hn::LoadU(d, value), sum0);
      sum1 = hn::MulAdd(weight, hn::LoadU(d, value + lanes), sum1);
      sum2 = hn::MulAdd(weight, hn::LoadU(d, value + 2 * lanes), sum2);
      sum3 = hn::MulAdd(weight, hn::LoadU(d, value + 3 * lanes), sum3);
    }
    hn::StoreU(sum0, d, out + i);
    hn::StoreU(sum1, d, out + i + lanes);
    hn::StoreU(sum2, d, out + i + 2 * lanes);
    hn::StoreU(sum3, d, out + i + 3 * lanes);
  }
  for (; i + lanes <= head_dim; i += lanes) {
    auto sum = hn::Zero(d);
    for (int k = 0; k < values.count; ++k) {
      sum = hn::MulAdd(hn::Set(d, weights[k]), hn::LoadU(d, values.rows[k] + offset + i), sum);
    }
    hn::StoreU(sum, d, out + i);
  }
  for (; i < head_dim; ++i) {
    float sum = 0;
    for (int k = 0; k < values.count; ++k) sum += weights[k] * values.rows[k][offset + i];
    out[i] = sum;
  }
}

void WeightedSum(const float* HWY_RESTRICT weights, RowList values, ptrdiff_t offset, Heads shape,
                 float* HWY_RESTRICT out) {
  const ptrdiff_t stride = PaddedKeys(values.count);
  for (int head = 0; head < shape.heads; ++head) {
    const ptrdiff_t begin = static_cast<ptrdiff_t>(head) * shape.head_dim;
    WeightedSumOfHead(weights + head * stride, values, offset + begin, shape.head_dim, out + begin);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace limpid::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limpid::internal {

HWY_EXPORT(QueryKeyScores);
HWY_EXPORT(Softmax);
HWY_EXPORT(WeightedSum);

void QueryKeyScores(const float* query, RowList keys, ptrdiff_t offset, Heads shape, float scale,
                    float* scores) {
  HWY_DYNAMIC_DISPATCH(QueryKeyScores)(query, keys, offset, shape, scale, scores);
}
void Softmax(int rows, int size, float* x) { HWY_DYNAMIC_DISPATCH(Softmax)(rows, size, x); }
void WeightedSum(const float* weights, RowList values, ptrdiff_t offset, Heads shape, float* out) {
  HWY_DYNAMIC_DISPATCH(WeightedSum)(weights, values, offset, shape, out);
}

}  // namespace limpid::internal
#endif  // HWY_ONCE

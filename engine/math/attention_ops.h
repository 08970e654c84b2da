// The three steps of attention, each for all heads of one query, in SIMD as in ops.h.

#ifndef LIMPID_ENGINE_MATH_ATTENTION_OPS_H_
#define LIMPID_ENGINE_MATH_ATTENTION_OPS_H_

#include <cstddef>

namespace limpid::internal {

struct Heads {
  int heads = 0;
  int head_dim = 0;
};

// One row per key, anywhere in memory. The row's key, or value, starts at some column `offset`:
// [heads, head_dim].
struct RowList {
  const float* const* rows = nullptr;
  int count = 0;
};

// Row stride of scores and weights: whole vectors on any processor.
constexpr int PaddedKeys(int keys) { return (keys + 15) / 16 * 16; }

// scores[head, k] = scale * (the head's query . the head's key of keys.rows[k]).
// `query` is [heads, head_dim], `scores` [heads, PaddedKeys(keys.count)].
void QueryKeyScores(const float* query, RowList keys, ptrdiff_t offset, Heads shape, float scale,
                    float* scores);

// x = exp(x) / sum(exp(x)) in each row of x [rows, PaddedKeys(size)], after subtracting the row's
// largest so that no exp overflows. May overwrite the padding.
void Softmax(int rows, int size, float* x);

// out[head] = sum over k of weights[head, k] * the head's value of values.rows[k].
// `weights` is [heads, PaddedKeys(values.count)], `out` [heads, head_dim].
void WeightedSum(const float* weights, RowList values, ptrdiff_t offset, Heads shape, float* out);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_ATTENTION_OPS_H_

// The three steps of attention, each for all heads of one query, in SIMD as in ops.h.

#ifndef LIMPID_ENGINE_MATH_ATTENTION_OPS_H_
#define LIMPID_ENGINE_MATH_ATTENTION_OPS_H_

#include <cstddef>

namespace limpid::internal {

struct Heads {
  int heads = 0;
  int head_dim = 0;
};

// Rows that may lie anywhere in memory: one a key. Keys, or values, are the columns from some
// offset on: [heads, head_dim].
struct RowList {
  const float* const* rows = nullptr;
  int count = 0;
};

// How far apart the heads' rows of scores, or of weights, lie: whole vectors of any processor.
constexpr int PaddedKeys(int keys) { return (keys + 15) / 16 * 16; }

// scores[head, k] = scale * (the head's query . the head's key of keys.rows[k]).
// `query` is [heads, head_dim], `scores` [heads, PaddedKeys(keys.count)].
void QueryKeyScores(const float* query, RowList keys, ptrdiff_t offset, Heads shape, float scale,
                    float* scores);

// x = exp(x) / sum(exp(x)) in each row of x, with the row's largest subtracted first so that no exp
// overflows. x is [rows, PaddedKeys(size)]; its padding may be overwritten.
void Softmax(int rows, int size, float* x);

// out[head] = sum over k of weights[head, k] * the head's value of values.rows[k].
// `weights` is [heads, PaddedKeys(values.count)], `out` [heads, head_dim].
void WeightedSum(const float* weights, RowList values, ptrdiff_t offset, Heads shape, float* out);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_ATTENTION_OPS_H_

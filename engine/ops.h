// The arithmetic between the matrix products, on rows of float32, in SIMD for the processor at hand
// (Highway picks the instruction set when first called).

#ifndef LIMPID_ENGINE_OPS_H_
#define LIMPID_ENGINE_OPS_H_

#include <cstddef>
#include <cstdint>

#include "models/config.h"

namespace limpid {

// One row of a matrix product, still to be finished. Its value at i is
//   values[i] as float32                                           without `scales`
//   values[i] as int32 · input_scale · scales[i]                   with them, after an int8 product
// plus bias[i].
struct ProductRow {
  const void* values = nullptr;
  int size = 0;
  const float* bias = nullptr;
  const float* scales = nullptr;
  float input_scale = 1;
};
void AddBias(const ProductRow& product, float* out);  // out = product
void AddBiasAndActivate(const ProductRow& product, Activation activation, float* out);
void AddBiasAndResidual(const ProductRow& product, float* out);  // out = out + product

// Rounds x to 8-bit integers in -127 … 127, to the nearest, ties to even. Returns what 1 stands
// for: the largest |x| / 127, or 0 where x is all zero (or below 2^-121, which is as good as zero)
// or holds infinities or NaN; then all integers are 0.
float Quantize(const float* x, int size, int8_t* out);

// Rounds x to bfloat16 (the upper half of a float32), ties to even.
void RoundToBFloat16(const float* x, int size, uint16_t* out);

// x = (x - mean(x)) / sqrt(variance(x) + epsilon) * scale + bias   (Ba et al. 2016)
// `out` may be `x`.
void LayerNorm(const float* x, const float* scale, const float* bias, float epsilon, int size,
               float* out);

// out[i] = out[i] * factor + y[i]
void ScaleAndAdd(float factor, const float* y, int size, float* out);

// One step of an SSRU's memory (engine/ssru.h), with sigmoid s of `gate`:
//   state[i] = s[i] * before[i] + (1 - s[i]) * input[i]
// `before` may be `state`.
void BlendByGate(const float* gate, const float* input, const float* before, int size,
                 float* state);

// The keys (or values) of one head: `head_dim` columns, starting at some offset, of rows that may
// lie anywhere in memory.
struct RowList {
  const float* const* rows = nullptr;
  int count = 0;
};

// scores[k] = scale * (query . keys.rows[k][offset .. offset + head_dim))
void DotRows(const float* query, RowList keys, ptrdiff_t offset, int head_dim, float scale,
             float* scores);

// x = exp(x) / sum(exp(x)), with the largest x subtracted first so that no exp overflows.
void Softmax(int size, float* x);

// out[0 .. head_dim) = sum over k of weights[k] * values.rows[k][offset .. offset + head_dim)
void MixRows(const float* weights, RowList values, ptrdiff_t offset, int head_dim, float* out);

// The largest of `size` logits (the first of equals) and the logarithm of the sum of their exp.
struct Best {
  int index = 0;
  float logit = 0;
  float log_sum_exp = 0;
  float log_probability() const { return logit - log_sum_exp; }
};
Best FindBest(const float* logits, int size);

}  // namespace limpid

#endif  // LIMPID_ENGINE_OPS_H_

// The arithmetic between the matrix products, on rows of float32, in SIMD for the processor at hand
// (Highway picks the instruction set when first called).

#ifndef LIMPID_ENGINE_OPS_H_
#define LIMPID_ENGINE_OPS_H_

#include <cstddef>

#include "models/config.h"

namespace limpid {

// What is left to do after a matrix product, for one row of it. `out` may be `product`.
// out[i] = product[i] + bias[i]
void AddBias(const float* product, const float* bias, int size, float* out);
// out[i] = activation(product[i] + bias[i])
void AddBiasAndActivate(const float* product, const float* bias, int size, Activation activation,
                        float* out);
// out[i] = out[i] + product[i] + bias[i]: a sublayer's output joins the residual stream.
void AddBiasAndResidual(const float* product, const float* bias, int size, float* out);

// x = (x - mean(x)) / sqrt(variance(x) + epsilon) * scale + bias   (Ba et al. 2016)
// `out` may be `x`.
void LayerNorm(const float* x, const float* scale, const float* bias, float epsilon, int size,
               float* out);

// out[i] = out[i] * factor + y[i]
void ScaleAndAdd(float factor, const float* y, int size, float* out);

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

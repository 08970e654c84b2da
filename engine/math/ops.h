// The arithmetic between the matrix products, on rows of float32, in SIMD for the processor at hand
// (Highway picks the instruction set when first called). That of attention is in attention_ops.h.

#ifndef LIMPID_ENGINE_MATH_OPS_H_
#define LIMPID_ENGINE_MATH_OPS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/model/config.h"

namespace limpid::internal {

// A matrix product [rows, columns], still to be finished: its value at row r and column c is
//   values[r, c] as float32                                              without `scales`
//   (values[r, c] as int32 - offsets[c]) · input_scales[r] · scales[c]   with them, after int8
// plus bias[c].
struct ProductRows {
  const void* values = nullptr;  // row after row
  int rows = 0;
  int columns = 0;
  const float* bias = nullptr;
  const float* scales = nullptr;
  const int32_t* offsets = nullptr;  // what an input's zero point has added to each value
  const float* input_scales = nullptr;
};
// Rows of `out` begin `stride` floats apart.
void AddBias(const ProductRows& product, float* out, size_t stride);  // out = product
void AddBiasAndActivate(const ProductRows& product, Activation activation, float* out,
                        size_t stride);
void AddBiasAndResidual(const ProductRows& product, float* out, size_t stride);  // out += product

// x = (x - mean(x)) / sqrt(variance(x) + epsilon) * scale + bias   (Ba et al. 2016)
// `out` may be `x`.
void Normalize(const float* x, const float* scale, const float* bias, float epsilon, int size,
               float* out);

// out[i] = out[i] * factor + y[i]
void ScaleAndAdd(float factor, const float* y, int size, float* out);

// One step of an SSRU's memory (engine/transformer/ssru.h), with sigmoid s of `gate`:
//   state[i] = s[i] * before[i] + (1 - s[i]) * input[i]
// `before` may be `state`.
void BlendByGate(const float* gate, const float* input, const float* before, int size,
                 float* state);

// The largest of a row of logits (the first of equals) and, where asked for, the logarithm of the
// sum of their exp.
struct MaxLogit {
  int index = 0;
  float logit = 0;
  float log_sum_exp = 0;
  float log_probability() const { return logit - log_sum_exp; }
};
enum class LogSumExp { kLeaveOut, kCompute };
void ArgMax(const ProductRows& product, LogSumExp log_sum_exp, MaxLogit* best);  // best [rows]
MaxLogit ArgMax(const float* logits, int size);                                  // with log_sum_exp

// The columns of a row that are no more than `margin` below its largest. Where there are more than
// kMax, the others are counted only; where margin is NaN, there are none.
struct PrefilterCandidates {
  static constexpr int kMax = 32;
  float margin = 0;
  float largest = 0;  // of the columns so far
  int count = 0;
  std::array<int, kMax> columns = {};
  std::array<float, kMax> logits = {};

  float threshold() const { return largest - margin; }
  void Add(int column, float logit);
  void Prune();  // those that are below threshold() by now
};
// Adds the columns of each row, as `offset` + column, that are threshold() or more.
void AddCandidates(const ProductRows& product, int offset, PrefilterCandidates* rows);

// The best of two parts of a row, the left one first. Where log_sum_exp was left out of them, it is
// left out here.
MaxLogit LargerOf(const MaxLogit& left, const MaxLogit& right, LogSumExp log_sum_exp);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_OPS_H_

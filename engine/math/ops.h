// The arithmetic between GEMMs, on rows of float32, in SIMD: Highway picks the processor's
// instruction set at the first call. attention_ops.h has that of attention.

#ifndef LIMPID_ENGINE_MATH_OPS_H_
#define LIMPID_ENGINE_MATH_OPS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/model/config.h"

namespace limpid::internal {

// Rows of a GEMM before dequantization and bias. The value at row r and column c is
//   values[r, c] + bias[c]                                                float32: no `scales`
//   (values[r, c] - offsets[c]) · input_scales[r] · scales[c] + bias[c]   int8: values are int32
struct ProductRows {
  const void* values = nullptr;  // [rows, columns]
  int rows = 0;
  int columns = 0;
  const float* bias = nullptr;          // [columns]
  const float* scales = nullptr;        // [columns]: of the weights
  const int32_t* offsets = nullptr;     // [columns]: what the inputs' zero point added to a value
  const float* input_scales = nullptr;  // [rows]
};
// `stride` is the distance between rows of `out`, in floats.
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

// Updates an SSRU's state (engine/transformer/ssru.h), with s = sigmoid(gate):
//   state[i] = s[i] * before[i] + (1 - s[i]) * input[i]
// `before` may be `state`.
void BlendByGate(const float* gate, const float* input, const float* before, int size,
                 float* state);

// The largest logit of a row (the first of equal ones) and, with LogSumExp::kCompute, log Σ exp
// over the row.
struct MaxLogit {
  int index = 0;
  float logit = 0;
  float log_sum_exp = 0;
  float log_probability() const { return logit - log_sum_exp; }
};
enum class LogSumExp { kLeaveOut, kCompute };
void ArgMax(const ProductRows& product, LogSumExp log_sum_exp, MaxLogit* best);  // best [rows]
MaxLogit ArgMax(const float* logits, int size);                                  // with log_sum_exp

// The columns of a row whose logits are at most `margin` below the largest. Beyond kMax, columns
// are only counted. A NaN margin gives none.
struct PrefilterCandidates {
  static constexpr int kMax = 32;
  float margin = 0;
  float largest = 0;  // of the columns so far
  int count = 0;
  std::array<int, kMax> columns = {};
  std::array<float, kMax> logits = {};

  float threshold() const { return largest - margin; }
  void Add(int column, float logit);
  void Prune();  // removes those now below threshold(), unless there are more than kMax
};
// Adds `offset` + column for each value of at least its row's threshold(): rows [product.rows].
void AddCandidates(const ProductRows& product, int offset, PrefilterCandidates* rows);

// The larger of the maxima of two parts of a row; `left` if they are equal. With kCompute, also
// combines their log_sum_exp.
MaxLogit LargerOf(const MaxLogit& left, const MaxLogit& right, LogSumExp log_sum_exp);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_OPS_H_

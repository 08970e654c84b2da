// Rounds rows of float32 to the input types of GEMMs, in SIMD as in ops.h.

#ifndef LIMPID_ENGINE_MATH_QUANTIZE_H_
#define LIMPID_ENGINE_MATH_QUANTIZE_H_

#include <cstdint>
#include <vector>

#include "models/model/tensor.h"

namespace limpid::internal {

// Rounds x / scale to integers in -127 … 127, ties to even. Returns the scale, max|x| / 127. If
// max|x| is 0 (or below about 2^-121), infinite or NaN, returns 0 and fills `out` with 0.
float Quantize(const float* x, int size, int8_t* out);
float Quantize(const float* x, int size, int16_t* out);

// The same around a zero point of 2 … 128, in 1 … 2 · zero_point - 1, because int8 kernels multiply
// unsigned by signed integers. Returns the scale, max|x| / (zero_point - 1).
float Quantize(const float* x, int size, int zero_point, uint8_t* out);

// The same with a given scale. Clamps to 1 … 2 · zero_point - 1.
void QuantizeBy(float scale, const float* x, int size, int zero_point, uint8_t* out);

// Writes row `row` of a matrix in int8, as stored or else quantized as above. Returns its scale.
float QuantizeRow(const TensorView& matrix, int64_t row, std::vector<float>& scratch, int8_t* out);

// Rounds x to bfloat16 (the upper half of a float32), ties to even.
void RoundToBFloat16(const float* x, int size, uint16_t* out);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_QUANTIZE_H_

// Rows of float32 rounded to the numbers that products take, in SIMD for the processor at hand.

#ifndef LIMPID_ENGINE_MATH_QUANTIZE_H_
#define LIMPID_ENGINE_MATH_QUANTIZE_H_

#include <cstdint>
#include <vector>

#include "models/model/tensor.h"

namespace limpid::internal {

// Rounds x to integers in -127 … 127, to the nearest, ties to even. Returns what 1 stands for: the
// largest |x| / 127, or 0 where x is all zero (or below 2^-121, which is as good as zero) or holds
// infinities or NaN; then all integers are 0.
float Quantize(const float* x, int size, int8_t* out);
// The same in wider integers.
float Quantize(const float* x, int size, int16_t* out);

// The same in integers of 1 … 2 · zero - 1, with `zero` (of 2 … 128) for 0: the processor's
// products are of unsigned with signed integers. Returns the largest |x| / (zero - 1).
float Quantize(const float* x, int size, int zero, uint8_t* out);

// The same where it is given what 1 stands for. Numbers beyond 1 … 2 · zero - 1 become these.
void QuantizeBy(float scale, const float* x, int size, int zero, uint8_t* out);

// Row `row` of a matrix in int8: as it is stored, or quantized as above. Returns what 1 stands for.
float QuantizeRow(const TensorView& matrix, int64_t row, std::vector<float>& scratch, int8_t* out);

// Rounds x to bfloat16 (the upper half of a float32), ties to even.
void RoundToBFloat16(const float* x, int size, uint16_t* out);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_QUANTIZE_H_

// How the products with weights are computed. Everything between them is float32 always.

#ifndef LIMPID_COMPUTE_TYPE_H_
#define LIMPID_COMPUTE_TYPE_H_

#include <optional>
#include <string_view>

namespace limpid {

enum class ComputeType {
  kAuto,  // int8 where the processor has it, else float32
  kFloat32,
  kBFloat16,  // weights and inputs rounded to 8 bits of precision, sums in float32
  // Weights and inputs as 8-bit integers with a scale a row, sums exact. Inputs have 7 bits where
  // the processor cannot add products of 8 bits exactly (x86 without VNNI).
  kInt8,
};

std::string_view ComputeTypeName(ComputeType type);  // "auto", "float32", "bfloat16", "int8"
std::optional<ComputeType> ParseComputeType(std::string_view name);

// Whether this processor computes in `type`: in float32 always, in int8 on x86, where oneDNN has
// kernels that are faster than float32's, and in bfloat16 where there are instructions for it. In
// linear.cc, which knows oneDNN.
bool IsSupported(ComputeType type);

}  // namespace limpid

#endif  // LIMPID_COMPUTE_TYPE_H_

// The types of matrix products with weights. Everything else is computed in float32.

#ifndef LIMPID_COMPUTE_TYPE_H_
#define LIMPID_COMPUTE_TYPE_H_

#include <optional>
#include <string_view>

#include "limpid/export.h"

namespace limpid {

enum class ComputeType {
  kAuto,  // int8 if the processor supports it, else float32
  kFloat32,
  kBFloat16,  // weights and inputs rounded to 8 bits of precision; sums in float32
  // Weights and inputs as 8-bit integers with one scale per row; exact sums. Inputs have 7 bits if
  // the processor cannot add 8-bit products exactly (x86 without VNNI).
  kInt8,
};

// "auto", "float32", "bfloat16", "int8"
LIMPID_EXPORT std::string_view ComputeTypeName(ComputeType type);
LIMPID_EXPORT std::optional<ComputeType> ParseComputeType(std::string_view name);

// Whether this processor supports `type`: float32 always; int8 on x86, where oneDNN's int8 kernels
// are faster than float32; bfloat16 if the processor has instructions for it. Defined in linear.cc.
LIMPID_EXPORT bool IsSupported(ComputeType type);

}  // namespace limpid

#endif  // LIMPID_COMPUTE_TYPE_H_

// Parameters of tests that run in each compute type that this processor supports.

#ifndef LIMPID_TESTS_ENGINE_COMPUTE_TYPES_H_
#define LIMPID_TESTS_ENGINE_COMPUTE_TYPES_H_

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "limpid/compute_type.h"

namespace limpid::internal {

// Those of `types` that this processor supports.
inline std::vector<ComputeType> Supported(const std::vector<ComputeType>& types) {
  std::vector<ComputeType> supported;
  for (const ComputeType type : types) {
    if (IsSupported(type)) supported.push_back(type);
  }
  return supported;
}

inline std::vector<ComputeType> SupportedComputeTypes() {
  return Supported({ComputeType::kFloat32, ComputeType::kBFloat16, ComputeType::kInt8});
}

inline std::string NameOf(const testing::TestParamInfo<ComputeType>& type) {
  return std::string(ComputeTypeName(type.param));
}

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_ENGINE_COMPUTE_TYPES_H_

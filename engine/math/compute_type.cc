#include "limpid/compute_type.h"

#include <array>

namespace limpid {
namespace {
constexpr std::array<std::string_view, 4> kNames = {"auto", "float32", "bfloat16", "int8"};
}

std::string_view ComputeTypeName(ComputeType type) { return kNames[static_cast<size_t>(type)]; }

std::optional<ComputeType> ParseComputeType(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<ComputeType>(i);
  }
  return std::nullopt;
}

}  // namespace limpid

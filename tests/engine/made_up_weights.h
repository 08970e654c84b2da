// Random weights in the form of a checkpoint's.

#ifndef LIMPID_TESTS_ENGINE_MADE_UP_WEIGHTS_H_
#define LIMPID_TESTS_ENGINE_MADE_UP_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "models/model/tensor.h"

namespace limpid::internal {

inline std::vector<float> Normal(int size, unsigned seed, float mean = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(mean);
  std::vector<float> values(size);
  for (float& value : values) value = normal(random);
  return values;
}

// `values` must outlive the view.
inline TensorView View(const std::vector<float>& values, std::vector<int64_t> shape) {
  return {.dtype = DType::kFloat32,
          .shape = std::move(shape),
          .data = reinterpret_cast<const std::byte*>(values.data())};
}

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_ENGINE_MADE_UP_WEIGHTS_H_

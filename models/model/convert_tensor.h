// Tensors from one dtype to another.

#ifndef LIMPID_MODELS_MODEL_CONVERT_TENSOR_H_
#define LIMPID_MODELS_MODEL_CONVERT_TENSOR_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// Converts in place to `dtype`; the new bytes join `storage`. A tensor that has the dtype already
// stays as it is. Rounds to nearest, ties to even. int8: a row's scale is its largest magnitude
// divided by 127, so that its values are -127 … 127 times the scale. Fails with InvalidArgument on
// numbers that the dtype cannot hold: too large for 16 bits, not finite for int8.
absl::Status ConvertTensor(DType dtype, TensorView& tensor,
                           std::vector<std::shared_ptr<const void>>& storage);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_CONVERT_TENSOR_H_

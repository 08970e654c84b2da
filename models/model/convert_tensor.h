// Conversion of tensors between dtypes.

#ifndef LIMPID_MODELS_MODEL_CONVERT_TENSOR_H_
#define LIMPID_MODELS_MODEL_CONVERT_TENSOR_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// Converts `tensor` to `dtype`, rounding to nearest, ties to even; adds the new bytes to `storage`.
// Does nothing if it has that dtype. The scale of an int8 row is max|x| / 127. Fails with
// InvalidArgument on numbers out of range: too large for 16 bits, not finite for int8.
absl::Status ConvertTensor(DType dtype, TensorView& tensor,
                           std::vector<std::shared_ptr<const void>>& storage);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_CONVERT_TENSOR_H_

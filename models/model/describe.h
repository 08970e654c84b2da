// What a model consists of: the text of `limpid inspect`, and the dtype of its weights.

#ifndef LIMPID_MODELS_MODEL_DESCRIBE_H_
#define LIMPID_MODELS_MODEL_DESCRIBE_H_

#include <string>

#include "models/model/checkpoint.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// Architecture, parameters, dtypes, sizes, vocabulary, and a table of tensors.
std::string Describe(const Checkpoint& checkpoint);

// The dtype of most parameters.
DType MainDType(const Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_DESCRIBE_H_

// The text of `limpid inspect`.

#ifndef LIMPID_MODELS_MODEL_DESCRIBE_H_
#define LIMPID_MODELS_MODEL_DESCRIBE_H_

#include <string>

#include "models/model/checkpoint.h"

namespace limpid::internal {

// Architecture, parameters, dtypes, sizes, vocabulary, and a table of tensors.
std::string Describe(const Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_DESCRIBE_H_

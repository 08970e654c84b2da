// Limpid's own model folder, described in models/FORMAT.md.

#ifndef LIMPID_MODELS_NATIVE_NATIVE_H_
#define LIMPID_MODELS_NATIVE_NATIVE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Whether config.json in the folder `path` has the key "limpid_format".
bool IsNative(const std::string& path);

// Reads and checks a folder; the checkpoint has passed ValidateConfig and BindWeights. Errors name
// the file, and for folders of other formats, the command that converts them.
absl::StatusOr<Checkpoint> ReadNative(const std::string& folder);

// Writes a folder with matrices in `dtype` and vectors in float32. The folder appears whole or not
// at all. Fails with AlreadyExists if `folder` exists and is not empty, and with InvalidArgument if
// a weight exceeds the range of `dtype`.
absl::Status WriteNative(const Checkpoint& checkpoint, const std::string& folder, DType dtype);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_NATIVE_NATIVE_H_

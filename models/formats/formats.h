// Every model format that Limpid reads, and the one besides its own that it writes.

#ifndef LIMPID_MODELS_FORMATS_FORMATS_H_
#define LIMPID_MODELS_FORMATS_FORMATS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Detects the format of `path`, a folder or a file, and reads it. The checkpoint has passed
// ValidateConfig and BindWeights. Errors name the file and, where it helps, what to do.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path);

// One pair per format; each is in the file of its name. IsX looks only at names, config.json and
// headers: a damaged model of format X is recognized, and ReadX reports the damage.
bool IsHuggingFace(const std::string& path);
absl::StatusOr<Checkpoint> ReadHuggingFace(const std::string& folder);
bool IsCTranslate2(const std::string& path);
absl::StatusOr<Checkpoint> ReadCTranslate2(const std::string& folder);
bool IsArgos(const std::string& path);
absl::StatusOr<Checkpoint> ReadArgos(const std::string& path);
bool IsMarian(const std::string& path);
absl::StatusOr<Checkpoint> ReadMarian(const std::string& path);  // a folder or a file
bool IsNnTransformer(const std::string& path);
absl::StatusOr<Checkpoint> ReadNnTransformer(const std::string& path);

// Writes a Hugging Face MarianMT folder that transformers loads. The folder appears whole or not at
// all. Fails with Unimplemented, naming what MarianMT cannot express: pre-norm, int8 …
absl::Status WriteHuggingFace(const Checkpoint& checkpoint, const std::string& folder, DType dtype);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_FORMATS_H_

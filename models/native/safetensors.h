// The safetensors file format. Reading trusts nothing: every offset, size and shape is checked
// against the file. https://github.com/huggingface/safetensors

#ifndef LIMPID_MODELS_NATIVE_SAFETENSORS_H_
#define LIMPID_MODELS_NATIVE_SAFETENSORS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/io/file.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// Tensors of one file. Views point into the file's bytes, or into copies in `storage` if they are
// not aligned.
struct SafetensorsFile {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
  std::vector<std::shared_ptr<const void>> storage;
  std::shared_ptr<const MappedFile> file;  // null if not read from a file; also in `storage`
};

// Parses a whole file in memory. Tensors must fill the data without gaps or overlaps, as the format
// demands. An int8 tensor "x" takes its scales from the float32 tensors "x.scale" and, if it
// exists, "x.input_scale", which are not listed themselves. Errors are InvalidArgument and name the
// tensor, what was expected and what was found, but not the file.
absl::StatusOr<SafetensorsFile> ParseSafetensors(absl::Span<const std::byte> bytes);

// Maps and parses a file; `storage` then includes the mapping. Errors name the file.
absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path);

// Writes `tensors` to `path`. The data starts at a multiple of 64 bytes in the file, as does each
// tensor whose size is such a multiple; the format allows no gaps to align the others. Fails with
// the system's error and removes what it wrote.
absl::Status WriteSafetensors(const std::string& path, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_NATIVE_SAFETENSORS_H_

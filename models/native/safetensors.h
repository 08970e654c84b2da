// The safetensors file format, read without trust: every offset, size and shape is checked against
// the file before a tensor is handed out. https://github.com/huggingface/safetensors

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

// Tensors of one file. The views point into the file's bytes or, for tensors that do not lie
// aligned there, into copies in `storage`.
struct SafetensorsFile {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
  std::vector<std::shared_ptr<const void>> storage;
  std::shared_ptr<const MappedFile> file;  // where it was read from, if it was; also in `storage`
};

// Parses a whole file held in memory. Errors are InvalidArgument and name the tensor, what was
// expected and what was found; the file is for the caller to name. The tensors have to fill the
// data without gaps or overlaps, as the format demands. Int8 tensors "x" take their scales from the
// float32 tensors "x.scale" and, if it is there, "x.input_scale", which then do not appear by
// themselves.
absl::StatusOr<SafetensorsFile> ParseSafetensors(absl::Span<const std::byte> bytes);

// Maps and parses a file; `storage` then holds the mapping as well. Errors name the file.
absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path);

// Writes `tensors` to `path`. The data starts at a multiple of 64 bytes in the file, and so does
// each tensor whose size is one (all but odd-sized vectors; the format allows no gaps for those).
// Fails with the system's reason and removes what it wrote.
absl::Status WriteSafetensors(const std::string& path, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_NATIVE_SAFETENSORS_H_

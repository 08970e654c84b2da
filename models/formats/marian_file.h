// Marian's two file formats for weights: .npz in training, .bin in deployment.

#ifndef LIMPID_MODELS_FORMATS_MARIAN_FILE_H_
#define LIMPID_MODELS_FORMATS_MARIAN_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// Tensors under Marian's names. Float32 matrices are [in, out]; int8 matrices are [out, in], as in
// the file; embeddings ("Wemb") are always [vocab, model_dim]. All scales of an int8 matrix are
// equal; its input_scale is set if the file states how inputs are quantized.
struct MarianFile {
  TensorMap tensors;
  std::string options;  // the YAML in "special:model.yml"
  std::vector<std::shared_ptr<const void>> storage;
};

// Both read untrusted files. Errors name the file and the tensor.
absl::StatusOr<MarianFile> ReadMarianNpz(const std::string& path);  // marian_npz.cc
absl::StatusOr<MarianFile> ReadMarianBin(const std::string& path);  // marian_bin.cc

// Whether a file starts like a Marian .bin.
bool IsMarianBin(const std::string& path);

// Adds a tensor whose size has been checked against its shape; copies its data if it is not
// aligned. "special:model.yml" becomes the options.
absl::Status AddMarianTensor(const std::string& name, TensorView tensor, MarianFile& file);

inline constexpr char kMarianOptions[] = "special:model.yml";

// Returns the number of elements. Fails with InvalidArgument if a dimension is below 1 or they take
// more than `bytes`.
absl::StatusOr<size_t> CountElements(const std::vector<int64_t>& shape, size_t element_bytes,
                                     size_t bytes);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_MARIAN_FILE_H_

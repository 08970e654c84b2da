// The two files that Marian saves weights in: .npz, as it trains, and .bin, as it deploys.

#ifndef LIMPID_MODELS_FORMATS_MARIAN_FILE_H_
#define LIMPID_MODELS_FORMATS_MARIAN_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// Tensors under Marian's names. Float32 matrices are [in, out], as Marian has them; embeddings
// ("Wemb") are [vocab, model_dim]. Int8 matrices lie transposed in the file, and so they are here:
// [out, in], but embeddings as ever; all their scales are the same. Where the file says how inputs
// are to be quantized, they have that as their input_scale.
struct MarianFile {
  TensorMap tensors;
  std::string options;  // the YAML in "special:model.yml"
  std::vector<std::shared_ptr<const void>> storage;
};

// Both read a file without trust. Errors name it, and the tensor.
absl::StatusOr<MarianFile> ReadMarianNpz(const std::string& path);  // marian_npz.cc
absl::StatusOr<MarianFile> ReadMarianBin(const std::string& path);  // marian_bin.cc

// Whether a file begins as a Marian .bin does.
bool IsMarianBin(const std::string& path);

// What the two readers share: takes in one tensor of `file`, already checked to have as many bytes
// as its shape asks for. "special:model.yml" becomes the options. Copies what is not aligned.
absl::Status AddMarianTensor(const std::string& name, TensorView tensor, MarianFile& file);

inline constexpr char kMarianOptions[] = "special:model.yml";

// The number of elements, or InvalidArgument if a dimension is below 1 or they take more than
// `bytes`.
absl::StatusOr<size_t> CountElements(const std::vector<int64_t>& shape, size_t element_bytes,
                                     size_t bytes);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_MARIAN_FILE_H_

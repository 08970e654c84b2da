// The files that torch.save writes: a pickle that tells of tensors, and their numbers beside it.
// Zip archives since PyTorch 1.6; before, one pickle after another, then the numbers.

#ifndef LIMPID_MODELS_FORMATS_TORCH_FILE_H_
#define LIMPID_MODELS_FORMATS_TORCH_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// The tensors of a state_dict, row-major whatever their strides were; `storage` owns their bytes.
struct TorchFile {
  TensorMap tensors;
  std::vector<std::shared_ptr<const void>> storage;
};

// Whether the file begins as one of the two kinds does. (Other programs write zip archives, too.)
bool LooksLikeTorchFile(const std::string& path);

// Reads the state_dict that was saved by itself, or in a dict under "model_state_dict",
// "state_dict" or "model". Tensors of whole numbers (masks, counters) are left out: they are no
// weights. Errors name the file and the tensor; anything but tensors and plain data is refused by
// name, and never run.
absl::StatusOr<TorchFile> ReadTorchFile(const std::string& path);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_TORCH_FILE_H_

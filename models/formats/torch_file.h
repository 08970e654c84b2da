// The files that torch.save writes since PyTorch 1.6: zip archives of a pickle, which describes the
// tensors, and their numbers.

#ifndef LIMPID_MODELS_FORMATS_TORCH_FILE_H_
#define LIMPID_MODELS_FORMATS_TORCH_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// The tensors of a state_dict, row-major, copied if they were not; `storage` owns their bytes.
struct TorchFile {
  TensorMap tensors;
  std::vector<std::shared_ptr<const void>> storage;
};

// Reads a state_dict, saved by itself or in a dict under "model_state_dict", "state_dict" or
// "model". Skips integer tensors (masks, counters), which are not weights. Errors name the file and
// the tensor. Code in a pickle is refused by name and never run.
absl::StatusOr<TorchFile> ReadTorchFile(const std::string& path);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_TORCH_FILE_H_

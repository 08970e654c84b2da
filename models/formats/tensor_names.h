// How another program's tensors become Limpid's: each format has one table of names, which is all
// that a new format needs, and RenameTensors applies it.

#ifndef LIMPID_MODELS_FORMATS_TENSOR_NAMES_H_
#define LIMPID_MODELS_FORMATS_TENSOR_NAMES_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/model/config.h"
#include "models/model/tensor.h"

namespace limpid::internal {

enum class How {
  kAsIs,
  kTransposed,  // matrices are [in, out]; int8 ones are [out, in] already
  kOrZeros,     // a bias that is missing is zeros
  kSkip,        // not a weight, or not needed
};

// One row: their name and ours (models/FORMAT.md). In both,
//   SIDE   stands for "encoder" and "decoder",
//   N      for the number of a layer,
//   *      for the weight and the bias of a linear layer; where `ours` ends in "norm.*", for the
//          scale and the bias of a layer norm.
// "{query,key,value}" in `ours` splits their rows into that many tensors of equal size.
// Several rows may lead to one tensor of ours: those that are present must be equal. A row whose
// tensor of ours the config does not ask for is passed over; so is one whose tensor of theirs an
// earlier row has taken.
struct TensorName {
  const char* theirs;
  const char* ours;
  How how = How::kAsIs;
};

struct TensorNames {
  absl::Span<const TensorName> table;
  const char* model;  // name of the model kind, for error messages: "a MarianMT model"
  // What `*` stands for in `theirs`.
  std::string_view weight = "weight";
  std::string_view bias = "bias";
  std::string_view norm_scale = "weight";
  std::string_view norm_bias = "bias";
  int first_layer = 0;  // their number of the first layer
  // For each decoder layer, the number of theirs whose weights it uses. Empty: its own.
  std::vector<int> decoder_layers = {};
  // Further words in `theirs` and what they stand for.
  std::vector<std::pair<std::string, std::string>> words = {};
};

// Returns their tensors under our names: transposed, split, vectors flattened and in float32.
// Copies join `storage`. Fails with InvalidArgument on a tensor that is missing, is not in the
// table, or has not the rows to be split. Shapes are for BindWeights to check.
absl::StatusOr<TensorMap> RenameTensors(const TensorNames& names, const ModelConfig& config,
                                        TensorMap theirs,
                                        std::vector<std::shared_ptr<const void>>& storage);

// Their name of each tensor of a model of this config, by our name, for writing their format. Only
// for tables that split nothing.
std::map<std::string, std::string> TheirNames(const TensorNames& names, const ModelConfig& config);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_TENSOR_NAMES_H_

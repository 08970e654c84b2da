// The JSON file next to the state of an nn.Transformer: what the tensors do not state.
// models/from_pytorch/README.md describes it.

#ifndef LIMPID_MODELS_FORMATS_NN_TRANSFORMER_DESCRIPTION_H_
#define LIMPID_MODELS_FORMATS_NN_TRANSFORMER_DESCRIPTION_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/model/checkpoint.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {

// The content of the JSON file.
struct NnTransformerDescription {
  int heads = 0;
  bool norm_first = false;
  std::string activation = "relu";
  double layer_norm_epsilon = 1e-5;
  bool scale_embedding = false;
  std::string positions;
  int max_positions = 0;             // 0: as many as the table of positions has rows
  nlohmann::json source_vocabulary;  // an array of pieces, or the name of a file of one a line
  nlohmann::json target_vocabulary;  // null: the same as the source's
  std::string unk = "<unk>";
  std::string bos = "<bos>";
  std::string eos = "<eos>";
  std::string pad = "<pad>";
  bool source_bos = false;
  std::string source_language;
  std::string target_language;
  std::map<std::string, std::string> tensors;  // names by role; see Roles in nn_transformer.cc
};

// Where the description of the state at `path` is.
std::string DescriptionPath(const std::string& path);

// Errors name the file, and the key that is missing, unknown or of a wrong type.
absl::StatusOr<NnTransformerDescription> ReadDescription(const std::string& path);

// Fills the checkpoint's vocabularies, and what its config says of them and of special tokens.
// `path` is the description's.
absl::Status ReadVocabularies(const NnTransformerDescription& description, const std::string& path,
                              Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_NN_TRANSFORMER_DESCRIPTION_H_

// nn.Transformer files and the JSON beside them.

#include <string>

#include "models/checkpoint.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::fuzz {
namespace {

const ModelFolders& Folders() {
  static const ModelFolders folders(
      "nn_transformer", {{"tests/golden/nn_transformer", "model.pt", {"model.pt", "model.json"}}});
  return folders;
}

void Read(const std::string& path) {
  const auto checkpoint = ReadNnTransformer(path);
  if (checkpoint.ok()) (void)Describe(*checkpoint);
}

const bool registered =
    Register({"nn_transformer", [](std::string_view input) { Folders().Run(input, Read); },
              [] { return Folders().Seeds(); }});

}  // namespace
}  // namespace limpid::fuzz

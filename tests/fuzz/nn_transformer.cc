// nn.Transformer files and the JSON beside them.

#include <cstdlib>
#include <string>

#include "models/formats/formats.h"
#include "models/formats/torch_file.h"
#include "models/model/describe.h"
#include "models/native/safetensors.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

constexpr char kModel[] = "tests/golden/nn_transformer";

// The same model as safetensors.
std::string SafetensorsFolder() {
  std::string folder = ScratchFolder("safetensors");
  const auto state = ReadTorchFile(std::string(kModel) + "/model.pt");
  if (!state.ok()) std::abort();
  if (!WriteSafetensors(folder + "/model.safetensors", state->tensors, {}).ok()) std::abort();
  WriteFile(folder + "/model.json", ReadFile(std::string(kModel) + "/model.json"));
  return folder;
}

const ModelFolders& Folders() {
  static const ModelFolders folders(
      "nn_transformer",
      {{kModel, "model.pt", {"model.pt", "model.json"}},
       {SafetensorsFolder(), "model.safetensors", {"model.safetensors", "model.json"}}});
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
}  // namespace limpid::internal::fuzz

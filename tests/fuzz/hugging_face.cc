// Hugging Face MarianMT folders, including those with PyTorch's pickles.

#include <string>

#include "models/formats/formats.h"
#include "models/model/describe.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

const ModelFolders& Folders() {
  static const ModelFolders folders(
      "hugging_face", {{"tests/golden/pytorch_zip", "", {"pytorch_model.bin", "config.json"}},
                       {"tests/golden/pytorch_float16",
                        "",
                        {"pytorch_model.bin", "vocab.json", "tokenizer_config.json"}},
                       {"tests/golden/bfloat16", "", {"model.safetensors"}}});
  return folders;
}

void Read(const std::string& path) {
  const auto checkpoint = ReadHuggingFace(path);
  if (checkpoint.ok()) (void)Describe(*checkpoint);
}

const bool registered =
    Register({"hugging_face", [](std::string_view input) { Folders().Run(input, Read); },
              [] { return Folders().Seeds(); }});

}  // namespace
}  // namespace limpid::internal::fuzz

// Marian models: .npz, .bin, and the YAML in them and beside them.

#include <string>

#include "models/formats/formats.h"
#include "models/model/describe.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

const ModelFolders& Folders() {
  static const ModelFolders folders(
      "marian",
      {{"tests/golden/marian/ssru", "model.npz", {"model.npz", "vocab.spm"}},
       {"tests/golden/marian/float32_bin", "model.bin", {"model.bin"}},
       {"tests/golden/marian/ssru_int8", "model.intgemm8.bin", {"model.intgemm8.bin"}},
       {"tests/golden/marian/opus_mt", "", {"decoder.yml", "opus.spm32k-spm32k.vocab.yml"}}});
  return folders;
}

void Read(const std::string& path) {
  const auto checkpoint = ReadMarian(path);
  if (checkpoint.ok()) (void)Describe(*checkpoint);
}

const bool registered =
    Register({"marian", [](std::string_view input) { Folders().Run(input, Read); },
              [] { return Folders().Seeds(); }});

}  // namespace
}  // namespace limpid::internal::fuzz

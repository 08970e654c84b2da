// CTranslate2 models in format versions 2 and 6.

#include <string>

#include "models/formats/formats.h"
#include "models/model/describe.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

const ModelFolders& Folders() {
  static const ModelFolders folders(
      "ctranslate2",
      {{"tests/golden/ctranslate2/version_2", "", {"model.bin", "shared_vocabulary.txt"}},
       {"tests/golden/ctranslate2/int8",
        "",
        {"model.bin", "config.json", "shared_vocabulary.json"}},
       {"tests/golden/ctranslate2/marian", "", {"model.bin", "source.spm"}}});
  return folders;
}

void Read(const std::string& path) {
  const auto checkpoint = ReadCTranslate2(path);
  if (checkpoint.ok()) (void)Describe(*checkpoint);
}

const bool registered =
    Register({"ctranslate2", [](std::string_view input) { Folders().Run(input, Read); },
              [] { return Folders().Seeds(); }});

}  // namespace
}  // namespace limpid::internal::fuzz

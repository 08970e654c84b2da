// Argos Translate's packages: the archive, and the files of an unpacked one.

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "models/formats/formats.h"
#include "models/io/zip.h"
#include "models/model/describe.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

constexpr char kModel[] = "tests/golden/ctranslate2/opennmt/";
constexpr char kMetadata[] = R"({"from_code": "en", "to_code": "es", "type": "translate"})";

// A folder with a small package.
std::string PackageFolder() {
  std::string folder = ScratchFolder("package");
  std::vector<std::string> texts;
  std::vector<ZipEntry> entries;
  for (const char* name :
       {"model.bin", "config.json", "source_vocabulary.json", "target_vocabulary.json"}) {
    entries.push_back({std::string("en_es/model/") + name, {}});
    texts.push_back(ReadFile(std::string(kModel) + name));
  }
  entries.push_back({"en_es/metadata.json", {}});
  texts.emplace_back(kMetadata);
  entries.push_back({"en_es/sentencepiece.model", {}});
  texts.push_back(ReadFile("tests/golden/base/source.spm"));
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i].data = {reinterpret_cast<const std::byte*>(texts[i].data()), texts[i].size()};
  }
  if (!WriteZip(folder + "/en_es.argosmodel", entries, {.compress = true}).ok()) std::abort();
  return folder;
}

const ModelFolders& Folders() {
  static const ModelFolders folders("argos",
                                    {{PackageFolder(), "en_es.argosmodel", {"en_es.argosmodel"}}});
  return folders;
}

void Read(const std::string& path) {
  const auto checkpoint = ReadArgos(path);
  if (checkpoint.ok()) (void)Describe(*checkpoint);
}

// The input serves as the archive, and as metadata.json of an unpacked package, past all checksums.
void Run(std::string_view input) {
  Folders().Run(input, Read);
  static const std::string unpacked = [] {
    std::string folder = ScratchFolder("unpacked");
    std::filesystem::copy(kModel, folder + "/model");
    WriteFile(folder + "/sentencepiece.model", ReadFile("tests/golden/base/source.spm"));
    return folder;
  }();
  WriteFile(unpacked + "/metadata.json", input);
  Read(unpacked);
}

const bool registered = Register({"argos", Run, [] {
                                    std::vector<std::string> seeds = Folders().Seeds();
                                    seeds.emplace_back(kMetadata);
                                    return seeds;
                                  }});

}  // namespace
}  // namespace limpid::internal::fuzz

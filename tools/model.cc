#include "tools/model.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/make_translator.h"
#include "engine/text/checkpoint_tokenizer.h"
#include "limpid/compute_type.h"
#include "models/formats/formats.h"
#include "models/io/file.h"
#include "tools/subcommand.h"

namespace limpid::internal {
namespace {

// Where the shipped model may be, relative to the program's folder.
constexpr const char* kShippedModelPlaces[] = {
    "../models/eng-deu",               // build/limpid in the source tree
    "models/eng-deu",                  // both unpacked in one folder
    "../share/limpid/models/eng-deu",  // installed: bin/limpid
};

}  // namespace

void AddModelFlags(ModelFlags* model, Flags* flags) {
  flags->Group("Model");
  flags->Add("model=DIR", &model->folder,
             "The model's folder. Default: $LIMPID_MODEL, or else the model shipped with Limpid "
             "(English to German).");
  flags->Add("compute_type=TYPE", &model->options.compute_type,
             {{"auto", ComputeType::kAuto},
              {"float32", ComputeType::kFloat32},
              {"bfloat16", ComputeType::kBFloat16},
              {"int8", ComputeType::kInt8}},
             "The type to compute in: float32, bfloat16, int8, or auto, the fastest one that keeps "
             "the quality.");
  flags->Add("shortlist", &model->options.shortlist,
             "Restrict the output to the model's shortlist for the source text. Faster, but may "
             "change a translation. `limpid shortlist` makes a shortlist.");
  flags->Add("threads=N", &model->options.threads, {0, kMaxThreads},
             "Threads that translate in parallel. 0: one per processor that this process may use, "
             "respecting its CPU affinity and container quota.");
  flags->Add("verify", &model->options.verify,
             "Check the model's files against their checksums first; fail on damaged tensors and "
             "files, naming them.");
}

absl::StatusOr<std::string> DefaultModelFolder() {
  if (const char* folder = std::getenv("LIMPID_MODEL"); folder != nullptr && *folder != '\0') {
    return folder;
  }
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const char* place : kShippedModelPlaces) {
    const std::filesystem::path folder = (program.parent_path() / place).lexically_normal();
    if (std::filesystem::is_directory(folder, error)) return folder.string();
  }
  return absl::NotFoundError(
      absl::StrCat("no model near ", program.parent_path().string(),
                   "; give its folder with --model=DIR or in $LIMPID_MODEL"));
}

absl::StatusOr<std::string> FindModel(const ModelFlags& model) {
  std::string folder = model.folder;
  if (folder.empty()) {
    absl::StatusOr<std::string> found = DefaultModelFolder();
    if (!found.ok()) return found.status();
    folder = *std::move(found);
  }
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) {
    return absl::NotFoundError(
        absl::StrCat("no model at '", folder, "'; give a model's folder, such as models/eng-deu, ",
                     model.folder.empty() ? "in $LIMPID_MODEL" : "with --model"));
  }
  return folder;
}

absl::Status CheckTokenizer(const Checkpoint& checkpoint) {
  Checkpoint copy = checkpoint;
  absl::Status status = MakeTokenizer(TakeTokenizerFiles(copy)).status();
  const std::string missing = MissingTokenizer(checkpoint);
  if (status.ok() && !missing.empty()) Complain(missing);
  return status;
}

absl::StatusOr<const Translator*> LoadModel(const ModelFlags& model) {
  const absl::StatusOr<std::string> folder = FindModel(model);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<std::unique_ptr<Translator>> translator = MakeTranslator(
      Folder(*folder), [&] { return ReadCheckpoint(*folder); }, model.options);
  if (translator.ok()) {
    static auto& loaded = *new std::vector<std::unique_ptr<Translator>>;
    return loaded.emplace_back(*std::move(translator)).get();
  }
  return absl::Status(translator.status().code(),
                      absl::StrCat("cannot load the model: ", translator.status().message()));
}

}  // namespace limpid::internal

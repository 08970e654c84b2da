// Finding and loading the model that a subcommand works with.

#ifndef LIMPID_TOOLS_MODEL_H_
#define LIMPID_TOOLS_MODEL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "limpid/translator.h"
#include "models/model/checkpoint.h"
#include "tools/flags.h"

namespace limpid::internal {

struct ModelFlags {
  std::string folder;  // empty: DefaultModelFolder()
  TranslatorOptions options;
};

// Adds the group "Model": --model and the options for loading it.
void AddModelFlags(ModelFlags* model, Flags* flags);

// Returns the folder to use without --model: $LIMPID_MODEL if set, else the model shipped with
// Limpid, which is found relative to the program, in the source tree or an installation.
absl::StatusOr<std::string> DefaultModelFolder();

// Makes a model's tokenizer as translating would, and warns on stderr if there is none. The error
// names what is damaged or missing.
absl::Status CheckTokenizer(const Checkpoint& checkpoint);

// Returns the folder that the flags name, or the default one; fails with NotFound if there is none.
absl::StatusOr<std::string> FindModel(const ModelFlags& model);

// Loads the model that the flags ask for. Errors say what to do. The model is never destroyed:
// freeing its memory piece by piece would take as long as translating half a sentence.
absl::StatusOr<const Translator*> LoadModel(const ModelFlags& model);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_MODEL_H_

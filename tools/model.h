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
  std::string folder;  // empty: the default model
  TranslatorOptions options;
};

// Adds --model and the flags that say how the model is to be run.
void AddModelFlags(ModelFlags* model, Flags* flags);

// The folder that is used without --model: $LIMPID_MODEL if it is set, else the model that came
// with Limpid, looked for where the program is: in the source tree or the place of installation.
absl::StatusOr<std::string> DefaultModelFolder();

// Makes the tokenizer of a model as translating would, and says on stderr if there is none. The
// error names what is damaged or missing.
absl::Status CheckTokenizer(const std::string& path, const Checkpoint& checkpoint);

// The folder that the flags name, or the default one. It exists.
absl::StatusOr<std::string> FindModel(const ModelFlags& model);

// Loads the model that the flags ask for. Errors say what to do. The model stays until the process
// ends: to give its memory back piece by piece takes as long as half a sentence.
absl::StatusOr<const Translator*> LoadModel(const ModelFlags& model);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_MODEL_H_

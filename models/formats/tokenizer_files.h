// Tokenizer files next to models whose format does not include them.

#ifndef LIMPID_MODELS_FORMATS_TOKENIZER_FILES_H_
#define LIMPID_MODELS_FORMATS_TOKENIZER_FILES_H_

#include "absl/status/status.h"
#include "models/io/model_files.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Reads SentencePiece models with common names: source.spm and target.spm, source.model and
// target.model, or one for both sides: sentencepiece.model, spm.model or tokenizer.model. If there
// is none, sets only checkpoint.tokenizer_names. Fails if one side is missing, and on names of
// kinds that Limpid does not support.
absl::Status ReadTokenizerFiles(const ModelFiles& files, Checkpoint& checkpoint);

// Reads one file into `model` and sets `path`. NotFound if there is none; fails if it is empty.
absl::Status ReadTokenizerFile(const ModelFiles& files, const std::string& name, std::string& model,
                               std::string& path);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_TOKENIZER_FILES_H_

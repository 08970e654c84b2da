// Files that cut text into pieces, as people put them beside models whose format has no such thing.

#ifndef LIMPID_MODELS_FORMATS_TOKENIZER_FILES_H_
#define LIMPID_MODELS_FORMATS_TOKENIZER_FILES_H_

#include "absl/status/status.h"
#include "models/io/model_files.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Reads SentencePiece models by the names that are common: source.spm and target.spm, source.model
// and target.model, or one for both sides, sentencepiece.model, spm.model or tokenizer.model. Where
// there is none, the checkpoint only learns which names were tried. Fails on one side without the
// other, and on files whose names say that they are of a kind that Limpid cannot use.
absl::Status ReadTokenizerFiles(const ModelFiles& files, Checkpoint& checkpoint);

// Reads one file into `model`, and its path. NotFound if there is none; an empty file is an error.
absl::Status ReadTokenizerFile(const ModelFiles& files, const std::string& name, std::string& model,
                               std::string& path);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_TOKENIZER_FILES_H_

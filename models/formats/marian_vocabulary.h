// The vocabularies next to a Marian model: SentencePiece models, or YAML that maps pieces
// to ids.

#ifndef LIMPID_MODELS_FORMATS_MARIAN_VOCABULARY_H_
#define LIMPID_MODELS_FORMATS_MARIAN_VOCABULARY_H_

#include <string>

#include "absl/status/status.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Sets vocabularies, SentencePiece models, special ids and bad words of a checkpoint whose config
// has the vocabulary sizes. `model_path` is the model's file. "MODEL.decoder.yml" or the folder's
// decoder.yml names the vocabularies; otherwise they are found by their file names.
absl::Status ReadMarianVocabularies(const std::string& model_path, Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_MARIAN_VOCABULARY_H_

// The vocabularies that lie beside a Marian model: SentencePiece models, or YAML that maps pieces
// to ids.

#ifndef LIMPID_MODELS_FORMATS_MARIAN_VOCABULARY_H_
#define LIMPID_MODELS_FORMATS_MARIAN_VOCABULARY_H_

#include <string>

#include "absl/status/status.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Fills in the vocabularies, the SentencePiece models, the special ids and the bad words of a
// checkpoint whose config says how many pieces there are. `model_path` is the model's own file: its
// "….decoder.yml" or the folder's decoder.yml names the vocabularies, else they are found by their
// names.
absl::Status ReadMarianVocabularies(const std::string& model_path, Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_MARIAN_VOCABULARY_H_

// Makes the tokenizer of a checkpoint.

#ifndef LIMPID_ENGINE_TEXT_CHECKPOINT_TOKENIZER_H_
#define LIMPID_ENGINE_TEXT_CHECKPOINT_TOKENIZER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "models/model/checkpoint.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// Moves vocabularies and tokenizer files out of a checkpoint, for Tokenizer::Create.
TokenizerModel TakeTokenizerModel(Checkpoint& checkpoint);

// A TokenizerModel with what error messages need.
struct TokenizerFiles {
  TokenizerModel model;
  std::string path;  // of the checkpoint
  std::string source_path;
  std::string target_path;
  std::string names;       // file names that were tried
  bool is_stated = false;  // whether the config names the tokenizer
};
TokenizerFiles TakeTokenizerFiles(Checkpoint& checkpoint);

// Makes the tokenizer. Fails, naming the file, if a file is damaged or belongs to another model
// (few of its pieces are in the vocabulary). Also fails if there is no file but the vocabulary has
// pieces of SentencePiece or subword-nmt, unless the config says that text comes split into pieces.
absl::StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizer(TokenizerFiles files);

// Returns a warning that no tokenizer was found, with the names tried and the files present; empty
// if the model has a tokenizer or its config says that text comes split into pieces.
std::string MissingTokenizer(const Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_CHECKPOINT_TOKENIZER_H_

// The tokenizer of a model.

#ifndef LIMPID_ENGINE_TEXT_CHECKPOINT_TOKENIZER_H_
#define LIMPID_ENGINE_TEXT_CHECKPOINT_TOKENIZER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "models/model/checkpoint.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// Takes out of a checkpoint, for Tokenizer::Create, what its tokenizer is made of: vocabularies and
// what cuts text into pieces, which the checkpoint then has no more.
TokenizerModel TakeTokenizerModel(Checkpoint& checkpoint);

// The same, and what messages need to name files.
struct TokenizerFiles {
  TokenizerModel model;
  std::string path;  // the checkpoint's
  std::string source_path;
  std::string target_path;
  std::string names;       // what was looked for, in words
  bool is_stated = false;  // whether the model says which tokenizer it has
};
TokenizerFiles TakeTokenizerFiles(const std::string& path, Checkpoint& checkpoint);

// Makes the tokenizer, of which everything is checked that can be. Fails, naming the file, if one
// is damaged or another model's: few of its pieces are in the vocabulary. Fails if there is none
// though the vocabulary's pieces are SentencePiece's or subword-nmt's, unless the model says that
// text comes split into pieces.
absl::StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizer(TokenizerFiles files);

// What was looked for in vain, and what there is instead, for a message; empty if the model has a
// tokenizer, or says that it has none.
std::string MissingTokenizer(const std::string& path, const Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_CHECKPOINT_TOKENIZER_H_

// A model in memory, whatever format it was read from: config, tensors under Limpid's names,
// vocabularies and tokenizer files. Readers make it, `limpid convert` writes it, the engine runs
// it.

#ifndef LIMPID_MODELS_MODEL_CHECKPOINT_H_
#define LIMPID_MODELS_MODEL_CHECKPOINT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/io/file.h"
#include "models/model/config.h"
#include "models/model/tensor.h"

namespace limpid::internal {

struct Checkpoint {
  std::string path;    // what it was read from, for messages
  std::string format;  // name of its format, for messages: "Limpid folder", "Hugging Face MarianMT"
  ModelConfig config;
  TensorMap tensors;                           // names as in models/FORMAT.md
  std::vector<std::string> source_vocabulary;  // pieces in id order; their number is in `config`
  std::vector<std::string> target_vocabulary;
  // Serialized SentencePiece models. Empty: the tokenizer is subword-nmt, or splits at spaces.
  std::string source_sentencepiece;
  std::string target_sentencepiece;
  std::string subword_merges;  // subword-nmt's merges for both sides; empty: not used
  // Files that the above were read from, for messages. Empty: there are none.
  std::string source_tokenizer_path;
  std::string target_tokenizer_path;
  // File names tried in search of a tokenizer, for messages. Empty: the config names the tokenizer.
  std::string tokenizer_names;
  std::string shortlist;  // serialized as in models/native/shortlist.h; empty: none
  // Owns the bytes of `tensors`: mapped files, or converted copies.
  std::vector<std::shared_ptr<const void>> storage;
  // The file in `storage` that most tensors are mapped from; null: all are copies.
  std::shared_ptr<const MappedFile> file;
};

// The tokenizer that the checkpoint's files make up.
TokenizerKind TokenizerKindOf(const Checkpoint& checkpoint);

// Returns a copy with matrices in `dtype`. Vectors stay float32.
absl::StatusOr<Checkpoint> WithMatricesIn(DType dtype, const Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_CHECKPOINT_H_

// A model in memory, whatever format it came from: config, tensors under Limpid's own names,
// vocabularies and what cuts text into pieces. Every reader makes one; `convert` writes one; the
// engine runs one.

#ifndef LIMPID_MODELS_MODEL_CHECKPOINT_H_
#define LIMPID_MODELS_MODEL_CHECKPOINT_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/io/file.h"
#include "models/model/config.h"
#include "models/model/tensor.h"

namespace limpid::internal {

struct Checkpoint {
  std::string format;  // what it was read from, in words: "Limpid folder", "Hugging Face MarianMT"
  ModelConfig config;
  TensorMap tensors;                           // names as in models/FORMAT.md
  std::vector<std::string> source_vocabulary;  // pieces in id order, as many as config says
  std::vector<std::string> target_vocabulary;
  std::string source_sentencepiece;  // serialized models; empty: text comes split by spaces
  std::string target_sentencepiece;
  std::string subword_merges;  // subword-nmt's file, for both sides, instead of those
  // Where those were read from, for messages; empty: there is no such file.
  std::string source_tokenizer_path;
  std::string target_tokenizer_path;
  // The names that a tokenizer was looked for by, in words; empty: config says which it is.
  std::string tokenizer_names;
  std::string shortlist;  // a file as in models/native/shortlist.h; empty: none
  // What owns the bytes behind `tensors`: mapped files, or converted copies.
  std::vector<std::shared_ptr<const void>> storage;
  // The file of `storage` that most tensors are mapped from; null: they are copies.
  std::shared_ptr<const MappedFile> file;
};

// What cuts text into pieces, by what there is.
TokenizerKind TokenizerKindOf(const Checkpoint& checkpoint);

// Some of the names in a folder, or in that of a file, for a message: "a.bin, b.bin, …".
std::string NamesIn(const std::string& path);

// Finds out what `path`, a folder or a file, is and reads it. The checkpoint that comes back has
// passed ValidateConfig and BindWeights. Errors name the file and, where it helps, what to do.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path);

// The readers that ReadCheckpoint chooses from, by the table in checkpoint.cc; each is in the file
// of its name. IsX tells whether `path` is meant to be of the format X, by as little as it takes,
// and never fails; what is wrong with it is for ReadX to say.
bool IsNative(const std::string& path);
absl::StatusOr<Checkpoint> ReadNative(const std::string& folder);
bool IsHuggingFace(const std::string& path);
absl::StatusOr<Checkpoint> ReadHuggingFace(const std::string& folder);
bool IsCTranslate2(const std::string& path);
absl::StatusOr<Checkpoint> ReadCTranslate2(const std::string& folder);
bool IsArgos(const std::string& path);
absl::StatusOr<Checkpoint> ReadArgos(const std::string& path);
bool IsMarian(const std::string& path);
absl::StatusOr<Checkpoint> ReadMarian(const std::string& path);  // a folder or a file
bool IsNnTransformer(const std::string& path);
absl::StatusOr<Checkpoint> ReadNnTransformer(const std::string& path);

// Writes a native folder with weight matrices in `dtype` (vectors stay float32; int8: see
// FORMAT.md). The folder appears whole or not at all: it is written beside `folder` and renamed.
// Fails with AlreadyExists if `folder` is there and not empty, and with InvalidArgument if a weight
// is too large for `dtype`.
absl::Status WriteNative(const Checkpoint& checkpoint, const std::string& folder, DType dtype);

// Writes a Hugging Face MarianMT folder that transformers loads, in the same manner. What MarianMT
// cannot express (other orders of norms, other positions, int8 …) is Unimplemented and named.
absl::Status WriteHuggingFace(const Checkpoint& checkpoint, const std::string& folder, DType dtype);

// A copy whose matrices are in `dtype` and whose vectors are as they were, float32.
absl::StatusOr<Checkpoint> WithMatricesIn(DType dtype, const Checkpoint& checkpoint);

// Text of `limpid inspect`: architecture, parameters, dtypes, sizes, vocabulary, a table of
// tensors.
std::string Describe(const Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_CHECKPOINT_H_

// CTranslate2 models, wherever their files are.
//
// What they are read as:
// - Positions that are not stored are Marian's sinusoids from 1 on. A stored table becomes learned
//   positions, unless it is a known kind of sinusoids.
// - Of positions there are 1,024 at most: as many tokens as CTranslate2 reads of a source unless
//   told otherwise.
// - An alignment layer counts as taught unless it is what converters write for models that were
//   not: the first head of the last layer.
// - The files don't say whether sources that get no "</s>" from CTranslate2 ("add_source_eos") get
//   one from the tokenizer before it. Models converted from transformers' MarianMT do, and are told
//   by their decoder's start, an embedding of zeros; those that start from "<s>", as OpenNMT-py's
//   do, get none. Others are refused.

#ifndef LIMPID_MODELS_FORMATS_CTRANSLATE2_H_
#define LIMPID_MODELS_FORMATS_CTRANSLATE2_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/io/model_files.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Reads model.bin, config.json and the vocabularies, but no tokenizer, of which CTranslate2 knows
// nothing.
absl::StatusOr<Checkpoint> ReadCTranslate2Files(const ModelFiles& files);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_CTRANSLATE2_H_

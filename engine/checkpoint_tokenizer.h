// The tokenizer of a model.

#ifndef LIMPID_ENGINE_CHECKPOINT_TOKENIZER_H_
#define LIMPID_ENGINE_CHECKPOINT_TOKENIZER_H_

#include "models/checkpoint.h"
#include "tokenizer/tokenizer.h"

namespace limpid {

// Takes out of a checkpoint, for Tokenizer::Create, what its tokenizer is made of: vocabularies and
// what cuts text into pieces, which the checkpoint then has no more.
TokenizerModel TakeTokenizerModel(Checkpoint& checkpoint);

}  // namespace limpid

#endif  // LIMPID_ENGINE_CHECKPOINT_TOKENIZER_H_

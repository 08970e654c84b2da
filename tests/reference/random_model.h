// Small models of random weights, for checking the engine against the oracle.

#ifndef LIMPID_TESTS_REFERENCE_RANDOM_MODEL_H_
#define LIMPID_TESTS_REFERENCE_RANDOM_MODEL_H_

#include "models/model/checkpoint.h"
#include "models/model/config.h"

namespace limpid::internal::reference {

// A config of two layers a side, four heads, 16 wide, 32 pieces; the tests vary it.
ModelConfig SmallConfig();

// Float32 weights for `config`, the same for the same seed, with vocabularies "</s>", "<unk>",
// "w2", "w3" … and no SentencePiece: text comes split by spaces.
Checkpoint RandomModel(const ModelConfig& config, unsigned seed);

}  // namespace limpid::internal::reference

#endif  // LIMPID_TESTS_REFERENCE_RANDOM_MODEL_H_

// Small models with random weights, for comparing the engine with the oracle.

#ifndef LIMPID_TESTS_REFERENCE_RANDOM_MODEL_H_
#define LIMPID_TESTS_REFERENCE_RANDOM_MODEL_H_

#include "models/model/checkpoint.h"
#include "models/model/config.h"

namespace limpid::internal::reference {

// Two layers per side, four heads, model_dim 16, 32 pieces; the tests vary it.
ModelConfig SmallConfig();

// Float32 weights for `config`, the same for the same seed. Vocabularies are "</s>", "<unk>", "w2",
// "w3" …; spaces split text into pieces.
Checkpoint RandomModel(const ModelConfig& config, unsigned seed);

}  // namespace limpid::internal::reference

#endif  // LIMPID_TESTS_REFERENCE_RANDOM_MODEL_H_

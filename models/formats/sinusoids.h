// Stored tables of sinusoidal positions, which Limpid computes instead.

#ifndef LIMPID_MODELS_FORMATS_SINUSOIDS_H_
#define LIMPID_MODELS_FORMATS_SINUSOIDS_H_

#include "models/model/config.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// Whether a table [max_positions or more, model_dim] holds the sinusoids of `config.positions`,
// from `config.first_position` on, to within `tolerance`.
bool IsSinusoidal(const TensorView& table, const ModelConfig& config, double tolerance);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_SINUSOIDS_H_

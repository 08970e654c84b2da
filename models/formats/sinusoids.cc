#include "models/formats/sinusoids.h"

#include <cmath>
#include <vector>

namespace limpid::internal {

bool IsSinusoidal(const TensorView& table, const ModelConfig& config, double tolerance) {
  const int half = config.model_dim / 2;
  if (table.shape.size() != 2 || table.rows() < config.max_positions ||
      table.columns() != config.model_dim) {
    return false;
  }
  const bool marian = config.positions == Positions::kSinusoidalMarian;
  if (config.model_dim % 2 != 0 || (marian && half < 2)) return false;
  std::vector<float> row(static_cast<size_t>(config.model_dim));
  for (int i = 0; i < config.max_positions; ++i) {
    ReadRow(table, i, row.data());
    for (int j = 0; j < half; ++j) {
      const double exponent = marian ? j / (half - 1.0) : 2.0 * j / config.model_dim;
      const double angle = (config.first_position + i) * std::pow(10000.0, -exponent);
      // NaN fails both comparisons.
      const bool close = std::abs(row[j] - std::sin(angle)) <= tolerance &&
                         std::abs(row[half + j] - std::cos(angle)) <= tolerance;
      if (!close) return false;
    }
  }
  return true;
}

}  // namespace limpid::internal

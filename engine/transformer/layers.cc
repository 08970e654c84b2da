#include "engine/transformer/layers.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <complex>

#include "engine/math/ops.h"

namespace limpid::internal {
namespace {

// Fills table [positions, model_dim]: sines in the first half of each row, cosines in the second
// (see models/model/config.h). An odd model_dim has one more sine.
void FillSinusoids(Positions kind, int first_position, Matrix& table) {
  const int model_dim = table.columns();
  const int sines = (model_dim + 1) / 2;
  for (int i = 0; i < sines; ++i) {
    const double exponent = kind == Positions::kSinusoidalMarian
                                ? i / std::max(1.0, model_dim / 2.0 - 1.0)
                                : 2.0 * i / model_dim;
    const double frequency = std::pow(10000.0, -exponent);
    // Each position rotates `point` by `frequency`, which is much cheaper than a sine. In double,
    // even 65,536 rotations leave more correct digits than float32 has.
    const std::complex<double> rotation = std::polar(1.0, frequency);
    std::complex<double> point = std::polar(1.0, first_position * frequency);
    for (int position = 0; position < table.rows(); ++position) {
      table.row(position)[i] = static_cast<float>(point.imag());
      if (sines + i < model_dim) table.row(position)[sines + i] = static_cast<float>(point.real());
      point = {point.real() * rotation.real() - point.imag() * rotation.imag(),
               point.real() * rotation.imag() + point.imag() * rotation.real()};
    }
  }
}

}  // namespace

LayerNorm::LayerNorm(const LayerNormWeights& weights, float epsilon)
    : scale_(ReadAll(weights.scale)), bias_(ReadAll(weights.bias)), epsilon_(epsilon) {}

void LayerNorm::Apply(const Matrix& x, Matrix& out) const {
  if (&out != &x) out.Resize(x.rows(), x.columns());
  for (int i = 0; i < x.rows(); ++i) {
    Normalize(x.row(i), scale_.data(), bias_.data(), epsilon_, x.columns(), out.row(i));
  }
}

Embedding::Embedding(const ModelConfig& config, const StackWeights& weights)
    : table_(weights.embedding), scale_(config.embedding_scale), has_norm_(config.embedding_norm) {
  positions_.Resize(config.max_positions, config.model_dim);
  if (config.positions == Positions::kLearned) {
    for (int i = 0; i < config.max_positions; ++i) {
      ReadRow(weights.positions, i, positions_.row(i));
    }
  } else {
    FillSinusoids(config.positions, config.first_position, positions_);
  }
  if (has_norm_) norm_ = LayerNorm(weights.embedding_norm, config.layer_norm_epsilon);
}

void Embedding::Lookup(int token, int position, int row, Matrix& x) const {
  assert(position < positions_.rows());
  if (token < 0) {
    std::copy_n(positions_.row(position), x.columns(), x.row(row));
    return;
  }
  ReadRow(table_, token, x.row(row));
  ScaleAndAdd(scale_, positions_.row(position), x.columns(), x.row(row));
}

void Embedding::Finish(Matrix& x) const {
  if (has_norm_) norm_.Apply(x, x);
}

FeedForward::FeedForward(const FeedForwardWeights& weights, Activation activation,
                         const Packing& packing)
    : hidden_(Linear::Pack({weights.hidden}, packing)),
      output_(Linear::Pack({weights.output}, packing)),
      activation_(activation) {}

void FeedForward::ApplyAndAdd(const Matrix& x, Matrix& y, Matrix& hidden, Gemm& gemm) const {
  hidden_.ApplyAndActivate(x, activation_, hidden, gemm);
  output_.ApplyAndAdd(hidden, y, gemm);
}

}  // namespace limpid::internal

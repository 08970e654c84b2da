// The parts that encoder and decoder share: embedding, LayerNorm, feed-forward network, and the
// residual connection around each sublayer.

#ifndef LIMPID_ENGINE_TRANSFORMER_LAYERS_H_
#define LIMPID_ENGINE_TRANSFORMER_LAYERS_H_

#include <vector>

#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal {

class LayerNorm {
 public:
  LayerNorm() = default;
  LayerNorm(const LayerNormWeights& weights, float epsilon);

  // Normalizes each row of x [rows, model_dim]. `out` may be `x`.
  void Apply(const Matrix& x, Matrix& out) const;

 private:
  std::vector<float> scale_;
  std::vector<float> bias_;
  float epsilon_ = 0;
};

// embedding[token] · embedding_scale + position[p], then LayerNorm if config.embedding_norm.
class Embedding {
 public:
  Embedding() = default;
  Embedding(const ModelConfig& config, const StackWeights& weights);

  // Writes row `row` of x [rows, model_dim], before the norm. Token -1 has an embedding of zeros.
  void Lookup(int token, int position, int row, Matrix& x) const;
  // Applies the norm, if any. Call it after Lookup of all rows.
  void Finish(Matrix& x) const;

  int model_dim() const { return positions_.columns(); }

 private:
  TensorView table_;  // [vocab, model_dim], in the checkpoint's memory
  float scale_ = 1;
  Matrix positions_;  // [max_positions, model_dim]
  bool has_norm_ = false;
  LayerNorm norm_;
};

// hidden = activation(x W₁ + b₁); output = hidden W₂ + b₂.
class FeedForward {
 public:
  FeedForward() = default;
  FeedForward(const FeedForwardWeights& weights, Activation activation, const Packing& packing);

  // y = y + FeedForward(x); x and y are [rows, model_dim] and may be the same.
  // `hidden` is scratch, [rows, ffn_dim].
  void ApplyAndAdd(const Matrix& x, Matrix& y, Matrix& hidden, Gemm& gemm) const;

 private:
  Linear hidden_;
  Linear output_;
  Activation activation_ = Activation::kRelu;
};

// Adds a sublayer to the residual stream x [rows, model_dim]:
//   post-norm  x = norm(x + sublayer(x))
//   pre-norm   x = x + sublayer(norm(x))
// `sublayer(in, x)` must do x = x + sublayer(in); `normed` is scratch.
template <typename Sublayer>
void ApplyWithResidual(NormOrder order, const LayerNorm& norm, Matrix& x, Matrix& normed,
                       const Sublayer& sublayer) {
  if (order == NormOrder::kPre) {
    norm.Apply(x, normed);
    sublayer(normed, x);
  } else {
    sublayer(x, x);
    norm.Apply(x, x);
  }
}

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_LAYERS_H_

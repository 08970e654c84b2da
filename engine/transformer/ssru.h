// The simpler simple recurrent unit, which some decoders have in place of self-attention (Firefox's
// among them): "From Research to Production and Back" (Kim et al. 2019), section 3.1.
//
//   f = σ(W_f x + b_f)
//   c = f · c of the token before + (1 − f) · (W x + b)      element by element
//   y = ReLU(c), or W_o ReLU(c) + b_o
//
// All that it keeps of the tokens so far is c, model_dim numbers, whatever their number.

#ifndef LIMPID_ENGINE_TRANSFORMER_SSRU_H_
#define LIMPID_ENGINE_TRANSFORMER_SSRU_H_

#include "absl/functional/function_ref.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/transformer/execution.h"
#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal {

// Where the state of one row is read, and where it is written, [model_dim] each.
struct SsruStates {
  const float* before = nullptr;  // null: the row is a first token, the state before it is zero
  float* after = nullptr;
};

class Ssru {
 public:
  Ssru() = default;
  // `kind` says whether there is an output product; it is not kAttention.
  Ssru(const SsruWeights& weights, DecoderSelfAttention kind, ComputeType type);

  // y = y + Ssru(x); x and y are [rows, model_dim] and may be the same. Rows are taken in order, so
  // that states(row).before may be what an earlier row wrote.
  void ApplyAndAdd(const Matrix& x, absl::FunctionRef<SsruStates(int row)> states, Matrix& y,
                   Execution& exec) const;

 private:
  Linear forget_input_;  // [2 · model_dim, model_dim]
  bool has_output_ = false;
  Linear output_;  // [model_dim, model_dim]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_SSRU_H_

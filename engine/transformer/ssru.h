// The simpler simple recurrent unit, which some decoders (such as Firefox's) have in place of
// self-attention: "From Research to Production and Back" (Kim et al. 2019), section 3.1.
//
//   fₜ = σ(W_f xₜ + b_f)
//   cₜ = fₜ ⊙ cₜ₋₁ + (1 − fₜ) ⊙ (W xₜ + b)
//   yₜ = ReLU(cₜ), or W_o ReLU(cₜ) + b_o
//
// Its only state is c, model_dim numbers, however many tokens there are.

#ifndef LIMPID_ENGINE_TRANSFORMER_SSRU_H_
#define LIMPID_ENGINE_TRANSFORMER_SSRU_H_

#include "absl/functional/function_ref.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/transformer/execution.h"
#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal {

// The states before and after one row's token, [model_dim] each.
struct SsruStates {
  const float* before = nullptr;  // null: zeros, before a first token
  float* after = nullptr;         // written
};

class Ssru {
 public:
  Ssru() = default;
  // `kind` (not kAttention) selects whether there is an output projection.
  Ssru(const SsruWeights& weights, DecoderSelfAttention kind, const Packing& packing);

  // y = y + Ssru(x); x and y are [rows, model_dim] and may be the same. Processes rows in order, so
  // states(row).before may be an earlier row's `after`.
  void ApplyAndAdd(const Matrix& x, absl::FunctionRef<SsruStates(int row)> states, Matrix& y,
                   Execution& exec) const;

 private:
  Linear forget_input_;  // [2 · model_dim, model_dim]
  bool has_output_ = false;
  Linear output_;  // [model_dim, model_dim]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_SSRU_H_

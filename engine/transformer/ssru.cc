#include "engine/transformer/ssru.h"

#include <algorithm>

#include "engine/math/ops.h"

namespace limpid::internal {

Ssru::Ssru(const SsruWeights& weights, DecoderSelfAttention kind, const Packing& packing)
    : forget_input_(Linear::Pack({weights.forget, weights.input}, packing)),
      has_output_(kind == DecoderSelfAttention::kSsruWithOutput) {
  if (has_output_) output_ = Linear::Pack({weights.output}, packing);
}

void Ssru::ApplyAndAdd(const Matrix& x, absl::FunctionRef<SsruStates(int row)> states, Matrix& y,
                       Execution& exec) const {
  const int model_dim = y.columns();
  forget_input_.Apply(x, exec.work.qkv, exec.gemm);
  exec.work.context.Resize(x.rows(), model_dim);
  for (int row = 0; row < x.rows(); ++row) {
    const auto [before, after] = states(row);
    if (before == nullptr) std::fill_n(after, model_dim, 0.0F);
    const float* gate = exec.work.qkv.row(row);
    BlendByGate(gate, gate + model_dim, before == nullptr ? after : before, model_dim, after);
    float* out = has_output_ ? exec.work.context.row(row) : y.row(row);
    if (has_output_) std::fill_n(out, model_dim, 0.0F);
    for (int i = 0; i < model_dim; ++i) out[i] += std::max(0.0F, after[i]);
  }
  if (has_output_) output_.ApplyAndAdd(exec.work.context, y, exec.gemm);
}

}  // namespace limpid::internal

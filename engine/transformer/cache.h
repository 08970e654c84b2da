// The keys and values of the target tokens so far, kept so that each step computes only those of
// the newest token.

#ifndef LIMPID_ENGINE_TRANSFORMER_CACHE_H_
#define LIMPID_ENGINE_TRANSFORMER_CACHE_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/attention_ops.h"
#include "engine/math/matrix.h"

namespace limpid::internal {

// Holds, for some number of hypotheses, a row a token: [layers, 2, model_dim], keys before values
// (in layers with an SSRU its state, and room that it does not use: ssru.h).
// Rows are handed out one by one and never move; a hypothesis is a list of them.
class SelfAttentionCache {
 public:
  // Forgets everything. Memory is kept for the next batch.
  void Reset(int layers, int model_dim, int hypotheses);

  // Adds a row, of whatever content, to the tokens of a hypothesis.
  void Append(int hypothesis);

  // Forgets all but the first `count` tokens of a hypothesis.
  void Truncate(int hypothesis, int count) { tokens_[hypothesis].resize(count); }

  // Makes hypothesis `to` one that goes on from the same tokens as `from`. Their rows are shared.
  void Fork(int from, int to) { tokens_[to] = tokens_[from]; }

  // Makes hypothesis first + i go on from the tokens that first + parents[i] has had until now.
  void Reorder(int first, absl::Span<const int> parents);

  int length(int hypothesis) const { return static_cast<int>(tokens_[hypothesis].size()); }
  // The first `count` tokens of a hypothesis.
  RowList tokens(int hypothesis, int count) const { return {tokens_[hypothesis].data(), count}; }
  // Where layer `layer` is to write the keys and values of a token, [2, model_dim].
  float* row(int hypothesis, int position, int layer) {
    return tokens_[hypothesis][position] + static_cast<size_t>(layer) * 2 * model_dim_;
  }

 private:
  static constexpr size_t kRowsPerBlock = 64;

  int model_dim_ = 0;
  size_t row_size_ = 0;
  size_t used_rows_ = 0;
  std::vector<Buffer<float>> blocks_;           // [kRowsPerBlock, row_size] each
  std::vector<std::vector<float*>> tokens_;     // [hypotheses][tokens so far]
  std::vector<std::vector<float*>> reordered_;  // scratch memory of Reorder
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_CACHE_H_

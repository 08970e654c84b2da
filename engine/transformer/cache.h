// The keys and values that the decoder attends to, computed once and kept.
//
//   cross-attention   of the source tokens: computed once per sentence
//   self-attention    of the target tokens so far: each step adds those of its inputs

#ifndef LIMPID_ENGINE_TRANSFORMER_CACHE_H_
#define LIMPID_ENGINE_TRANSFORMER_CACHE_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/math/attention_ops.h"
#include "engine/math/matrix.h"

namespace limpid::internal {

// Filled by Decoder::ReserveCrossKeysValues and ProjectCrossKeysValues.
struct CrossAttentionCache {
  Matrix keys_values;              // [source tokens, layers, 2, model_dim]: keys before values
  std::vector<const float*> rows;  // [source tokens]: the row of each token
};

// One row per target token of each hypothesis: [layers, 2, model_dim], keys before values. (A layer
// with an SSRU keeps its state in the first half and leaves the second unused: ssru.h.) Rows never
// move. A hypothesis is a list of rows, so hypotheses that share tokens share their rows.
class SelfAttentionCache {
 public:
  // Removes everything, but keeps the memory for the next batch.
  void Reset(int layers, int model_dim, int hypotheses);

  // Adds an uninitialized row for the next token of a hypothesis.
  void Append(int hypothesis);

  // Keeps only the first `count` tokens of a hypothesis.
  void Truncate(int hypothesis, int count) { tokens_[hypothesis].resize(count); }

  // Makes hypothesis `to` a copy of `from` that shares its rows.
  void Fork(int from, int to) { tokens_[to] = tokens_[from]; }

  // Makes each hypothesis first + i a copy of what first + parents[i] was before the call.
  void Reorder(int first, absl::Span<const int> parents);

  int length(int hypothesis) const { return static_cast<int>(tokens_[hypothesis].size()); }
  // The first `count` tokens of a hypothesis.
  RowList tokens(int hypothesis, int count) const { return {tokens_[hypothesis].data(), count}; }
  // The keys and values of a token in a layer, [2, model_dim].
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

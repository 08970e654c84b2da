// Multi-head scaled dot-product attention, section 3.2 of "Attention Is All You Need":
//
//   Attention(Q, K, V) = softmax(Q Kᵀ / √head_dim) V,   for each head, with the heads side by side.
//
// The same few lines serve all three attentions of the model, which differ only in where the rows
// come from and which of them a query may see:
//
//                            queries from        keys and values from
//   encoder self-attention   a source token      all tokens of the same source sentence
//   decoder self-attention   a target token      the target tokens so far, itself included
//   cross-attention          a target token      the encoder's output for the source sentence

#ifndef LIMPID_ENGINE_TRANSFORMER_ATTENTION_H_
#define LIMPID_ENGINE_TRANSFORMER_ATTENTION_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "engine/math/attention_ops.h"
#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/transformer/execution.h"
#include "limpid/trace.h"

namespace limpid::internal {

// The keys and values that one query may see. There is no mask: the list leaves out what the query
// must not see.
struct KeysAndValues {
  RowList tokens;              // one row per key
  ptrdiff_t key_offset = 0;    // where in each row the key begins, [heads, head_dim]
  ptrdiff_t value_offset = 0;  // where in each row the value begins, [heads, head_dim]
};

// One query's attention as an observer sees it. Pointers are valid only during the call.
struct ObservedQuery {
  int row = 0;                   // of the batch: a source token, or an input of a decoder step
  const float* query = nullptr;  // [heads, head_dim]
  const KeysAndValues& visible;
  const float* scores = nullptr;   // [heads, keys]: q · k / √head_dim
  const float* weights = nullptr;  // [heads, keys]: their softmax
  const float* context = nullptr;  // [heads, head_dim]: the weighted sum of values
};

// Receives every query's attention. Cannot change anything: the same code runs with and without an
// observer.
class AttentionObserver {
 public:
  virtual ~AttentionObserver() = default;
  virtual void OnQuery(const AttentionId& id, Heads shape, const ObservedQuery& query) = 0;
  // Follows OnQuery of all rows. `output` [rows, model_dim] is what the attention adds to the
  // residual stream: the contexts, projected by W_o, b_o.
  virtual void OnOutput(const AttentionId& id, const Matrix& output, const Linear& projection) = 0;
};

// Computes one query's attention. `query` and `context` are [heads, head_dim]. `weights` [heads,
// PaddedKeys(keys)] receives the softmax, which sums to 1 in each head; `scores` (same shape), if
// not null, its input.
void Attend(const float* query, const KeysAndValues& visible, Heads shape, float* weights,
            float* scores, float* context);

// One attention of one layer, from projected queries, keys and values to the residual stream.
class Attention {
 public:
  Attention() = default;
  Attention(AttentionId id, Heads shape, const LinearWeights& output, const Packing& packing)
      : id_(id), shape_(shape), output_(Linear::Pack({output}, packing)) {}

  // y = y + context W_o + b_o, where each row's context is its attention over visible(row). The
  // first model_dim columns of a row of `queries` are its query.
  void ApplyAndAdd(const Matrix& queries, absl::FunctionRef<KeysAndValues(int row)> visible,
                   Matrix& y, Execution& exec) const;

 private:
  AttentionId id_;
  Heads shape_;
  Linear output_;  // [model_dim, model_dim]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_ATTENTION_H_

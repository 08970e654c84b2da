// Multi-head scaled dot-product attention, section 3.2 of "Attention Is All You Need":
//
//   Attention(Q, K, V) = softmax(Q Kᵀ / √head_dim) V,   for each head, with the heads side by side.
//
// The same few lines serve all three attentions of the model. What differs is only where the rows
// come from, and which of them a query may see:
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

// The keys and values that one query may see. There is no mask: what a query must not see is left
// out of the list.
struct KeysAndValues {
  RowList tokens;            // one row a key
  ptrdiff_t key_offset = 0;  // where in a row its key, and its value, begin: [heads, head_dim] each
  ptrdiff_t value_offset = 0;
};

// What an observer is shown of one query's attention, while it happens. Pointers are valid for the
// call.
struct ObservedQuery {
  int row = 0;                   // of the batch: a source token, or an input of a decoder step
  const float* query = nullptr;  // [heads, head_dim]
  const KeysAndValues& visible;
  const float* scores = nullptr;   // [heads, keys]: q · k / √head_dim
  const float* weights = nullptr;  // [heads, keys]: their softmax
  const float* context = nullptr;  // [heads, head_dim]: the values, mixed
};

// Watches attention at work. It cannot change anything: the same code runs with an observer and
// without.
class AttentionObserver {
 public:
  virtual ~AttentionObserver() = default;
  virtual void OnQuery(const AttentionId& id, Heads shape, const ObservedQuery& query) = 0;
  // What the attention adds to the residual stream, [rows, model_dim], after the queries of these
  // rows; and the projection W_o, b_o that made it of their contexts.
  virtual void OnOutput(const AttentionId& id, const Matrix& output, const Linear& projection) = 0;
};

// One query's attention: `query` and `context` are [heads, head_dim]; `weights` receives [heads,
// PaddedKeys(keys)], each head's weights summing to 1. Where `scores` is not null it receives what
// `weights` was before softmax.
void Attend(const float* query, const KeysAndValues& visible, Heads shape, float* weights,
            float* scores, float* context);

// One attention of one layer, from projected queries, keys and values to the residual stream.
class Attention {
 public:
  Attention() = default;
  Attention(AttentionId id, Heads shape, const LinearWeights& output, ComputeType type)
      : id_(id), shape_(shape), output_(Linear::Pack({output}, type)) {}

  // y = y + context W_o + b_o, with context the attention of each row of `queries` (whose first
  // model_dim columns are the query) over what visible(row) says that it may see.
  void ApplyAndAdd(const Matrix& queries, absl::FunctionRef<KeysAndValues(int row)> visible,
                   Matrix& y, Execution& exec) const;

 private:
  AttentionId id_;
  Heads shape_;
  Linear output_;  // [model_dim, model_dim]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_ATTENTION_H_

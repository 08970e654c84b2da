// Multi-head scaled dot-product attention, section 3.2 of "Attention Is All You Need":
//
//   Attention(Q, K, V) = softmax(Q Kᵀ / √head_dim) V,   for each head, with the heads side by side.
//
// The same few lines serve all three attentions of the model. What differs is only where the rows
// come from, and which of them a query may see:
//
//                            queries from        keys and values from
//   encoder self-attention   a source token      all tokens of the same source sentence
//   decoder self-attention   the newest token    the target tokens so far, itself included
//   cross-attention          the newest token    the encoder's output for the source sentence

#ifndef LIMPID_ENGINE_ATTENTION_H_
#define LIMPID_ENGINE_ATTENTION_H_

#include <cstddef>

#include "engine/matrix.h"
#include "engine/ops.h"

namespace limpid {

struct Heads {
  int heads = 0;
  int head_dim = 0;
};

// The keys and values that one query may see. There is no mask: what a query must not see is left
// out of the list.
struct KeysAndValues {
  RowList tokens;            // one row a key
  ptrdiff_t key_offset = 0;  // where in a row its key, and its value, begin: [heads, head_dim] each
  ptrdiff_t value_offset = 0;
};

// One query's attention: `query` and `context` are [heads, head_dim]; `weights` receives
// [heads, keys], each head's weights summing to 1.
void Attend(const float* query, const KeysAndValues& visible, Heads shape, float* weights,
            float* context);

}  // namespace limpid

#endif  // LIMPID_ENGINE_ATTENTION_H_

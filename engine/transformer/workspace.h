// The scratch memory of one worker. Everything grows to what the largest batch so far needed and
// stays, so that a warm step allocates nothing.

#ifndef LIMPID_ENGINE_TRANSFORMER_WORKSPACE_H_
#define LIMPID_ENGINE_TRANSFORMER_WORKSPACE_H_

#include <cstdint>
#include <vector>

#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/math/ops.h"
#include "engine/transformer/output.h"
#include "engine/transformer/source_batch.h"

namespace limpid::internal {

class AttentionObserver;  // attention.h

// `rows` are the source tokens of a batch in the encoder, and the inputs of a step in the decoder.
struct Workspace {
  Products products;
  SourceBatch group;  // the sentences that the encoder reads together
  Matrix x;           // [rows, model_dim]: the residual stream
  Matrix normed;      // [rows, model_dim]: the residual stream, normed for a pre-norm sublayer
  Matrix qkv;         // [rows, 3, model_dim]: queries, keys and values of self-attention
  Matrix queries;     // [rows, model_dim]: queries of cross-attention
  Matrix context;     // [rows, model_dim]: what attention brought together, head beside head
  Matrix hidden;      // [rows, ffn_dim]
  OutputSelection selection;       // the tokens that are scored
  Matrix logits;                   // [rows, target_vocab]
  std::vector<Best> best;          // [rows]: the largest of each row of logits
  Matrix drafted;                  // [drafts, model_dim]: the decoder's output at each draft
  Buffer<int16_t> draft_input;     // [model_dim]: a row of it, rounded
  Buffer<float> weights;           // [heads, keys]: the attention weights of one query
  std::vector<const float*> rows;  // where each source token's row of qkv begins

  // Watches attention, if there is one. Then the following are filled, too.
  AttentionObserver* observer = nullptr;
  Buffer<float> scores;  // [heads, keys]: the attention scores of one query
  Matrix output;         // [rows, model_dim]: what an attention adds to the residual stream
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_WORKSPACE_H_

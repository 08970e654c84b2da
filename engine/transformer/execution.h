// A thread's state for computing: compiled kernels, scratch memory, and an observer.

#ifndef LIMPID_ENGINE_TRANSFORMER_EXECUTION_H_
#define LIMPID_ENGINE_TRANSFORMER_EXECUTION_H_

#include <vector>

#include "engine/math/linear.h"
#include "engine/math/matrix.h"

namespace limpid::internal {

class AttentionObserver;  // attention.h

// Scratch memory. Buffers grow to the largest batch so far and stay, so that a warm step allocates
// nothing. Rows are source tokens in the encoder and the step's inputs in the decoder.
struct Workspace {
  Matrix x;                        // [rows, model_dim]: the residual stream
  Matrix normed;                   // [rows, model_dim]: the input of a pre-norm sublayer
  Matrix qkv;                      // [rows, 3, model_dim]: self-attention's queries, keys, values
  Matrix queries;                  // [rows, model_dim]: cross-attention's queries
  Matrix context;                  // [rows, model_dim]: attention's weighted values, all heads
  Matrix ffn;                      // [rows, ffn_dim]: the hidden layer of the feed-forward network
  Matrix logits;                   // [rows, target_vocab]
  Buffer<float> weights;           // [heads, keys]: one query's attention weights
  std::vector<const float*> rows;  // [rows]: each source token's row of qkv
  // Used only with an observer:
  Buffer<float> scores;  // [heads, keys]: one query's attention scores
  Matrix output;         // [rows, model_dim]: what one attention adds to the residual stream
};

// Not thread-safe: each thread has its own.
struct Execution {
  Gemm gemm;
  Workspace work;
  AttentionObserver* observer = nullptr;  // not owned; may be null
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_EXECUTION_H_

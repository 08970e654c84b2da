// The model of "Attention Is All You Need" (Vaswani et al. 2017):
//
//   source ids ─ embedding ─ encoder layers ─────────────── encoder output
//                                                          │ keys and values, once per sentence
//   target ids so far ─ embedding ─ decoder layers ◄────────┘
//                                        └─ output ─ logits ─ the next target id
//
//   encoder layer  self-attention (Q, K, V from the source), feed-forward           encoder.h
//   decoder layer  self-attention (Q, K, V from the target so far),
//                  cross-attention (Q from the target, K, V from the encoder's
//                  output), feed-forward                                           decoder.h
//                  (some models have an SSRU in place of self-attention: ssru.h)
//   output         a logit for each token of the vocabulary                        output.h
//   attention      softmax(Q Kᵀ / √head_dim) V, the same code for all three kinds  attention.h
//   the rest       embedding, LayerNorm, feed-forward, residual                    layers.h
//
// Dimensions, in the words that every shape uses:
//
//   sentences    source sentences translated together
//   tokens       source tokens of all sentences, packed one sentence after the other: no padding
//   inputs       input tokens of one decoder step: one or several for each live hypothesis
//   rows         of a matrix: tokens in the encoder, inputs in the decoder
//   layers       encoder or decoder layers
//   heads        attention heads; head h has columns [h · head_dim, (h + 1) · head_dim)
//   queries      tokens that attend; keys: tokens that are attended to
//   model_dim    width of the residual stream = heads · head_dim
//   ffn_dim      width of the feed-forward network's hidden layer
//   vocab        number of pieces in the source or target vocabulary

#ifndef LIMPID_ENGINE_TRANSFORMER_TRANSFORMER_H_
#define LIMPID_ENGINE_TRANSFORMER_TRANSFORMER_H_

#include <utility>
#include <vector>

#include "engine/transformer/decoder.h"
#include "engine/transformer/encoder.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Immutable. Any number of threads may use it, each with an Execution of its own.
class Transformer {
 public:
  // Encoder and decoder must be made from `checkpoint`. The transformer keeps it because the
  // embeddings and the output layer's weights stay in its memory.
  Transformer(Checkpoint checkpoint, Encoder encoder, Decoder decoder)
      : checkpoint_(std::move(checkpoint)),
        encoder_(std::move(encoder)),
        decoder_(std::move(decoder)) {
    // All other weights are packed by now, and only a few rows of these are read.
    if (checkpoint_.file != nullptr) checkpoint_.file->DropPages();
  }
  // `weights` must be bound to `checkpoint`.
  Transformer(const Checkpoint& checkpoint, const ModelWeights& weights, const Packing& packing)
      : Transformer(checkpoint, Encoder(checkpoint.config, weights, packing),
                    Decoder(checkpoint.config, weights, packing)) {}

  const ModelConfig& config() const { return checkpoint_.config; }

  // Runs the encoder and fills the cross-attention cache. Works on a few sentences at a time so
  // that their activations stay in the processor's cache; with an observer, on the whole batch.
  void Encode(const SourceBatch& source, CrossAttentionCache& cache, Execution& exec) const;

  // Runs one decoder step. Returns the decoder's output [inputs, model_dim], which belongs to
  // `exec` and is valid until the next Encode or Step.
  const Matrix& Step(const DecoderStep& step, Execution& exec) const {
    return decoder_.Step(step, exec);
  }

  // Returns the next token's logits [rows, target_vocab] for each row of a decoder's output; minus
  // infinity for tokens that must not be produced. They belong to `exec`, valid until the next
  // call.
  const Matrix& Logits(const Matrix& output, ActiveVocabulary& vocabulary, Execution& exec) const {
    decoder_.output().Apply(output, vocabulary, exec.work.logits, exec.gemm);
    return exec.work.logits;
  }

  const OutputLayer& output() const { return decoder_.output(); }
  // Restricts the output to `tokens`, in ascending order; empty: all tokens.
  ActiveVocabulary RestrictVocabulary(std::vector<int> tokens) const {
    return decoder_.output().RestrictVocabulary(std::move(tokens));
  }

 private:
  Checkpoint checkpoint_;
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_TRANSFORMER_H_

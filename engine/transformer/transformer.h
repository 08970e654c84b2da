// The model of "Attention Is All You Need" (Vaswani et al. 2017), as read here:
//
//   source ids ─ embedding ─ encoder layers ─────────────── encoder output
//                                                          │ keys and values, once a sentence
//   target ids so far ─ embedding ─ decoder layers ◄────────┘
//                                        └─ output ─ logits ─ the next target id
//
//   encoder layer  self-attention (Q, K, V from the source), feed-forward           encoder.h
//   decoder layer  self-attention (Q, K, V from the target so far),
//                  cross-attention (Q from the target, K, V from the encoder's
//                  output), feed-forward                                           decoder.h
//                  (some models remember the target so far otherwise: ssru.h)
//   output         how much each token of the vocabulary is to come next           output.h
//                  (in float32, where only the best is wanted, by way of int8: screen.h)
//                  (where a sentence is alone, its tokens are drafted first: draft.h)
//   attention      softmax(Q Kᵀ / √head_dim) V, once for all three kinds           attention.h
//   the rest       embedding, norm, feed-forward, residual                         layers.h
//
// Dimensions, in the words that every shape uses:
//
//   sentences    source sentences that are translated together
//   tokens       source tokens of all sentences, packed one sentence after the other: no padding
//   inputs       target tokens that one decoder step takes in: one for each live hypothesis
//   layers       encoder or decoder layers
//   heads        attention heads; head h has columns [h · head_dim, (h + 1) · head_dim)
//   queries      tokens that look; keys: tokens that are looked at
//   model_dim    width of the residual stream = heads · head_dim
//   ffn_dim      width of a feed-forward network's hidden layer
//   vocab        pieces that the model knows

#ifndef LIMPID_ENGINE_TRANSFORMER_TRANSFORMER_H_
#define LIMPID_ENGINE_TRANSFORMER_TRANSFORMER_H_

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "engine/speed/draft.h"
#include "engine/transformer/decoder.h"
#include "engine/transformer/encoder.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Immutable once made; any number of threads may use it, each with a Workspace of its own.
class Transformer {
 public:
  // All parts are made of `checkpoint`. Their embeddings, and the output layer's weights, stay in
  // its memory, so the transformer keeps it.
  Transformer(Checkpoint checkpoint, Encoder encoder, Decoder decoder, DraftLayer draft = {})
      : checkpoint_(std::move(checkpoint)),
        encoder_(std::move(encoder)),
        decoder_(std::move(decoder)),
        draft_(std::move(draft)) {
    // All else is packed, and of these few rows are looked up.
    if (checkpoint_.file != nullptr) checkpoint_.file->DropPages();
  }
  // `weights` are those of `checkpoint`, bound.
  Transformer(const Checkpoint& checkpoint, const ModelWeights& weights, ComputeType type)
      : Transformer(checkpoint, Encoder(checkpoint.config, weights, type),
                    Decoder(checkpoint.config, weights, type)) {}

  const ModelConfig& config() const { return checkpoint_.config; }

  // Reads the source: fills `memory` for it. Group by group, so that a group's activations stay in
  // the processor's cache; an observer sees all of the source at once.
  void Encode(const SourceBatch& source, Memory& memory, Workspace& work) const {
    const int max_tokens = work.observer == nullptr ? kTokensAtOnce : source.tokens();
    decoder_.PrepareMemory(source.tokens(), memory);
    for (int sentence = 0; sentence < source.sentences();) {
      const int first_token = source.begin(sentence);
      work.group.Clear();
      do {
        work.group.Add(source.ids(sentence));
        ++sentence;
      } while (sentence < source.sentences() &&
               work.group.tokens() + source.length(sentence) <= max_tokens);
      encoder_.Encode(work.group, work);
      decoder_.Remember(work.x, first_token, memory, work.products);
    }
  }

  // One step of decoding: fills work.logits [inputs, target_vocab].
  void Decode(const DecoderStep& step, Workspace& work) const {
    decoder_.Step(step, work);
    decoder_.output().Apply(work.x, work.selection, work.logits, work.products);
  }

  // The same, where only the best is wanted: fills work.best [inputs]. Bad words are left out.
  void DecodeBest(const DecoderStep& step, LogSumExp log_sum_exp, Workspace& work) const {
    decoder_.Step(step, work);
    decoder_.output().FindBest(work.x, work.selection, log_sum_exp, work.best, work.products);
  }

  // A step of a single input of which the output layer is put off: keeps the decoder's output for
  // CheckDrafts as row `index` of work.drafted, which has room for it, and returns the candidate
  // that most probably comes next. For transformers made with a DraftLayer.
  int Draft(const DecoderStep& step, absl::Span<const int> candidates, int index,
            Workspace& work) const {
    decoder_.Step(step, work);
    std::copy_n(work.x.row(0), work.x.columns(), work.drafted.row(index));
    return draft_.FindBest(work.x.row(0), candidates, work.draft_input);
  }
  // What DecodeBest would have found at each draft: fills work.best [drafts].
  void CheckDrafts(LogSumExp log_sum_exp, Workspace& work) const {
    decoder_.output().FindBest(work.drafted, work.selection, log_sum_exp, work.best, work.products);
  }

  // From now on only these tokens, each once and in order, can come next. None: all.
  void SelectTokens(std::vector<int> tokens, Workspace& work) const {
    if (tokens.empty()) {
      work.selection.tokens.clear();
    } else {
      decoder_.output().Select(std::move(tokens), work.selection);
    }
  }

 private:
  static constexpr int kTokensAtOnce = 128;

  Checkpoint checkpoint_;
  Encoder encoder_;
  Decoder decoder_;
  DraftLayer draft_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_TRANSFORMER_H_

// The trace of a translation: Q, K, V, scores, weights and outputs of every requested attention.
//
// transformer.h lists the dimensions. Queries and keys are tokens:
//   encoder self-attention   queries: source tokens          keys: source tokens
//   decoder self-attention   queries: decoder inputs         keys: decoder inputs
//   cross-attention          queries: decoder inputs         keys: source tokens
// Decoder input i is the decoder's input at step i: the start token, then the target tokens except
// the last. From it the decoder *predicts* target token i. So target token i has two rows: row i,
// which predicts it, and row i + 1, whose input it is.

#ifndef LIMPID_TRACE_H_
#define LIMPID_TRACE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "limpid/export.h"

namespace limpid {

enum class AttentionKind { kEncoder, kDecoder, kCross };
// "encoder", "decoder", "cross"
LIMPID_EXPORT std::string_view AttentionKindName(AttentionKind kind);
LIMPID_EXPORT std::optional<AttentionKind> ParseAttentionKind(std::string_view name);

struct AttentionId {
  AttentionKind kind = AttentionKind::kEncoder;
  int layer = 0;  // of the encoder or the decoder, from 0

  friend bool operator==(const AttentionId&, const AttentionId&) = default;
};

// What to record. By default everything except occlusion.
struct TraceRequest {
  std::vector<AttentionKind> kinds = {};  // empty: all
  std::vector<int> layers = {};           // empty: all
  std::vector<int> heads = {};            // empty: all
  bool scores = true;                     // q · k / √head_dim, before softmax
  bool projections = true;                // Q, K, V
  bool context = true;                    // each head's weighted sum of values
  bool output = true;                     // sum over the heads, added to the residual stream
  bool head_output = true;                // each head's part of the output
  bool norms = true;                      // each key's part of the output, as a norm
  // Whether to run the sentence again without each of its words: one run per word.
  bool occlusion = false;
  int predictions = 5;  // number of most probable next tokens at each step
};

// One attention of one layer over one sentence. Parts that were not requested are empty.
struct AttentionTrace {
  AttentionId id;
  std::vector<int> heads;  // the recorded heads, in order
  int queries = 0;
  int keys = 0;
  int head_dim = 0;
  // [heads, queries, keys]: rows sum to 1; 0 where a query must not attend.
  std::vector<float> weights;
  std::vector<float> scores;   // [heads, queries, keys]: −∞ where a query must not attend
  std::vector<float> q;        // [heads, queries, head_dim]
  std::vector<float> k;        // [heads, keys, head_dim]
  std::vector<float> v;        // [heads, keys, head_dim]
  std::vector<float> context;  // [heads, queries, head_dim]
  std::vector<float> output;   // [queries, model_dim]: of all heads, including the bias
  // [heads, queries, model_dim]: each head's part. The sum of all heads and the bias is `output`.
  std::vector<float> head_output;
  // [heads, queries, keys]: ‖weight · v W_o‖, the norm of a key's part of the output through a
  // head. A key with a small value vector adds little, whatever its weight (Kobayashi et al. 2020,
  // "Attention is Not Only a Weight").
  std::vector<float> norms;
  // [queries, keys]: the same for the recorded heads together, ‖Σ_head weight · v W_o‖.
  std::vector<float> joint_norms;

  // `head` is an index into `heads`.
  float weight(size_t head, int query, int key) const {
    return weights[(head * queries + query) * keys + key];
  }
};

// A token of a traced sentence.
struct TracedToken {
  std::string piece;  // as in the vocabulary: "▁" is a space before
  int id = 0;
  int word = -1;              // index of its word; -1: none, as for </s>
  bool is_text = true;        // false for <s> and </s>
  float log_probability = 0;  // target tokens only: given the source and the previous tokens
  size_t begin = 0;           // bytes of the sentence; empty if it has no text
  size_t end = 0;
};

struct TracedWord {
  std::string text;
  size_t begin = 0;  // bytes of the sentence
  size_t end = 0;
};

struct Prediction {
  std::string piece;
  int id = 0;
  float probability = 0;
};

// One side of a sentence pair.
struct TracedSide {
  std::string text;
  size_t begin = 0;  // position in the whole text: Translation::source, Translation::text
  std::vector<TracedToken> tokens;  // </s> last, unless a translation was cut off
  std::vector<TracedWord> words;
};

// A sentence that was copied instead of translated.
struct CopiedText {
  size_t source = 0;  // position in Translation::source
  size_t target = 0;  // position in Translation::text
  size_t size = 0;    // in bytes
};

// One sentence and its translation, given or found.
struct SentenceTrace {
  TracedSide source;
  TracedSide target;
  int decoder_layers = 0;
  // The cross-attention trained for word alignment: the mean of the first `alignment_heads` heads
  // (0: all) of this decoder layer; -1: none.
  int alignment_layer = -1;
  int alignment_heads = 0;
  // A cross-attention head of this decoder layer that aligns well without training, in the row
  // whose input is the target token; -1: none is known.
  int alignment_input_layer = -1;
  int alignment_input_head = 0;
  std::string decoder_start;                         // the piece of decoder input 0
  std::vector<AttentionTrace> attentions;            // encoder, decoder, cross; layer by layer
  std::vector<std::vector<Prediction>> predictions;  // [steps][predictions], most probable first
  // [source words, target tokens]: the decrease of a target token's log-probability when the word
  // is removed from the source. If nothing is left and the model takes no empty source, <unk>
  // replaces the word.
  std::vector<float> occlusion;

  // The trace of an attention; null if it was not recorded.
  LIMPID_EXPORT const AttentionTrace* Find(AttentionId id) const;
};

}  // namespace limpid

#endif  // LIMPID_TRACE_H_

// What a trace of a translation holds: for every attention that was asked for, where Q, K and V
// came from and what was made of them.
//
// Dimensions are those of the glossary in transformer.h. A row is a query, and a query is a token:
//   encoder self-attention   queries: source tokens          keys: source tokens
//   decoder self-attention   queries: decoder inputs         keys: decoder inputs
//   cross-attention          queries: decoder inputs         keys: source tokens
// Decoder input i is the token that the decoder takes in at step i: the start, then the target
// tokens but the last. From it the decoder *predicts* target token i. So two rows speak for target
// token i: row i, which predicts it, and row i + 1, in which it is the input.

#ifndef LIMPID_TRACE_H_
#define LIMPID_TRACE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limpid {

enum class AttentionKind { kEncoder, kDecoder, kCross };
std::string_view AttentionKindName(AttentionKind kind);  // "encoder", "decoder", "cross"
std::optional<AttentionKind> ParseAttentionKind(std::string_view name);

struct AttentionId {
  AttentionKind kind = AttentionKind::kEncoder;
  int layer = 0;  // of the encoder or of the decoder, from 0

  friend bool operator==(const AttentionId&, const AttentionId&) = default;
};

// What to record. The defaults are everything.
struct TraceRequest {
  std::vector<AttentionKind> kinds = {};  // none: all
  std::vector<int> layers = {};           // none: all
  std::vector<int> heads = {};            // none: all
  bool scores = true;                     // q · k / √head_dim, before softmax
  bool projections = true;                // Q, K, V
  bool context = true;                    // each head's mix of values
  bool output = true;                     // what the heads together add to the residual stream
  bool head_output = true;                // what each head adds to it
  bool norms = true;                      // how much of that each key brought
  // Whether to run the sentence again without each of its words: as many runs as it has words. The
  // one thing that is not recorded by default.
  bool occlusion = false;
  int predictions = 5;  // the most probable next tokens at each step
};

// One attention of one layer over one sentence. Parts that were not asked for are empty.
struct AttentionTrace {
  AttentionId id;
  std::vector<int> heads;  // the recorded heads, in order
  int queries = 0;
  int keys = 0;
  int head_dim = 0;
  std::vector<float>
      weights;                // [heads, queries, keys]: rows sum to 1; 0 where a query must not see
  std::vector<float> scores;  // [heads, queries, keys]: minus infinity where a query must not see
  std::vector<float> q;       // [heads, queries, head_dim]
  std::vector<float> k;       // [heads, keys, head_dim]
  std::vector<float> v;       // [heads, keys, head_dim]
  std::vector<float> context;  // [heads, queries, head_dim]
  std::vector<float> output;   // [queries, model_dim]: of all heads, bias included
  // [heads, queries, model_dim]: what each head adds to the output. With the bias they sum to it.
  std::vector<float> head_output;
  // [heads, queries, keys]: ‖weight · v W_o‖, the size of what a key adds to the output through a
  // head. A key with a small value vector adds little, whatever its weight (Kobayashi et al. 2020,
  // "Attention is Not Only a Weight").
  std::vector<float> norms;
  // [queries, keys]: the same of the recorded heads together, ‖Σ_head weight · v W_o‖.
  std::vector<float> joint_norms;

  // `head` counts within `heads`.
  float weight(size_t head, int query, int key) const {
    return weights[(head * queries + query) * keys + key];
  }
};

// A token of a traced sentence.
struct TracedToken {
  std::string piece;  // as the vocabulary has it: "▁" marks a space before
  int id = 0;
  int word = -1;              // which word of the sentence it is part of; -1: of none, such as </s>
  bool is_text = true;        // false: it marks where the sentence begins or ends
  float log_probability = 0;  // of target tokens: given the source and the tokens before
  size_t begin = 0;           // bytes of the sentence that it stands for; none: it is no text
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
  size_t begin = 0;  // where it stands in the whole text: Translation::source, Translation::text
  std::vector<TracedToken> tokens;  // </s> last, unless a translation was cut off
  std::vector<TracedWord> words;
};

// Text that is no sentence to the model and came through as it was.
struct CopiedText {
  size_t source = 0;  // where it begins in Translation::source
  size_t target = 0;  // where it begins in Translation::text
  size_t size = 0;    // in bytes
};

// One sentence and its translation, given or found.
struct SentenceTrace {
  TracedSide source;
  TracedSide target;
  int decoder_layers = 0;
  // Where the model was taught word alignment: the mean of the first `alignment_heads` heads (0: of
  // all) of the cross-attention of this decoder layer; -1: nowhere.
  int alignment_layer = -1;
  int alignment_heads = 0;
  // A head of the cross-attention of this decoder layer that aligns well by itself, in the row in
  // which a target token is the decoder's input; -1: none is known.
  int alignment_input_layer = -1;
  int alignment_input_head = 0;
  std::string decoder_start;               // decoder input 0, as the vocabulary has it
  std::vector<AttentionTrace> attentions;  // encoder, decoder, cross; layer by layer
  std::vector<std::vector<Prediction>>
      predictions;  // [steps][predictions], the most probable first
  // [source words, target tokens]: by how much the log-probability of a target token falls when the
  // source is read without the word, as if it had never been written. Below 0: it rises. Where
  // nothing is left and the model takes no empty source, <unk> stands for the word.
  std::vector<float> occlusion;

  // The trace of an attention; null if it was not recorded.
  const AttentionTrace* Find(AttentionId id) const;
};

}  // namespace limpid

#endif  // LIMPID_TRACE_H_

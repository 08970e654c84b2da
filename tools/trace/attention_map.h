// Makes a heat map of one attention of a trace: one layer, one head or the mean of all, between
// words or pieces.

#ifndef LIMPID_TOOLS_TRACE_ATTENTION_MAP_H_
#define LIMPID_TOOLS_TRACE_ATTENTION_MAP_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "limpid/alignment.h"
#include "limpid/trace.h"
#include "tools/alignment_flags.h"
#include "tools/trace/heat_map.h"

namespace limpid::internal {

inline constexpr char kNullWord[] = "(null)";  // for a reader; see alignment.h

inline constexpr int kDefaultLayer = -1;
inline constexpr int kDefaultHead = -1;
inline constexpr int kMeanOfHeads = -2;

// Which attention to show, as requested.
struct AttentionChoice {
  AttentionKind kind = AttentionKind::kCross;
  int layer = kDefaultLayer;
  int head = kDefaultHead;
  std::optional<AlignmentRow> row = std::nullopt;        // of decoder attentions; none: kOutput
  AlignmentMeasure measure = AlignmentMeasure::kWeight;  // of word alignments by cross-attention
};

// The choice, resolved in a trace.
struct ChosenAttention {
  const AttentionTrace* attention = nullptr;  // owned by the trace
  std::vector<int> heads;                     // to average
};

// Resolves the defaults: for cross-attention those of DefaultAlignment, else the mean of the last
// layer's heads. Fails with InvalidArgument if the model has no such layer or head, listing those
// that it has. The trace must hold all layers and heads of the kind.
absl::StatusOr<ChosenAttention> Choose(const SentenceTrace& trace, const AttentionChoice& choice);

// Returns the options with which AlignWords uses the same attention; the defaults, if the choice is
// not cross-attention.
AlignmentOptions AlignmentOptionsOf(const SentenceTrace& trace, const AttentionChoice& choice);

// Maps the chosen attention: queries are rows, keys are columns. At word level, sums over the
// pieces of a key's word and averages over the pieces of a query's word (for cross-attention, this
// is AlignWords). Fails like Choose.
absl::StatusOr<HeatMap> MapAttention(const SentenceTrace& trace, const AttentionChoice& choice,
                                     Level level);

// Returns how to show a decoder input; input 0 is "(start)".
std::string DecoderInputName(const SentenceTrace& trace, int input);

// "cross-attention", "encoder self-attention", …
std::string AttentionName(AttentionKind kind);

// Returns the number of keys that a query may see: a decoder input sees itself and those before it.
int VisibleKeys(const AttentionTrace& attention, int query);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_ATTENTION_MAP_H_

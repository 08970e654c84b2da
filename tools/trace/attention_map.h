// From a trace to the matrix that a reader wants to see: one attention, one layer, one head or the
// mean of all, between words or between pieces.

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

inline constexpr int kDefaultLayer = -1;
inline constexpr int kDefaultHead = -1;
inline constexpr int kMeanOfHeads = -2;

// Which attention to look at, as asked for.
struct AttentionChoice {
  AttentionKind kind = AttentionKind::kCross;
  int layer = kDefaultLayer;
  int head = kDefaultHead;
  std::optional<AlignmentRow> row = std::nullopt;  // of the decoder's attentions; none: output
  AlignmentMeasure measure = AlignmentMeasure::kWeight;  // of maps of words by cross-attention
};

// Which it is, in a trace.
struct ChosenAttention {
  const AttentionTrace* attention = nullptr;  // the trace's
  std::vector<int> heads;                     // whose mean is looked at
};

// Fills in the defaults: for cross-attention those of DefaultAlignment, else the mean of the heads
// of the last layer. Fails with InvalidArgument, saying what there is, where the model has no such
// layer or head. The trace must hold all layers and heads of the kind.
absl::StatusOr<ChosenAttention> Choose(const SentenceTrace& trace, const AttentionChoice& choice);

// The options with which AlignWords looks at the same attention; the defaults, where another kind
// than cross-attention was chosen.
AlignmentOptions AlignmentOptionsOf(const SentenceTrace& trace, const AttentionChoice& choice);

// The chosen attention as a map: queries down, keys across. At word level, attention is summed over
// the pieces of a key's word and averaged over the pieces of a query's word (AlignWords for
// cross-attention). Errors are those of Choose.
absl::StatusOr<HeatMap> MapAttention(const SentenceTrace& trace, const AttentionChoice& choice,
                                     Level level);

// Names of tokens for a reader. `input` counts decoder inputs: 0 is "(start)".
std::string DecoderInputName(const SentenceTrace& trace, int input);

// "cross-attention", "encoder self-attention", …
std::string AttentionName(AttentionKind kind);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_ATTENTION_MAP_H_

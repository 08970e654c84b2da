// Which source words each target word comes from, read off a trace.

#ifndef LIMPID_ALIGNMENT_H_
#define LIMPID_ALIGNMENT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "limpid/trace.h"

namespace limpid {

// Two rows of attention speak for a target token (see trace.h).
enum class AlignmentRow {
  kOutput,  // the one that predicts it
  kInput,   // the one after it, in which it is the decoder's input
};

// What a share is a share of.
enum class AlignmentMeasure {
  kWeight,  // attention weight
  kNorm,    // ‖weight · v W_o‖, the size of what a source token adds (Kobayashi et al. 2020)
  kOcclusion,  // by how much the log-probability of the target falls without the source word
};

struct AlignmentOptions {
  int layer = -1;               // of the decoder; -1: see DefaultAlignment
  std::vector<int> heads = {};  // whose mean is taken; none: see DefaultAlignment
  std::optional<AlignmentRow> row = std::nullopt;  // none: see DefaultAlignment
  AlignmentMeasure measure = AlignmentMeasure::kWeight;
};

// What the options leave open: the layer and heads that the model was taught alignment with; else
// the mean of all heads of the last decoder layer but one, which aligns best in plain models (Garg
// et al. 2019); the output row.
//
// Where nothing at all is said of layer, heads and row, and the model names a head that aligns in
// the input row (alignment_input_layer), alignments are the mean of that head and these.
AlignmentOptions DefaultAlignment(const SentenceTrace& trace, AlignmentOptions options);

// A request for just what an alignment with these options takes.
TraceRequest AlignmentRequest(const AlignmentOptions& options);

// How much each target owes to each source. Both are words, or pieces.
struct Alignment {
  int targets = 0;
  int sources = 0;
  // [targets, sources + 1]: rows sum to 1. The last column is what went to no word, but to what
  // marks the ends of the sentence, </s>: nothing.
  std::vector<float> weights;

  const float* row(int target) const {
    return &weights[static_cast<size_t>(target) * (sources + 1)];
  }
  float weight(int target, int source) const { return row(target)[source]; }
  float nothing(int target) const { return weight(target, sources); }
};

// Of trace.target.words to trace.source.words. Sums over the pieces of a source word, and takes the
// mean over the pieces of a target word. A target word that shares its only piece with the word
// before has that word's row. The last token of a translation that was cut off has no input row:
// its output row stands in. With kOcclusion a row is shared out among the words without which
// the target word is less probable; if there are none, it is nothing's. Fails with
// FailedPrecondition if the trace does not hold what it takes.
absl::StatusOr<Alignment> AlignWords(const SentenceTrace& trace, const AlignmentOptions& options);

// The same of trace.target.tokens to trace.source.tokens, but for those that are no text. Not for
// kOcclusion, which knows words only: InvalidArgument.
absl::StatusOr<Alignment> AlignPieces(const SentenceTrace& trace, const AlignmentOptions& options);

// Words of any text by Unicode's rules (UAX 29), those of TracedSide.
std::vector<TracedWord> SplitIntoWords(std::string_view text);

// Of a whole text and its translation, however many sentences these have: `traces` and `copies` are
// those of a Translation, words are any ranges of its source and its text, in order. A word of a
// copy comes from the word that it is a copy of.
absl::StatusOr<Alignment> AlignText(absl::Span<const SentenceTrace> traces,
                                    absl::Span<const CopiedText> copies,
                                    absl::Span<const TracedWord> source_words,
                                    absl::Span<const TracedWord> target_words,
                                    const AlignmentOptions& options);

// The same of the model's pieces, those of one sentence behind those of the other. Copies have
// none.
absl::StatusOr<Alignment> AlignTextPieces(absl::Span<const SentenceTrace> traces,
                                          const AlignmentOptions& options);

// Which of the shares become links.
enum class LinkRule {
  kIntersection,  // a target's largest share, if no other target owes much more to that source
  kEach,          // a target's largest share
};

// (source, target), in the order of the target. Targets that owe most to nothing have none.
std::vector<std::pair<int, int>> Links(const Alignment& alignment,
                                       LinkRule rule = LinkRule::kIntersection);

// "0-0 2-1": the links as SOURCE-TARGET, counted from 0 ("Pharaoh" format).
std::string FormatPharaoh(const Alignment& alignment, LinkRule rule = LinkRule::kIntersection);

// "0.9,0.1,0 0.2,0.7,0.1": all shares, a row a target; the last of a row is nothing's. As Marian
// writes soft alignments.
std::string FormatSoft(const Alignment& alignment);

}  // namespace limpid

#endif  // LIMPID_ALIGNMENT_H_

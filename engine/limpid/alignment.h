// Word alignment from a trace: which source words each target word comes from.

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
#include "limpid/export.h"
#include "limpid/trace.h"

namespace limpid {

// Which row of attention aligns a target token (see trace.h).
enum class AlignmentRow {
  kOutput,  // the row that predicts it
  kInput,   // the next row, whose decoder input is the token
};

// What is normalized to shares.
enum class AlignmentMeasure {
  kWeight,     // attention weight
  kNorm,       // ‖weight · v W_o‖, the norm of the source token's part (Kobayashi et al. 2020)
  kOcclusion,  // decrease of the target's log-probability without the source word
};

struct AlignmentOptions {
  int layer = -1;                                  // of the decoder; -1: see DefaultAlignment
  std::vector<int> heads = {};                     // to average; empty: see DefaultAlignment
  std::optional<AlignmentRow> row = std::nullopt;  // none: see DefaultAlignment
  AlignmentMeasure measure = AlignmentMeasure::kWeight;
};

// Fills in what the options leave open. Layer and heads: those trained for alignment, or else the
// mean of all heads of the second-to-last decoder layer, which aligns best without such training
// (Garg et al. 2019). Row: kOutput.
//
// If layer, heads and row are all left open and the model names a head that aligns in the input row
// (alignment_input_layer), alignments are the mean of that head and these.
LIMPID_EXPORT AlignmentOptions DefaultAlignment(const SentenceTrace& trace,
                                                AlignmentOptions options);

// Returns the trace request that an alignment with these options needs.
LIMPID_EXPORT TraceRequest AlignmentRequest(const AlignmentOptions& options);

// The share of each source in each target. Both are words, or both are pieces.
struct Alignment {
  int targets = 0;
  int sources = 0;
  // [targets, sources + 1]: rows sum to 1. The last column is the null word: the share of <s> and
  // </s>.
  std::vector<float> weights;

  const float* row(int target) const {
    return &weights[static_cast<size_t>(target) * (sources + 1)];
  }
  float weight(int target, int source) const { return row(target)[source]; }
  float null_word(int target) const { return weight(target, sources); }
};

// Aligns trace.target.words with trace.source.words: sums over the pieces of a source word,
// averages over the pieces of a target word. A target word that shares its only piece with the
// previous word has that word's row. The last token of a translation that was cut off has no input
// row; its output row is used. With kOcclusion, the words whose removal makes the target word less
// probable share the row; if there are none, it goes to the null word. Fails with
// FailedPrecondition if the trace lacks the data.
LIMPID_EXPORT absl::StatusOr<Alignment> AlignWords(const SentenceTrace& trace,
                                                   const AlignmentOptions& options);

// Aligns trace.target.tokens with trace.source.tokens, leaving out <s> and </s>. Fails with
// InvalidArgument for kOcclusion, which is measured for words only.
LIMPID_EXPORT absl::StatusOr<Alignment> AlignPieces(const SentenceTrace& trace,
                                                    const AlignmentOptions& options);

// Splits any text into words by Unicode's rules (UAX 29), as in TracedSide.
LIMPID_EXPORT std::vector<TracedWord> SplitIntoWords(std::string_view text);

// Aligns a whole text with its translation. `traces` and `copies` are a Translation's. The words
// are any ranges of its source and of its text, in order. Words in a copied sentence align with
// their originals.
LIMPID_EXPORT absl::StatusOr<Alignment> AlignText(absl::Span<const SentenceTrace> traces,
                                                  absl::Span<const CopiedText> copies,
                                                  absl::Span<const TracedWord> source_words,
                                                  absl::Span<const TracedWord> target_words,
                                                  const AlignmentOptions& options);

// The same for pieces, numbered across all sentences. Copied sentences have none.
LIMPID_EXPORT absl::StatusOr<Alignment> AlignTextPieces(absl::Span<const SentenceTrace> traces,
                                                        const AlignmentOptions& options);

// Which shares become links.
enum class LinkRule {
  kIntersection,  // a target's largest share, unless another target has a much larger one there
  kEach,          // a target's largest share
};

// Returns (source, target) pairs, ordered by target. A target whose largest share is the null
// word's has no link.
LIMPID_EXPORT std::vector<std::pair<int, int>> Links(const Alignment& alignment,
                                                     LinkRule rule = LinkRule::kIntersection);

// Formats links as SOURCE-TARGET, counted from 0: "0-0 2-1" ("Pharaoh" format).
LIMPID_EXPORT std::string FormatPharaoh(const Alignment& alignment,
                                        LinkRule rule = LinkRule::kIntersection);

// Formats all shares as Marian does, one row per target, the null word last: "0.9,0.1,0
// 0.2,0.7,0.1".
LIMPID_EXPORT std::string FormatSoft(const Alignment& alignment);

}  // namespace limpid

#endif  // LIMPID_ALIGNMENT_H_

// Which source words each target word comes from, read off the cross-attention of a trace.

#ifndef LIMPID_ENGINE_ALIGNMENT_H_
#define LIMPID_ENGINE_ALIGNMENT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/trace.h"

namespace limpid {

// Two rows of attention speak for a target token (see trace.h).
enum class AlignmentRow {
  kOutput,  // the one that predicts it
  kInput,   // the one after it, in which it is the decoder's input
};

struct AlignmentOptions {
  int layer = -1;               // of the decoder; -1: see DefaultAlignment
  std::vector<int> heads = {};  // whose mean is taken; none: see DefaultAlignment
  AlignmentRow row = AlignmentRow::kOutput;
};

// What the options leave open: the layer and heads that the model was taught alignment with; else
// the mean of all heads of the last decoder layer but one, which aligns best in plain models (Garg
// et al. 2019).
AlignmentOptions DefaultAlignment(const SentenceTrace& trace, AlignmentOptions options);

// How much each target word owes to each source word. Words are trace.target.words and
// trace.source.words.
struct Alignment {
  int targets = 0;
  int sources = 0;
  // [targets, sources + 1]: rows sum to 1. The last column is what went to no word, but to </s>:
  // nothing.
  std::vector<float> weights;

  const float* row(int target) const {
    return &weights[static_cast<size_t>(target) * (sources + 1)];
  }
  float weight(int target, int source) const { return row(target)[source]; }
  float nothing(int target) const { return weight(target, sources); }
};

// Sums attention over the pieces of a source word, and takes the mean over the pieces of a target
// word. A target word that shares its only piece with the word before has that word's row. Fails
// with FailedPrecondition if the trace does not hold the attention that it takes.
absl::StatusOr<Alignment> AlignWords(const SentenceTrace& trace, const AlignmentOptions& options);

// "0-0 2-1": for each target word the source word with most weight, as SOURCE-TARGET, counted from
// 0, in the order of the target ("Pharaoh" format). Words that owe most to nothing have none.
std::string FormatPharaoh(const Alignment& alignment);

}  // namespace limpid

#endif  // LIMPID_ENGINE_ALIGNMENT_H_

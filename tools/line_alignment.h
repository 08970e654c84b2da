// The alignment of a line of text, which may hold several sentences, with its translation.

#ifndef LIMPID_TOOLS_LINE_ALIGNMENT_H_
#define LIMPID_TOOLS_LINE_ALIGNMENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "limpid/alignment.h"
#include "limpid/translation.h"
#include "tools/alignment_flags.h"

namespace limpid::internal {

// Words are counted through the whole line, including untranslated parts. Pieces are the model's
// inputs and outputs, sentence after sentence.
struct LineAlignment {
  Level level = Level::kWord;
  std::vector<std::string> source = {};
  std::vector<std::string> target = {};
  Alignment alignment = {};
};

// Fails like AlignText; not if the traces were made with AlignmentRequest(options).
absl::StatusOr<LineAlignment> AlignLine(const Translation& translation, Level level,
                                        const AlignmentOptions& options = {});
// The same for a single sentence.
absl::StatusOr<LineAlignment> AlignSentence(const SentenceTrace& trace, Level level,
                                            const AlignmentOptions& options = {});

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_LINE_ALIGNMENT_H_

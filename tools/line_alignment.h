// The word alignment of a line of text, which may hold several sentences.

#ifndef LIMPID_TOOLS_LINE_ALIGNMENT_H_
#define LIMPID_TOOLS_LINE_ALIGNMENT_H_

#include <string>
#include <vector>

#include "limpid/alignment.h"
#include "limpid/translator.h"
#include "tools/alignment_flags.h"

namespace limpid::internal {

// Words are those of the whole line, what was not translated included, and are counted through it.
// Pieces are those that the model took in and gave, sentence after sentence.
struct LineAlignment {
  Level level = Level::kWord;
  std::vector<std::string> source = {};
  std::vector<std::string> target = {};
  Alignment alignment = {};
};

// The translation has traces made with AlignmentRequest({}).
LineAlignment AlignLine(const Translation& translation, Level level);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_LINE_ALIGNMENT_H_

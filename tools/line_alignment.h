// The word alignment of a line of text, which may hold several sentences.

#ifndef LIMPID_TOOLS_LINE_ALIGNMENT_H_
#define LIMPID_TOOLS_LINE_ALIGNMENT_H_

#include <string>
#include <vector>

#include "limpid/alignment.h"
#include "limpid/translator.h"
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

// `translation` must have traces made with AlignmentRequest({}).
LineAlignment AlignLine(const Translation& translation, Level level);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_LINE_ALIGNMENT_H_

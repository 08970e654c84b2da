// The word alignment of a line of text, which may hold several sentences.

#ifndef LIMPID_TOOLS_LINE_ALIGNMENT_H_
#define LIMPID_TOOLS_LINE_ALIGNMENT_H_

#include <string>
#include <vector>

#include "engine/alignment.h"
#include "engine/translator.h"

namespace limpid {

// What is aligned.
enum class AlignmentLevel { kWord, kPiece };

// Words, or pieces but for </s>, are counted through the line: those of its sentences, one after
// the other.
struct LineAlignment {
  AlignmentLevel level = AlignmentLevel::kWord;
  std::vector<std::string> source;
  std::vector<std::string> target;
  Alignment alignment;
};

// The translation has traces made with AlignmentRequest({}).
LineAlignment AlignLine(const Translation& translation, AlignmentLevel level);

}  // namespace limpid

#endif  // LIMPID_TOOLS_LINE_ALIGNMENT_H_

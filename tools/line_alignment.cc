#include "tools/line_alignment.h"

#include <utility>

#include "absl/status/statusor.h"

namespace limpid {
namespace {

void AppendUnits(const TracedSide& side, Level level, std::vector<std::string>* units) {
  if (level == Level::kWord) {
    for (const TracedWord& word : side.words) units->push_back(word.text);
    return;
  }
  for (const TracedToken& token : side.tokens) {
    if (token.is_text) units->push_back(token.piece);
  }
}

}  // namespace

LineAlignment AlignLine(const Translation& translation, Level level) {
  LineAlignment line;
  line.level = level;
  std::vector<Alignment> sentences;
  for (const SentenceTrace& trace : translation.traces) {
    AppendUnits(trace.source, level, &line.source);
    AppendUnits(trace.target, level, &line.target);
    // Never fails: all that it takes was recorded.
    absl::StatusOr<Alignment> alignment =
        level == Level::kWord ? AlignWords(trace, {}) : AlignPieces(trace, {});
    sentences.push_back(*std::move(alignment));
  }
  line.alignment = Concatenate(sentences);
  return line;
}

}  // namespace limpid

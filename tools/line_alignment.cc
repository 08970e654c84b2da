#include "tools/line_alignment.h"

namespace limpid::internal {
namespace {

std::vector<std::string> TextsOf(const std::vector<TracedWord>& words) {
  std::vector<std::string> texts;
  texts.reserve(words.size());
  for (const TracedWord& word : words) texts.push_back(word.text);
  return texts;
}

void AppendPieces(const TracedSide& side, std::vector<std::string>* pieces) {
  for (const TracedToken& token : side.tokens) {
    if (token.is_text) pieces->push_back(token.piece);
  }
}

}  // namespace

// Aligning cannot fail, because AlignmentRequest recorded all that it needs.
LineAlignment AlignLine(const Translation& translation, Level level) {
  if (level == Level::kWord) {
    const std::vector<TracedWord> source = SplitIntoWords(translation.source);
    const std::vector<TracedWord> target = SplitIntoWords(translation.text);
    return {level, TextsOf(source), TextsOf(target),
            *AlignText(translation.traces, translation.copies, source, target, {})};
  }
  LineAlignment line = {.level = level, .alignment = *AlignTextPieces(translation.traces, {})};
  for (const SentenceTrace& trace : translation.traces) {
    AppendPieces(trace.source, &line.source);
    AppendPieces(trace.target, &line.target);
  }
  return line;
}

}  // namespace limpid::internal

#include "tools/line_alignment.h"

#include <utility>

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

absl::StatusOr<LineAlignment> Label(absl::StatusOr<Alignment> alignment, LineAlignment line) {
  if (!alignment.ok()) return alignment.status();
  line.alignment = *std::move(alignment);
  return line;
}

}  // namespace

absl::StatusOr<LineAlignment> AlignLine(const Translation& translation, Level level,
                                        const AlignmentOptions& options) {
  LineAlignment line = {.level = level};
  if (level == Level::kWord) {
    const std::vector<TracedWord> source = SplitIntoWords(translation.source);
    const std::vector<TracedWord> target = SplitIntoWords(translation.text);
    line.source = TextsOf(source);
    line.target = TextsOf(target);
    return Label(AlignText(translation.traces, translation.copies, source, target, options),
                 std::move(line));
  }
  for (const SentenceTrace& trace : translation.traces) {
    AppendPieces(trace.source, &line.source);
    AppendPieces(trace.target, &line.target);
  }
  return Label(AlignTextPieces(translation.traces, options), std::move(line));
}

absl::StatusOr<LineAlignment> AlignSentence(const SentenceTrace& trace, Level level,
                                            const AlignmentOptions& options) {
  LineAlignment line = {.level = level};
  if (level == Level::kWord) {
    line.source = TextsOf(trace.source.words);
    line.target = TextsOf(trace.target.words);
    return Label(AlignWords(trace, options), std::move(line));
  }
  AppendPieces(trace.source, &line.source);
  AppendPieces(trace.target, &line.target);
  return Label(AlignPieces(trace, options), std::move(line));
}

}  // namespace limpid::internal

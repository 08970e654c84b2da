#include <algorithm>
#include <cassert>

#include "tokenizer/code_points.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

// How well a sentence can be cut at the end of a piece, worst first.
enum class CutPlace { kWithinCharacter, kWithinWord, kBetweenWords, kAfterClause, kAfterSentence };

// Whether the piece is a UTF-8 continuation byte.
bool IsContinuationByte(std::string_view piece) {
  const std::optional<char> byte = ByteOfPiece(piece);
  return byte.has_value() && U8_IS_TRAIL(*byte);
}

// The punctuation mark that a piece ends in, apart from closing quotes and brackets.
struct Mark {
  CutPlace place = CutPlace::kWithinWord;  // …, kAfterClause or kAfterSentence
  bool needs_space = false;  // "." and "," also occur within numbers; "。" and "、" do not
};

// `before` is the mark of the piece before this one, for pieces of closing quotes only.
Mark MarkOf(std::string_view piece, const Mark& before) {
  for (size_t at = piece.size(); at > 0;) {
    at = StartBefore(piece, at);
    const UChar32 c = CodePointAt(piece, at);
    const int32_t kind = u_getIntPropertyValue(c, UCHAR_SENTENCE_BREAK);
    const int8_t type = u_charType(c);
    const bool opens = type == U_START_PUNCTUATION || type == U_INITIAL_PUNCTUATION;
    if (kind == U_SB_CLOSE && !opens) continue;
    const bool needs_space = c < 0x80;
    if (kind == U_SB_ATERM || kind == U_SB_STERM || c == 0x2026) {  // U+2026: …
      return {CutPlace::kAfterSentence, needs_space};
    }
    if (u_hasBinaryProperty(c, UCHAR_TERMINAL_PUNCTUATION) || u_hasBinaryProperty(c, UCHAR_DASH)) {
      return {CutPlace::kAfterClause, needs_space};
    }
    return {};
  }
  return before;
}

// One element per piece: how well its end can be cut at.
std::vector<CutPlace> CutPlaces(absl::Span<const std::string> texts) {
  // SentencePiece marks spaces, subword-nmt their absence. Without either, every piece is a word.
  const bool marked = std::any_of(texts.begin(), texts.end(), [](const std::string& text) {
    return text.starts_with(kSpaceMark);
  });
  std::vector<CutPlace> places;
  places.reserve(texts.size());
  Mark mark;
  for (size_t i = 0; i < texts.size(); ++i) {
    mark = MarkOf(texts[i], mark);
    const std::string_view next = i + 1 < texts.size() ? texts[i + 1] : std::string_view();
    const bool space = marked ? next.starts_with(kSpaceMark) : !texts[i].ends_with("@@");
    CutPlace place = mark.needs_space && !space ? CutPlace::kWithinWord : mark.place;
    if (space) place = std::max(place, CutPlace::kBetweenWords);
    if (IsContinuationByte(next)) place = CutPlace::kWithinCharacter;
    places.push_back(place);
  }
  return places;
}

}  // namespace

std::vector<size_t> CutLongSentence(absl::Span<const std::string> texts, size_t max_pieces) {
  assert(max_pieces > 0);
  if (texts.empty()) return {};
  if (texts.size() <= max_pieces) return {texts.size()};
  const std::vector<CutPlace> places = CutPlaces(texts);
  std::vector<size_t> ends;
  size_t begin = 0;
  while (texts.size() - begin > max_pieces) {
    size_t best = begin + max_pieces;
    for (size_t end = best - 1; end > begin + max_pieces / 2; --end) {
      if (places[end - 1] > places[best - 1]) best = end;
    }
    ends.push_back(best);
    begin = best;
  }
  ends.push_back(texts.size());
  return ends;
}

}  // namespace limpid::internal

#include "tokenizer/sentencepiece_tokenizer.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "tokenizer/code_points.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

// Stands for copies while SentencePiece joins pieces. Must not be a piece that it knows.
constexpr std::string_view kCopyPlaceholder = "\x01copy\x01";

// Whether a normalizer may turn a character into a space, or remove it.
bool IsSpaceLike(UChar32 c) {
  const int8_t type = u_charType(c);
  return u_isspace(c) || type == U_CONTROL_CHAR || type == U_FORMAT_CHAR || c == 0x2581 ||
         c == 0xFFFD;
}

size_t CharacterEnd(std::string_view text, size_t at) {
  U8_FWD_1(text, at, text.size());
  return at;
}

// The bytes of `text` that a piece covers: SentencePiece's `range` without the space before the
// piece.
ByteRange WithoutSpace(std::string_view text, std::string_view piece, ByteRange range) {
  std::string_view core = piece;
  while (core.starts_with(kSpaceMark)) core.remove_prefix(kSpaceMark.size());
  if (core.empty()) return {range.end, range.end};
  if (core.size() < piece.size()) {
    while (!range.empty()) {
      size_t next = range.begin;
      UChar32 c = 0;
      U8_NEXT(text, next, range.end, c);
      const bool covered = core.starts_with(text.substr(range.begin, next - range.begin));
      if (covered || !IsSpaceLike(c)) break;
      range.begin = next;
    }
  }
  return range;
}

// Pieces may be parts of one character (the bytes of an emoji, the letters of a ligature).
// SentencePiece gives the character to the last of them; here each covers it.
void ShareCharacters(std::string_view text, Pieces& pieces) {
  for (size_t i = pieces.size(); i-- > 1;) {
    ByteRange& range = pieces.ranges[i - 1];
    const ByteRange& next = pieces.ranges[i];
    const bool stands_for_text = pieces.texts[i - 1] != kSpaceMark;
    if (range.empty() && stands_for_text && next.begin == range.begin && !next.empty()) {
      range.end = std::min(CharacterEnd(text, range.begin), next.end);
    }
  }
}

// `piece` with spaces in place of "▁".
std::string WithSpaces(std::string_view piece) {
  std::string text;
  for (size_t mark = piece.find(kSpaceMark); mark != std::string_view::npos;
       mark = piece.find(kSpaceMark)) {
    text += piece.substr(0, mark);
    text += ' ';
    piece.remove_prefix(mark + kSpaceMark.size());
  }
  text += piece;
  return text;
}

}  // namespace

Pieces SentencePieceTokenizer::Split(std::string_view text, Side side) const {
  const SentencePieceAdapter& sentencepiece =
      side == Side::kSource ? *source_sentencepiece_ : *target_sentencepiece_;
  std::vector<SentencePieceAdapter::Piece> encoded = sentencepiece.Encode(text);
  Pieces pieces;
  pieces.Reserve(encoded.size() + 1);
  for (SentencePieceAdapter::Piece& piece : encoded) {
    const ByteRange range = WithoutSpace(text, piece.text, {piece.begin, piece.end});
    const int id = vocabulary(side).TextId(piece.text);
    pieces.Add(id, std::move(piece.text), range);
  }
  ShareCharacters(text, pieces);
  return pieces;
}

SentencePieceTokenizer::JoinedPieces SentencePieceTokenizer::Join(
    absl::Span<const int> ids, absl::Span<const Copy> copies) const {
  std::vector<std::string_view> joinable;
  std::vector<size_t> places;  // indices in `ids`
  for (size_t i = 0; i < ids.size(); ++i) {
    if (target().IsSpecial(ids[i]) && !IsCopy(copies, i)) continue;
    const std::string_view piece = target().piece(ids[i]);
    joinable.push_back(IsCopy(copies, i) ? kCopyPlaceholder : piece);
    places.push_back(i);
  }
  const std::vector<std::string> surfaces = target_sentencepiece_->Decode(joinable);
  JoinedPieces joined;
  joined.ranges.resize(ids.size());
  for (size_t i = 0; i < joinable.size(); ++i) {
    const size_t place = places[i];
    const bool after_space = joined.text.empty() || joined.text.ends_with(' ');
    std::string surface;
    if (IsCopy(copies, place)) {
      const bool has_space = copies[place].piece.starts_with(kSpaceMark) && !after_space;
      surface = (has_space ? " " : "") + copies[place].text;
    } else {
      // SentencePiece leaves "▁" in pieces that it does not know.
      surface = WithSpaces(surfaces[i]);
      // A special token between two spaces leaves one of them.
      const bool skipped = place > 0 && (i == 0 || places[i - 1] + 1 < place);
      if (skipped && after_space && surface.starts_with(' ')) surface.erase(0, 1);
    }
    joined.ranges[place] = {joined.text.size(), joined.text.size() + surface.size()};
    joined.text += surface;
  }
  // SentencePiece gives a character to the last of its bytes.
  for (size_t i = joinable.size(); i-- > 1;) {
    ByteRange& range = joined.ranges[places[i - 1]];
    if (range.empty() && ByteOfPiece(joinable[i - 1]).has_value()) {
      range = joined.ranges[places[i]];
    }
  }
  return joined;
}

std::string SentencePieceTokenizer::DecodeTarget(absl::Span<const int> ids,
                                                 absl::Span<const Copy> copies,
                                                 Pieces* pieces) const {
  const JoinedPieces joined = Join(ids, copies);
  const ByteRange kept = TrimWhiteSpace(joined.text);
  std::string text(kept.In(joined.text));
  if (pieces == nullptr) return text;

  *pieces = {};
  ByteRange range;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string& piece = target().piece(ids[i]);
    const bool is_copy = IsCopy(copies, i);
    range.begin = range.end;
    if (is_copy || !target().IsSpecial(ids[i])) {
      range.begin = std::clamp(joined.ranges[i].begin, kept.begin, kept.end) - kept.begin;
      range.end = std::clamp(joined.ranges[i].end, kept.begin, kept.end) - kept.begin;
      range = is_copy ? ByteRange{range.end - copies[i].text.size(), range.end}
                      : WithoutSpace(text, piece, range);
    }
    pieces->Add(ids[i], piece, range);
  }
  return text;
}

std::string SentencePieceTokenizer::TargetSpelling(int id) const {
  if (target().IsSpecial(id)) return "";
  const std::string& piece = target().piece(id);
  if (const std::optional<char> byte = ByteOfPiece(piece)) return {*byte};
  return Spelling(piece);
}

std::string SentencePieceTokenizer::Spelling(std::string_view text) const {
  return WithSingleSpaces(WithSpaces(text));
}

}  // namespace limpid::internal

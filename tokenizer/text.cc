#include "tokenizer/text.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "tokenizer/boundaries.h"
#include "tokenizer/code_points.h"

namespace limpid::internal {
namespace {

// Moves `at` past ASCII characters, eight at a time; a few may remain.
void SkipAscii(std::string_view text, size_t& at) {
  uint64_t bytes = 0;
  for (; at + sizeof(bytes) <= text.size(); at += sizeof(bytes)) {
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    if ((bytes & 0x8080808080808080U) != 0) return;
  }
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    SkipAscii(text, at);
    if (at < text.size() && NextCodePoint(text, at) < 0) return false;
  }
  return true;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    if (NextCodePoint(text, at) >= 0) {
      valid += text.substr(begin, at - begin);
    } else {
      valid += "\uFFFD";
    }
  }
  return valid;
}

MendedText Mend(std::string_view text) {
  if (IsValidUtf8(text)) return {std::string(text), false};
  return {ReplaceInvalidUtf8(text), true};
}

std::u32string CodePoints(std::string_view text) {
  std::u32string code_points;
  for (size_t at = 0; at < text.size();) {
    const UChar32 c = NextCodePoint(text, at);
    code_points += c < 0 ? U'\uFFFD' : static_cast<char32_t>(c);
  }
  return code_points;
}

ByteRange TrimWhiteSpace(std::string_view text) {
  ByteRange range{0, text.size()};
  while (!range.empty()) {
    size_t next = range.begin;
    if (!u_isspace(NextCodePoint(text, next))) break;
    range.begin = next;
  }
  while (!range.empty()) {
    const size_t last = StartBefore(text, range.end);
    if (!u_isspace(CodePointAt(text, last))) break;
    range.end = last;
  }
  return range;
}

bool HasLetter(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (u_isalpha(NextCodePoint(text, at))) return true;
  }
  return false;
}

std::vector<ByteRange> SplitWords(std::string_view text) {
  static const icu::BreakIterator& rules = *[] {
    UErrorCode error = U_ZERO_ERROR;
    icu::BreakIterator* const words =
        icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), error);
    return Own(words, error).release();
  }();
  std::vector<ByteRange> words;
  for (const ByteRange& segment : Segments(rules, text)) {
    const ByteRange word = TrimWhiteSpace(segment.In(text));
    if (!word.empty()) words.push_back({segment.begin + word.begin, segment.begin + word.end});
  }
  return words;
}

std::vector<ByteRange> SplitCharacters(std::string_view text) {
  static const icu::BreakIterator& rules = *[] {
    UErrorCode error = U_ZERO_ERROR;
    icu::BreakIterator* const characters =
        icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error);
    return Own(characters, error).release();
  }();
  return Segments(rules, text);
}

std::vector<int> WordsOfPieces(absl::Span<const ByteRange> pieces,
                               absl::Span<const ByteRange> words) {
  std::vector<int> words_of_pieces;
  words_of_pieces.reserve(pieces.size());
  size_t word = 0;
  for (const ByteRange& piece : pieces) {
    while (word < words.size() && words[word].end <= piece.begin) ++word;
    const bool touches = !piece.empty() && word < words.size() && words[word].begin < piece.end;
    words_of_pieces.push_back(touches ? static_cast<int>(word) : -1);
  }
  return words_of_pieces;
}

std::optional<char> ByteOfPiece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || !piece.ends_with('>')) return std::nullopt;
  unsigned byte = 0;
  const char* const end = piece.data() + 5;
  const auto [rest, error] = std::from_chars(piece.data() + 3, end, byte, 16);
  if (error != std::errc() || rest != end) return std::nullopt;
  return static_cast<char>(byte);
}

}  // namespace limpid::internal

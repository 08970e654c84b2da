// Text apart from its pieces: valid UTF-8 (text.cc), sentences (sentences.cc, long_sentence.cc),
// words and characters (text.cc), display (display.cc). Unicode's rules come from ICU.

#ifndef LIMPID_TOKENIZER_TEXT_H_
#define LIMPID_TOKENIZER_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace limpid::internal {

// Bytes [begin, end) of some text.
struct ByteRange {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
  std::string_view In(std::string_view text) const { return text.substr(begin, size()); }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// SentencePiece's space, at the beginning of a piece.
inline constexpr std::string_view kSpaceMark = "▁";

// Returns whether `text` is valid UTF-8.
bool IsValidUtf8(std::string_view text);

// Returns `text` with each ill-formed sequence replaced by U+FFFD, as the Unicode Standard
// recommends (chapter 3, "U+FFFD substitution of maximal subparts").
std::string ReplaceInvalidUtf8(std::string_view text);

// Valid text, to which all offsets refer.
struct MendedText {
  std::string text;
  bool replaced_invalid_utf8 = false;
};
MendedText Mend(std::string_view text);

// The code points of `text`, with U+FFFD as above.
std::u32string CodePoints(std::string_view text);

// Valid UTF-8 text without the white space at its ends.
ByteRange TrimWhiteSpace(std::string_view text);

// Splits valid UTF-8 text, below 2 GB, into sentences. The ranges are in order, do not overlap, and
// have no white space at their ends. Between them is white space only, or nothing in scripts
// without spaces between sentences. White space alone has no sentences.
//
// Sentences end where Unicode's rules (UAX 29) say, and at line ends, but not
//  - after an abbreviation of `language` in ICU's data, a title ("Dr."), initials ("J. K."), or
//  "3."
//    in languages that write ordinal numbers this way;
//  - before text that follows without a space, except after a mark such as "。" (URLs);
//  - before a lower-case letter, even after quotes: "Where is he?" she asked.
//  - after text without letters, such as the "1." of a list, which belongs to the next sentence.
// `language` is an ISO 639 code of two or three letters; empty or unknown: no list.
std::vector<ByteRange> SplitSentences(std::string_view text, std::string_view language);

// Returns whether the full stop at the end of valid UTF-8 text most likely belongs to its last
// word: an abbreviation, a title, an initial or an ordinal number, as above.
bool EndsInAbbreviation(std::string_view text, std::string_view language);

// Whether valid UTF-8 text has a letter of any script.
bool HasLetter(std::string_view text);

// Splits valid UTF-8 text, below 2 GB, into words by Unicode's rules (UAX 29): words, numbers and
// single punctuation marks, but not white space. Ranges as for SplitSentences.
std::vector<ByteRange> SplitWords(std::string_view text);

// Splits valid UTF-8 text, below 2 GB, into grapheme clusters (UAX 29): a letter with its accents,
// an emoji of several code points. The ranges cover all of the text.
std::vector<ByteRange> SplitCharacters(std::string_view text);

// The number of terminal columns of valid UTF-8 text: two for an emoji or a wide East Asian
// character (UAX 11), none for a combining or invisible one.
int DisplayWidth(std::string_view text);

// Makes valid UTF-8 text safe to print beside other text: control characters, line ends and
// direction controls become U+FFFD, and right-to-left text is enclosed in U+2068 and U+2069 ("first
// strong isolate") so that it does not reorder its surroundings.
std::string IsolatedForDisplay(std::string_view text);

// One element per piece: the index of the first word that shares bytes with it, or -1 for a piece
// without text. `pieces` and `words` are ranges of the same text, in order.
std::vector<int> WordsOfPieces(absl::Span<const ByteRange> pieces,
                               absl::Span<const ByteRange> words);

// The byte of a byte-fallback piece, "<0x00>" … "<0xFF>"; none for other pieces.
std::optional<char> ByteOfPiece(std::string_view piece);

// Cuts a sentence that is too long for a model into runs of 1 to `max_pieces` pieces (> 0). Returns
// where each run ends; the last end is texts.size(). A cut is in the second half of a run: after
// the last sentence mark there, else after the last clause mark (comma, semicolon, dash …), else
// between words, else between pieces, and within a character only as a last resort. `texts` are
// pieces as in Pieces::texts, without special tokens.
std::vector<size_t> CutLongSentence(absl::Span<const std::string> texts, size_t max_pieces);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_TEXT_H_

// What has to be known about text apart from its pieces: valid UTF-8, sentences, words.
// Unicode rules come from ICU.

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

// Returns whether `text` is valid UTF-8.
bool IsValidUtf8(std::string_view text);

// Returns `text` with each ill-formed sequence replaced by U+FFFD, as the Unicode Standard
// recommends (chapter 3, "U+FFFD substitution of maximal subparts").
std::string ReplaceInvalidUtf8(std::string_view text);

// Text as all else is to see it: where bytes had to be replaced, offsets are those of `text`.
struct MendedText {
  std::string text;
  bool replaced_invalid_utf8 = false;
};
MendedText Mend(std::string_view text);

// The code points of `text`, with U+FFFD as above.
std::u32string CodePoints(std::string_view text);

// All of valid UTF-8 text but the white space at its ends.
ByteRange TrimWhiteSpace(std::string_view text);

// Cuts valid UTF-8 text, below 2 GB, into sentences. The ranges come in order, do not overlap, and
// hold no white space at either end; what lies between them is white space only, or nothing in
// scripts that put none between sentences. Text of white space alone has no sentences.
//
// Sentences end where Unicode's rules (UAX 29) see an end, lines too, but not
//  - after an abbreviation of `language` that ICU's data lists, a title ("Dr."), initials ("J.
//  K."),
//    or "3." in languages that write ordinal numbers so;
//  - before text that follows without a space, unless it follows a mark such as "。" (URLs);
//  - before a small letter, be it behind quotes: "Where is he?" she asked.
//  - after text without letters, such as the "1." of a list: it belongs to what comes next.
// `language` is an ISO 639 code of two or three letters; empty or unknown: no list.
std::vector<ByteRange> SplitSentences(std::string_view text, std::string_view language);

// Returns whether the last word of valid UTF-8 text, which ends in a full stop, most likely has the
// full stop for itself: an abbreviation, a title, an initial or an ordinal number, as above.
bool EndsInAbbreviation(std::string_view text, std::string_view language);

// Whether valid UTF-8 text has a letter of any script.
bool HasLetter(std::string_view text);

// Cuts valid UTF-8 text, below 2 GB, into words by Unicode's rules (UAX 29): words, numbers and
// each punctuation mark are words, white space is not. Ranges as for SplitSentences.
std::vector<ByteRange> SplitWords(std::string_view text);

// Cuts valid UTF-8 text, below 2 GB, into what a reader takes for characters (grapheme clusters,
// UAX 29): a letter with its accents, an emoji of several code points. The ranges cover all of the
// text.
std::vector<ByteRange> SplitCharacters(std::string_view text);

// How many columns of a terminal valid UTF-8 text takes: two for a character that East Asian
// typography draws wide (UAX 11) or that is an emoji, none for one that is only a mark or
// invisible.
int DisplayWidth(std::string_view text);

// Valid UTF-8 text made safe to stand beside other text on a line: control characters, line ends
// and controls of direction become U+FFFD, and text with letters that run from right to left goes
// between U+2068 and U+2069 ("first strong isolate"), which keeps it from turning what is around
// it.
std::string IsolatedForDisplay(std::string_view text);

// For each piece, the index of the first word that the piece covers bytes of, or -1 for a piece
// that stands for no text or for white space only. `pieces` and `words` are ranges of the same
// text, in order.
std::vector<int> WordsOfPieces(absl::Span<const ByteRange> pieces,
                               absl::Span<const ByteRange> words);

// The byte that a piece of SentencePiece's stands for, "<0x00>" … "<0xFF>"; none for other pieces.
std::optional<char> ByteOfPiece(std::string_view piece);

// Cuts a sentence of pieces that is too long for a model into runs of at most `max_pieces`, which
// is above 0, and returns where each run ends (the last is texts.size()); no run is empty. It cuts
// in the second half of a run: after the last sentence mark there, else after the last clause mark
// (comma, semicolon, dash …), else between words, else between pieces, and between the bytes of one
// character only if there is nothing else. `texts` are pieces as in Pieces::texts, without </s>.
std::vector<size_t> CutLongSentence(absl::Span<const std::string> texts, size_t max_pieces);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_TEXT_H_

// Characters, rewriting rules and entities that Moses' tokenizer and detokenizer share.

#ifndef LIMPID_TOKENIZER_MOSES_RULES_H_
#define LIMPID_TOKENIZER_MOSES_RULES_H_

#include <unicode/uchar.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "tokenizer/rewritten_text.h"
#include "tokenizer/text.h"

namespace limpid::internal {

using Edits = std::vector<RewrittenText::Edit>;

// The first and last code point of text that is not empty.
UChar32 FirstOf(std::string_view text);
UChar32 LastOf(std::string_view text);

bool IsOneOf(UChar32 c, std::u32string_view characters);
bool ConsistsOf(std::string_view text, std::u32string_view characters);

// Chinese characters and Korean syllables are letters only in their own languages.
bool IsLetter(UChar32 c);
bool IsLetterOf(std::string_view language, UChar32 c);
// Characters of East Asia, by Unicode's blocks.
bool IsEastAsian(UChar32 c);

inline bool IsIn(std::string_view language, std::initializer_list<std::string_view> languages) {
  return std::find(languages.begin(), languages.end(), language) != languages.end();
}

// The words of text, separated by Unicode's white space.
std::vector<ByteRange> SplitAtSpaces(std::string_view text);

// Text to replace, between characters of certain classes if these are given. As with a regular
// expression, matches are found from the left and do not overlap, `before` and `after` included.
struct Rule {
  std::string_view from;
  std::string_view to;
  bool (*before)(UChar32) = nullptr;
  bool (*after)(UChar32) = nullptr;
};
void Rewrite(absl::Span<const Rule> rules, RewrittenText& text);

// Replaces characters that have a meaning in XML or Moses by entities such as "&apos;", and back.
void Escape(RewrittenText& rewritten);
void Unescape(RewrittenText& rewritten);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_MOSES_RULES_H_

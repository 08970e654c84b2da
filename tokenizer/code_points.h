// Walking over the code points of UTF-8 text, by ICU.

#ifndef LIMPID_TOKENIZER_CODE_POINTS_H_
#define LIMPID_TOKENIZER_CODE_POINTS_H_

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstddef>
#include <string_view>

#include "tokenizer/text.h"

namespace limpid::internal {

// Returns the code point at text[at], negative if the text is ill-formed there, and moves `at` past
// it.
inline UChar32 NextCodePoint(std::string_view text, size_t& at) {
  UChar32 code_point = 0;
  U8_NEXT(text, at, text.size(), code_point);
  return code_point;
}

inline UChar32 CodePointAt(std::string_view text, size_t at) { return NextCodePoint(text, at); }

// Returns where the character before text[at] starts. `text` is valid, `at` is not 0.
inline size_t StartBefore(std::string_view text, size_t at) {
  --at;
  while (at > 0 && U8_IS_TRAIL(text[at])) --at;
  return at;
}

// Calls `with` with each code point of `text` beyond ASCII, and its bytes.
template <typename With>
void ForEachBeyondAscii(std::string_view text, With with) {
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const UChar32 c = NextCodePoint(text, at);
    if (c >= 0x80) with(c, ByteRange{begin, at});
  }
}

// Whether a code point is invisible: soft hyphens, joiners, byte order marks …
inline bool IsIgnorable(UChar32 c) {
  return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
}

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_CODE_POINTS_H_

#include <algorithm>

#include "tokenizer/code_points.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

// The columns of a single code point.
int WidthOf(UChar32 c) {
  const int8_t type = u_charType(c);
  constexpr UChar32 kEmojiStyle = 0xFE0F;  // shows the character before it as an emoji
  const int32_t east_asian = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  if (east_asian == U_EA_WIDE || east_asian == U_EA_FULLWIDTH || c == kEmojiStyle ||
      u_hasBinaryProperty(c, UCHAR_REGIONAL_INDICATOR)) {
    return 2;
  }
  const bool is_mark = type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK;
  return is_mark || type == U_FORMAT_CHAR || type == U_CONTROL_CHAR ? 0 : 1;
}

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (const ByteRange& character : SplitCharacters(text)) {
    int widest = 0;
    for (size_t at = character.begin; at < character.end;) {
      widest = std::max(widest, WidthOf(NextCodePoint(text, at)));
    }
    width += widest;
  }
  return width;
}

std::string IsolatedForDisplay(std::string_view text) {
  std::string shown;
  bool right_to_left = false;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const UChar32 c = NextCodePoint(text, at);
    const UCharDirection direction = u_charDirection(c);
    right_to_left |= direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC;
    const int8_t type = u_charType(c);
    const bool breaks_line = type == U_LINE_SEPARATOR || type == U_PARAGRAPH_SEPARATOR;
    if (type == U_CONTROL_CHAR || breaks_line || u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL)) {
      shown += "\uFFFD";
    } else {
      shown += text.substr(begin, at - begin);
    }
  }
  // U+2068 and U+2069, byte by byte: as string literals they could mislead a reader of this file.
  constexpr char kFirstStrongIsolate[] = {'\xE2', '\x81', '\xA8', '\0'};
  constexpr char kPopDirectionalIsolate[] = {'\xE2', '\x81', '\xA9', '\0'};
  return right_to_left ? kFirstStrongIsolate + shown + kPopDirectionalIsolate : shown;
}

}  // namespace limpid::internal

#include "tokenizer/moses_rules.h"

#include <unicode/uscript.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "tokenizer/code_points.h"

namespace limpid::internal {
namespace {

// Signs that join or change letters of India's scripts.
bool IsIndicSign(UChar32 c) {
  const int32_t kind = u_getIntPropertyValue(c, UCHAR_INDIC_SYLLABIC_CATEGORY);
  return kind == U_INSC_VIRAMA || kind == U_INSC_NUKTA || kind == U_INSC_INVISIBLE_STACKER;
}

bool IsHangulSyllable(UChar32 c) {
  const int32_t kind = u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE);
  return kind == U_HST_LV_SYLLABLE || kind == U_HST_LVT_SYLLABLE;
}

void RewriteBy(const Rule& rule, RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  // Bytes that `from` and `to` have in common at their ends keep their origins.
  const auto& [from, to] = std::pair(rule.from, rule.to);
  const size_t head =
      std::mismatch(from.begin(), from.end(), to.begin(), to.end()).first - from.begin();
  const std::string_view from_rest = from.substr(head);
  const std::string_view to_rest = to.substr(head);
  const size_t tail =
      std::mismatch(from_rest.rbegin(), from_rest.rend(), to_rest.rbegin(), to_rest.rend()).first -
      from_rest.rbegin();
  const std::string with(to_rest.substr(0, to_rest.size() - tail));

  Edits edits;
  size_t used = 0;  // end of the last match
  for (size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, at)) {
    size_t end = at + from.size();
    const bool matches =
        (rule.before == nullptr || (at > used && rule.before(LastOf(text.substr(0, at))))) &&
        (rule.after == nullptr || (end < text.size() && rule.after(NextCodePoint(text, end))));
    if (matches) {
      edits.push_back({{at + head, at + from.size() - tail}, with});
      used = end;
    }
    at = matches ? end : at + 1;
  }
  rewritten.Apply(edits);
}

struct Entity {
  char character;
  std::string_view name;
};

// The last three are older names, which are only read.
constexpr Entity kEntities[] = {
    {'&', "&amp;"},   {'|', "&#124;"}, {'<', "&lt;"},  {'>', "&gt;"},
    {'\'', "&apos;"}, {'"', "&quot;"}, {'[', "&#91;"}, {']', "&#93;"},
    {'|', "&bar;"},   {'[', "&bra;"},  {']', "&ket;"},
};

}  // namespace

UChar32 FirstOf(std::string_view text) { return CodePointAt(text, 0); }

UChar32 LastOf(std::string_view text) { return CodePointAt(text, StartBefore(text, text.size())); }

bool IsOneOf(UChar32 c, std::u32string_view characters) {
  return characters.find(static_cast<char32_t>(c)) != std::u32string_view::npos;
}

bool ConsistsOf(std::string_view text, std::u32string_view characters) {
  for (size_t at = 0; at < text.size();) {
    if (!IsOneOf(NextCodePoint(text, at), characters)) return false;
  }
  return true;
}

bool IsLetter(UChar32 c) {
  if (IsIndicSign(c)) return true;
  return u_isUAlphabetic(c) && !uscript_hasScript(c, USCRIPT_HAN) && !IsHangulSyllable(c);
}

bool IsLetterOf(std::string_view language, UChar32 c) {
  if (IsLetter(c)) return true;
  if (language == "ko") return uscript_hasScript(c, USCRIPT_HANGUL);
  if (language == "ja" &&
      (uscript_hasScript(c, USCRIPT_HIRAGANA) || uscript_hasScript(c, USCRIPT_KATAKANA))) {
    return true;
  }
  return (language == "ja" || language == "zh") && uscript_hasScript(c, USCRIPT_HAN);
}

bool IsEastAsian(UChar32 c) {
  constexpr std::pair<UChar32, UChar32> kBlocks[] = {
      {0x1100, 0x11FF},    // Hangul Jamo
      {0x2E80, 0xA4CF},    // from CJK Radicals to Yi
      {0xA840, 0xA87F},    // Phags-pa
      {0xAC00, 0xD7AF},    // Hangul
      {0xF900, 0xFAFF},    // CJK Compatibility Ideographs
      {0xFE30, 0xFE4F},    // CJK Compatibility Forms
      {0xFF65, 0xFFDC},    // halfwidth Katakana and Hangul
      {0x17000, 0x18AFF},  // Tangut
      {0x1B000, 0x1B0FF},  // Kana
      {0x1B170, 0x1B2FF},  // Nushu
      {0x20000, 0x2FFFF},  // ideographs
  };
  return std::any_of(std::begin(kBlocks), std::end(kBlocks),
                     [c](const auto& block) { return block.first <= c && c <= block.second; });
}

std::vector<ByteRange> SplitAtSpaces(std::string_view text) {
  std::vector<ByteRange> words;
  bool in_word = false;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const bool is_space = u_isspace(NextCodePoint(text, at));
    if (!is_space && !in_word) words.push_back({begin, begin});
    if (!is_space) words.back().end = at;
    in_word = !is_space;
  }
  return words;
}

void Rewrite(absl::Span<const Rule> rules, RewrittenText& text) {
  for (const Rule& rule : rules) RewriteBy(rule, text);
}

void Escape(RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  Edits edits;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto* const entity =
        std::find_if(std::begin(kEntities), std::end(kEntities),
                     [&](const Entity& each) { return each.character == text[at]; });
    if (entity == std::end(kEntities)) continue;
    edits.push_back({{at, at + 1}, std::string(entity->name)});
  }
  rewritten.Apply(edits);
}

void Unescape(RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  Edits edits;
  for (size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
    const auto* const entity =
        std::find_if(std::begin(kEntities), std::end(kEntities),
                     [&](const Entity& each) { return text.substr(at).starts_with(each.name); });
    if (entity == std::end(kEntities)) continue;
    edits.push_back({{at, at + entity->name.size()}, std::string(1, entity->character)});
  }
  rewritten.Apply(edits);
}

}  // namespace limpid::internal

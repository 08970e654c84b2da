#include "tokenizer/moses.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

using Edits = std::vector<RewrittenText::Edit>;

// --- Characters ---

// Returns the code point at text[at], negative if the text is ill-formed there, and moves `at`
// behind it.
UChar32 NextCodePoint(std::string_view text, size_t& at) {
  UChar32 c = 0;
  U8_NEXT(text, at, text.size(), c);
  return c;
}

// These take text that is not empty.
UChar32 FirstOf(std::string_view text) {
  size_t at = 0;
  return NextCodePoint(text, at);
}

UChar32 LastOf(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && U8_IS_TRAIL(text[at])) --at;
  return NextCodePoint(text, at);
}

bool IsOneOf(UChar32 c, std::u32string_view characters) {
  return characters.find(static_cast<char32_t>(c)) != std::u32string_view::npos;
}

bool ConsistsOf(std::string_view text, std::u32string_view characters) {
  for (size_t at = 0; at < text.size();) {
    if (!IsOneOf(NextCodePoint(text, at), characters)) return false;
  }
  return true;
}

// Signs that join or change letters of India's scripts.
bool IsIndicSign(UChar32 c) {
  const int32_t kind = u_getIntPropertyValue(c, UCHAR_INDIC_SYLLABIC_CATEGORY);
  return kind == U_INSC_VIRAMA || kind == U_INSC_NUKTA || kind == U_INSC_INVISIBLE_STACKER;
}

bool IsHangulSyllable(UChar32 c) {
  const int32_t kind = u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE);
  return kind == U_HST_LV_SYLLABLE || kind == U_HST_LVT_SYLLABLE;
}

// Chinese characters and Korean syllables are no letters outside of their languages.
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

bool HasLetterOf(std::string_view language, std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (IsLetterOf(language, NextCodePoint(text, at))) return true;
  }
  return false;
}

bool IsDigit(UChar32 c) { return u_isdigit(c); }
bool IsNumber(UChar32 c) { return (U_MASK(u_charType(c)) & U_GC_N_MASK) != 0; }
bool IsNoNumber(UChar32 c) { return !IsNumber(c); }
bool IsNoLetter(UChar32 c) { return !IsLetter(c); }
bool IsNoLetterOrNumber(UChar32 c) { return !IsLetter(c) && !IsNumber(c); }
bool IsClosingMark(UChar32 c) { return IsOneOf(c, U".!:?;,"); }
bool IsSmallS(UChar32 c) { return c == 's'; }

// Characters of East Asia, by Unicode's blocks.
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

// The words of text, of which Unicode's white space is no part.
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

// --- Rules ---

// Text to replace, between characters of certain classes if such are given. Like a regular
// expression, it is looked for from the left, and a character is part of one match only.
struct Rule {
  std::string_view from;
  std::string_view to;
  bool (*before)(UChar32) = nullptr;
  bool (*after)(UChar32) = nullptr;
};

void RewriteBy(const Rule& rule, RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  // What `from` and `to` begin and end with is left in peace.
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
  size_t used = 0;  // by the last match
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

void Rewrite(absl::Span<const Rule> rules, RewrittenText& text) {
  for (const Rule& rule : rules) RewriteBy(rule, text);
}

// Leaves one of several spaces that follow each other.
void CollapseSpaces(RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  Edits edits;
  for (size_t at = text.find("  "); at != std::string_view::npos; at = text.find("  ", at)) {
    const size_t end = std::min(text.find_first_not_of(' ', at), text.size());
    edits.push_back({{at + 1, end}, ""});
    at = end;
  }
  rewritten.Apply(edits);
}

void Trim(RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  const ByteRange kept = TrimWhiteSpace(text);
  rewritten.Apply({{{{0, kept.begin}, ""}, {{kept.end, text.size()}, ""}}});
}

// --- Punctuation made alike ---

constexpr Rule kBrackets[] = {{"\r", ""}, {"(", " ("}, {")", ") "}};

constexpr Rule kQuotesAndDashes[] = {
    {") ", ")", nullptr, IsClosingMark},
    {"( ", "("},
    {" )", ")"},
    {" %", "%", IsDigit},
    {" :", ":"},
    {" ;", ";"},
    {"`", "'"},
    {"''", " \" "},
    {"„", "\""},
    {"“", "\""},
    {"”", "\""},
    {"–", "-"},
    {"—", " - "},
};

constexpr Rule kOtherMarks[] = {
    {"´", "'"},
    {"‘", "'"},
    {"‚", "'"},
    {"’", "'"},
    {"''", "\""},
    {"…", "..."},
    {"\u00A0«\u00A0", "\""},
    {"«\u00A0", "\""},
    {"«", "\""},
    {"\u00A0»\u00A0", "\""},
    {"\u00A0»", "\""},
    {"»", "\""},
    {"\u00A0%", "%"},
    {"nº\u00A0", "nº "},
    {"\u00A0:", ":"},
    {"\u00A0ºC", " ºC"},
    {"\u00A0cm", " cm"},
    {"\u00A0?", "?"},
    {"\u00A0!", "!"},
    {"\u00A0;", ";"},
    {",\u00A0", ", "},
};

// In English, a quotation mark goes behind the commas and full stops that follow it: `",` to `,"`.
void MoveQuotesBehindCommas(RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  Edits edits;
  for (size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at)) {
    const size_t end = std::min(text.find_first_not_of(",.", at + 1), text.size());
    if (end > at + 1) {
      edits.push_back({{at, end}, std::string(text.substr(at + 1, end - at - 1)) + '"'});
    }
    at = end;
  }
  rewritten.Apply(edits);
}

// In other languages it goes before the full stops that it follows, except at the end of the text
// or before "<".
void MoveQuotesBeforeFullStops(RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  Edits edits;
  for (size_t at = text.find('.'); at != std::string_view::npos; at = text.find('.', at)) {
    const size_t begin = at;
    at = std::min(text.find_first_not_of('.', at), text.size());
    if (at == text.size() || text[at] != '"') continue;
    const size_t quote = at;
    size_t next = ++at;
    while (next < text.size() && u_isspace(NextCodePoint(text, next))) at = next;
    const bool has_space = at > quote + 1;
    const bool goes_on = at < text.size() && text[at] != '<';
    if (!has_space && !goes_on) continue;
    if (goes_on) NextCodePoint(text, at);  // which Moses does not look at again
    edits.push_back({{begin, quote + 1}, '"' + std::string(text.substr(begin, quote - begin))});
  }
  rewritten.Apply(edits);
}

bool IsIn(std::string_view language, std::initializer_list<std::string_view> languages) {
  return std::find(languages.begin(), languages.end(), language) != languages.end();
}

void NormalizePunctuation(std::string_view language, RewrittenText& text) {
  for (const absl::Span<const Rule> rules :
       {absl::MakeConstSpan(kBrackets), absl::MakeConstSpan(kQuotesAndDashes),
        absl::MakeConstSpan(kOtherMarks)}) {
    Rewrite(rules, text);
    CollapseSpaces(text);
  }
  if (language == "en") {
    MoveQuotesBehindCommas(text);
  } else if (IsIn(language, {"de", "es", "fr"})) {
    Rewrite({{",\"", "\","}}, text);
    MoveQuotesBeforeFullStops(text);
  }
  const bool has_decimal_comma = IsIn(language, {"de", "es", "cz", "cs", "fr"});
  Rewrite({{"\u00A0", has_decimal_comma ? "," : ".", IsDigit, IsDigit}}, text);
  Trim(text);
}

// --- Tokens ---

void RemoveControlCharacters(RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  Edits edits;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const UChar32 c = NextCodePoint(text, at);
    if (c == ' ') continue;
    if (u_isspace(c)) {
      edits.push_back({{begin, at}, " "});
    } else if (c < ' ') {
      edits.push_back({{begin, at}, ""});
    }
  }
  rewritten.Apply(edits);
  Trim(rewritten);
}

// Puts spaces around all that is no letter, digit, white space or one of ".'`,-", and around
// several full stops.
void SeparateSymbols(std::string_view language, RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  Edits edits;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const UChar32 c = NextCodePoint(text, at);
    bool is_token = false;
    if (c == '.') {
      at = std::min(text.find_first_not_of('.', at), text.size());
      is_token = at > begin + 1;
    } else {
      is_token = !IsLetterOf(language, c) && !IsDigit(c) && !u_isspace(c) && !IsOneOf(c, U"'`,-");
    }
    if (!is_token) continue;
    edits.push_back({{begin, begin}, " "});
    edits.push_back({{at, at}, " "});
  }
  rewritten.Apply(edits);
}

// A comma is a token unless there are numbers on both sides.
void SeparateCommas(RewrittenText& text) {
  Rewrite({{",", " , ", IsNoNumber, nullptr}, {",", " , ", nullptr, IsNoNumber}}, text);
  if (text.text().ends_with(',')) {
    const size_t comma = text.text().size() - 1;
    text.Apply({{{{comma, comma}, " "}}});
  }
}

constexpr Rule kEnglishApostrophes[] = {
    {"'", " ' ", IsNoLetter, IsNoLetter}, {"'", " ' ", IsNoLetterOrNumber, IsLetter},
    {"'", " ' ", IsLetter, IsNoLetter},   {"'", " '", IsLetter, IsLetter},
    {"'", " '", IsNumber, IsSmallS},
};

constexpr Rule kFrenchApostrophes[] = {
    {"'", " ' ", IsNoLetter, IsNoLetter},
    {"'", " ' ", IsNoLetter, IsLetter},
    {"'", " ' ", IsLetter, IsNoLetter},
    {"'", "' ", IsLetter, IsLetter},
};

constexpr Rule kOtherApostrophes[] = {{"'", " ' "}};

void SeparateApostrophes(std::string_view language, RewrittenText& text) {
  if (language == "en") return Rewrite(kEnglishApostrophes, text);
  if (language == "fr" || language == "it") return Rewrite(kFrenchApostrophes, text);
  Rewrite(kOtherApostrophes, text);
}

// A full stop at the end of a word is a token, unless it belongs to the word, or the next word
// shows that the sentence goes on.
void SeparateFullStops(std::string_view language, RewrittenText& rewritten) {
  const std::string_view text = rewritten.text();
  const std::vector<ByteRange> words = SplitAtSpaces(text);
  Edits edits;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i].In(text);
    if (!word.ends_with('.') || ConsistsOf(word, U".")) continue;
    const std::string_view without = word.substr(0, word.size() - 1);
    const bool has_full_stop = without.find('.') != std::string_view::npos;
    if (has_full_stop && HasLetterOf(language, without)) continue;
    if (i + 1 < words.size() && u_isULowercase(FirstOf(words[i + 1].In(text)))) continue;
    if (EndsInAbbreviation(word, language)) continue;
    const size_t full_stop = words[i].end - 1;
    edits.push_back({{full_stop, full_stop}, " "});
  }
  rewritten.Apply(edits);
}

// `.'` at the end of the text are two tokens.
void SeparateLastQuote(RewrittenText& text) {
  const size_t end = text.text().size();
  if (!text.text().ends_with(".'")) return;
  text.Apply({{{{end - 2, end - 2}, " "}, {{end - 1, end - 1}, " "}}});
}

struct Entity {
  char character;
  std::string_view name;
};

// The last ones are older names, which are only read.
constexpr Entity kEntities[] = {
    {'&', "&amp;"},   {'|', "&#124;"}, {'<', "&lt;"},  {'>', "&gt;"},
    {'\'', "&apos;"}, {'"', "&quot;"}, {'[', "&#91;"}, {']', "&#93;"},
    {'|', "&bar;"},   {'[', "&bra;"},  {']', "&ket;"},
};

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

// --- Text of tokens ---

constexpr std::u32string_view kOpening = U"([{¿¡";
constexpr std::u32string_view kClosing = U",.?!:;\\%})]";
constexpr std::u32string_view kQuotes = U"'\"„“`";

bool IsOpening(std::string_view token) {
  for (size_t at = 0; at < token.size();) {
    const UChar32 c = NextCodePoint(token, at);
    if (u_charType(c) != U_CURRENCY_SYMBOL && !IsOneOf(c, kOpening)) return false;
  }
  return true;
}

// "'s"
bool IsEnglishContraction(std::string_view token) {
  return token.starts_with('\'') && token.size() > 1 && IsLetter(FirstOf(token.substr(1)));
}

// "l'"
bool IsFrenchContraction(std::string_view token) {
  return token.ends_with('\'') && token.size() > 1 &&
         IsLetter(LastOf(token.substr(0, token.size() - 1)));
}

// Decides, token by token from the left, where spaces stand.
class Spacing {
 public:
  explicit Spacing(std::string_view language) : language_(language) {}

  // Whether a space goes between `token` and the one before it. `before` and `after` are empty
  // where there is none.
  bool HasSpace(std::string_view before, std::string_view token, std::string_view after);

 private:
  // Whether a token keeps to what is before it, and to what comes after it.
  struct Sides {
    bool joins_before = false;
    bool joins_after = false;
    bool stands_apart = false;  // from what is before, even if that keeps to what comes after it
  };
  Sides SidesOf(std::string_view before, std::string_view token, std::string_view after);
  Sides SidesOfQuote(std::string_view before, std::string_view quote);

  const std::string_view language_;
  std::map<std::string, int, std::less<>> quotes_;  // how many of each there were
  bool next_joins_ = false;
};

bool Spacing::HasSpace(std::string_view before, std::string_view token, std::string_view after) {
  const Sides sides = SidesOf(before, token, after);
  const bool joined = next_joins_ || sides.joins_before;
  next_joins_ = sides.joins_after;
  return sides.stands_apart || !joined;
}

Spacing::Sides Spacing::SidesOf(std::string_view before, std::string_view token,
                                std::string_view after) {
  if (language_ != "ko" && IsEastAsian(FirstOf(token))) {
    return {.joins_before = !before.empty() && IsEastAsian(LastOf(before))};
  }
  if (IsOpening(token)) return {.joins_after = true};
  if (ConsistsOf(token, kClosing)) {
    const bool is_french = language_ == "fr" && token.size() == 1 && ConsistsOf(token, U"?!:;\\%");
    return {.joins_before = !is_french, .stands_apart = is_french};
  }
  if (language_ == "en" && !before.empty() && IsEnglishContraction(token)) {
    return {.joins_before = true};
  }
  if (IsIn(language_, {"fr", "it", "ga"}) && IsFrenchContraction(token) && !after.empty() &&
      IsLetter(FirstOf(after))) {
    return {.joins_after = true};
  }
  if (ConsistsOf(token, kQuotes)) return SidesOfQuote(before, token);
  return {};
}

// Every other quotation mark of a kind closes.
Spacing::Sides Spacing::SidesOfQuote(std::string_view before, std::string_view quote) {
  int& count = quotes_[std::string(ConsistsOf(quote, U"„“") ? "\"" : quote)];
  if (language_ == "cs" && quote == "„") count = 0;
  if (language_ == "cs" && quote == "“") count = 1;
  const bool closes = count % 2 == 1;
  const bool is_possessive = language_ == "en" && quote == "'" && before.ends_with('s');
  if (!closes && is_possessive) return {.joins_before = true};  // "the Jones' house"
  ++count;
  return {.joins_before = closes, .joins_after = !closes};
}

}  // namespace

RewrittenText MosesTokenize(std::string_view text, std::string_view language) {
  RewrittenText tokens(text);
  NormalizePunctuation(language, tokens);
  RemoveControlCharacters(tokens);
  SeparateSymbols(language, tokens);
  SeparateCommas(tokens);
  SeparateApostrophes(language, tokens);
  SeparateFullStops(language, tokens);
  Trim(tokens);
  SeparateLastQuote(tokens);
  CollapseSpaces(tokens);
  Escape(tokens);
  return tokens;
}

RewrittenText MosesDetokenize(std::string_view tokens, std::string_view language) {
  RewrittenText detokenized(tokens);
  detokenized.Apply({{{{0, 0}, " "}, {{tokens.size(), tokens.size()}, " "}}});
  Rewrite({{" @-@ ", "-"}}, detokenized);
  Unescape(detokenized);

  const std::string_view text = detokenized.text();
  const std::vector<ByteRange> words = SplitAtSpaces(text);
  const auto word = [&](size_t i) { return i < words.size() ? words[i].In(text) : ""; };
  Spacing spacing(language);
  Edits edits;
  size_t end = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool has_space = spacing.HasSpace(word(i - 1), word(i), word(i + 1)) && i > 0;
    edits.push_back({{end, words[i].begin}, has_space ? " " : ""});
    end = words[i].end;
  }
  edits.push_back({{end, text.size()}, ""});
  detokenized.Apply(edits);
  return detokenized;
}

}  // namespace limpid::internal

#include "tokenizer/moses.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "tokenizer/code_points.h"
#include "tokenizer/moses_rules.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

bool HasLetterOf(std::string_view language, std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (IsLetterOf(language, NextCodePoint(text, at))) return true;
  }
  return false;
}

bool IsDigit(UChar32 c) { return u_isdigit(c); }
bool IsNumber(UChar32 c) { return (U_MASK(u_charType(c)) & U_GC_N_MASK) != 0; }
bool IsNotNumber(UChar32 c) { return !IsNumber(c); }
bool IsNotLetter(UChar32 c) { return !IsLetter(c); }
bool IsNeitherLetterNorNumber(UChar32 c) { return !IsLetter(c) && !IsNumber(c); }
bool IsClosingMark(UChar32 c) { return IsOneOf(c, U".!:?;,"); }
bool IsSmallS(UChar32 c) { return c == 's'; }

// Collapses runs of spaces to one.
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

// --- Normalization of punctuation ---

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

// In English, a quotation mark moves after the commas and full stops that follow it: `",` to `,"`.
void MoveQuotesAfterCommas(RewrittenText& rewritten) {
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

// In other languages it moves before the full stops that it follows, except at the end of the text
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
    if (goes_on) NextCodePoint(text, at);  // Moses does not look at it again
    edits.push_back({{begin, quote + 1}, '"' + std::string(text.substr(begin, quote - begin))});
  }
  rewritten.Apply(edits);
}

void NormalizePunctuation(std::string_view language, RewrittenText& text) {
  for (const absl::Span<const Rule> rules :
       {absl::MakeConstSpan(kBrackets), absl::MakeConstSpan(kQuotesAndDashes),
        absl::MakeConstSpan(kOtherMarks)}) {
    Rewrite(rules, text);
    CollapseSpaces(text);
  }
  if (language == "en") {
    MoveQuotesAfterCommas(text);
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

// Puts spaces around everything except letters, digits, white space and ".'`,-", and around runs of
// full stops.
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

// A comma between numbers is not a token; any other is.
void SeparateCommas(RewrittenText& text) {
  Rewrite({{",", " , ", IsNotNumber, nullptr}, {",", " , ", nullptr, IsNotNumber}}, text);
  if (text.text().ends_with(',')) {
    const size_t comma = text.text().size() - 1;
    text.Apply({{{{comma, comma}, " "}}});
  }
}

constexpr Rule kEnglishApostrophes[] = {
    {"'", " ' ", IsNotLetter, IsNotLetter}, {"'", " ' ", IsNeitherLetterNorNumber, IsLetter},
    {"'", " ' ", IsLetter, IsNotLetter},    {"'", " '", IsLetter, IsLetter},
    {"'", " '", IsNumber, IsSmallS},
};

constexpr Rule kFrenchApostrophes[] = {
    {"'", " ' ", IsNotLetter, IsNotLetter},
    {"'", " ' ", IsNotLetter, IsLetter},
    {"'", " ' ", IsLetter, IsNotLetter},
    {"'", "' ", IsLetter, IsLetter},
};

constexpr Rule kOtherApostrophes[] = {{"'", " ' "}};

void SeparateApostrophes(std::string_view language, RewrittenText& text) {
  if (language == "en") return Rewrite(kEnglishApostrophes, text);
  if (language == "fr" || language == "it") return Rewrite(kFrenchApostrophes, text);
  Rewrite(kOtherApostrophes, text);
}

// A full stop at the end of a word is a token unless it belongs to the word or the next word
// continues the sentence.
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
  Trim(tokens);
  Escape(tokens);
  return tokens;
}

}  // namespace limpid::internal

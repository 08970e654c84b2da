#include <unicode/locid.h>
#include <unicode/ures.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "tokenizer/boundaries.h"
#include "tokenizer/code_points.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

bool IsAscii(char byte) { return U8_IS_SINGLE(byte); }

// Where sentences of one language end. Unicode's rules see an end after every full stop before a
// capital; a list of abbreviations corrects that. ICU's own filter (FilteredBreakIterator) takes
// "sicher." for the abbreviation "r.", misses abbreviations with an inner full stop, and is not
// thread-safe (ICU 72).
class SentenceRules {
 public:
  // One instance per language.
  static const SentenceRules& For(std::string_view language);

  explicit SentenceRules(const std::string& language);

  const icu::BreakIterator& boundaries() const { return *boundaries_; }

  // Whether the full stop at the end of `text` most likely belongs to its last word: "Dr.", "U.S.",
  // "J.", or an ordinal number in languages that write it this way.
  bool EndsInAbbreviation(std::string_view text) const;

 private:
  void AddAbbreviations(const char* language);

  std::unique_ptr<icu::BreakIterator> boundaries_;
  std::set<std::string, std::less<>> abbreviations_;  // with their full stop
  bool ordinals_ = false;
};

const SentenceRules& SentenceRules::For(std::string_view language) {
  static std::mutex mutex;
  static auto& all = *new std::map<std::string, std::unique_ptr<SentenceRules>, std::less<>>();
  const std::lock_guard<std::mutex> lock(mutex);
  auto found = all.find(language);
  if (found == all.end()) {
    const std::string name(language);
    found = all.emplace(name, std::make_unique<SentenceRules>(name)).first;
  }
  return *found->second;
}

SentenceRules::SentenceRules(const std::string& language)
    // Titles precede names in any language, and no list has all of them.
    : abbreviations_({"Dr.", "Mr.", "Mrs.", "Ms.", "Prof.", "St."}) {
  // A Locale with an empty name would be the machine's.
  const icu::Locale locale =
      language.empty() ? icu::Locale::getRoot() : icu::Locale(language.c_str());
  UErrorCode error = U_ZERO_ERROR;
  icu::BreakIterator* const sentences = icu::BreakIterator::createSentenceInstance(locale, error);
  boundaries_ = Own(sentences, error);
  const char* const code = locale.getLanguage();  // two letters if the language has such a code
  if (*code != '\0') AddAbbreviations(code);
  constexpr std::string_view kOrdinals[] = {"bs", "cs", "da", "de", "et", "fi", "hr", "hu",
                                            "is", "lv", "nb", "nn", "no", "sk", "sl", "sr"};
  ordinals_ = std::find(std::begin(kOrdinals), std::end(kOrdinals), code) != std::end(kOrdinals);
}

// Unicode's abbreviations (CLDR, "SentenceBreak" exceptions) from ICU's data.
void SentenceRules::AddAbbreviations(const char* language) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::LocalUResourceBundlePointer bundle(
      ures_open(U_ICUDATA_NAME "-brkitr", language, &error));
  if (error == U_USING_DEFAULT_WARNING) return;  // the data of the machine's language
  const icu::LocalUResourceBundlePointer exceptions(
      ures_getByKey(bundle.getAlias(), "exceptions", nullptr, &error));
  const icu::LocalUResourceBundlePointer list(
      ures_getByKey(exceptions.getAlias(), "SentenceBreak", nullptr, &error));
  while (U_SUCCESS(error) && ures_hasNext(list.getAlias())) {
    std::string abbreviation;
    icu::ures_getNextUnicodeString(list.getAlias(), nullptr, &error).toUTF8String(abbreviation);
    // An abbreviation of several words, such as "z. B.", could be split after each.
    for (size_t begin = 0; begin < abbreviation.size();) {
      const size_t end = std::min(abbreviation.find(' ', begin), abbreviation.size());
      std::string word = abbreviation.substr(begin, end - begin);
      if (word.ends_with('.')) abbreviations_.insert(std::move(word));
      begin = end + 1;
    }
  }
}

bool SentenceRules::EndsInAbbreviation(std::string_view text) const {
  size_t begin = text.size();
  while (begin > 0) {
    const size_t before = StartBefore(text, begin);
    const UChar32 c = CodePointAt(text, before);
    if (!u_isalnum(c) && u_charType(c) != U_NON_SPACING_MARK && c != '.' && c != '-') break;
    begin = before;
  }
  const std::string_view word = text.substr(begin);
  if (abbreviations_.contains(word)) return true;
  if (ordinals_ && word.size() <= 3 &&
      std::all_of(word.begin(), word.end() - 1, [](char c) { return c >= '0' && c <= '9'; })) {
    return word.size() > 1;
  }
  bool initials = word.size() > 1;
  for (size_t at = 0; initials && at < word.size(); ++at) {
    initials = u_isupper(NextCodePoint(word, at)) && at < word.size() && word[at] == '.';
  }
  return initials;
}

bool HasLineBreak(std::string_view white_space) {
  for (size_t at = 0; at < white_space.size();) {
    const int32_t kind =
        u_getIntPropertyValue(NextCodePoint(white_space, at), UCHAR_SENTENCE_BREAK);
    if (kind == U_SB_LF || kind == U_SB_CR || kind == U_SB_SEP) return true;
  }
  return false;
}

// Whether the first letter of text, after quotes and the like, is lower-case, which continues a
// sentence (UAX 29 says so for full stops: rule SB8).
bool BeginsSmall(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const UChar32 c = NextCodePoint(text, at);
    switch (u_getIntPropertyValue(c, UCHAR_SENTENCE_BREAK)) {
      case U_SB_LOWER:
        return true;
      case U_SB_OLETTER:
      case U_SB_UPPER:
      case U_SB_SEP:
      case U_SB_CR:
      case U_SB_LF:
      case U_SB_STERM:
      case U_SB_ATERM:
        return false;
      default:
        break;
    }
  }
  return false;
}

// Whether text ends in a mark that also occurs within sentences, apart from closing quotes and
// brackets. "。" does not.
bool EndsInAmbiguousMark(std::string_view text) {
  for (size_t at = text.size(); at > 0;) {
    at = StartBefore(text, at);
    const UChar32 c = CodePointAt(text, at);
    if (c == '?' || c == '!' || c == 0x2026) return true;  // U+2026: …
    if (u_getIntPropertyValue(c, UCHAR_SENTENCE_BREAK) != U_SB_CLOSE) return false;
  }
  return false;
}

}  // namespace

std::vector<ByteRange> SplitSentences(std::string_view text, std::string_view language) {
  const SentenceRules& rules = SentenceRules::For(language);
  std::vector<ByteRange> sentences;
  bool goes_on = false;    // the last sentence continues
  bool may_go_on = false;  // it continues if a lower-case letter follows
  bool has_letter = false;
  for (const ByteRange& segment : Segments(rules.boundaries(), text)) {
    const ByteRange trimmed = TrimWhiteSpace(segment.In(text));
    const ByteRange part{segment.begin + trimmed.begin, segment.begin + trimmed.end};
    const ByteRange space{part.end, segment.end};
    if (!part.empty()) {
      if (goes_on || (may_go_on && BeginsSmall(part.In(text)))) {
        sentences.back().end = part.end;
      } else {
        sentences.push_back(part);
        has_letter = false;
      }
      has_letter = has_letter || HasLetter(part.In(text));
      const char last = text[part.end - 1];
      goes_on = !has_letter || (space.empty() && IsAscii(last)) ||
                (last == '.' && rules.EndsInAbbreviation(sentences.back().In(text)));
      may_go_on = EndsInAmbiguousMark(part.In(text));
    }
    goes_on = goes_on && !HasLineBreak(space.In(text));
    may_go_on = may_go_on && !HasLineBreak(space.In(text));
  }
  return sentences;
}

bool EndsInAbbreviation(std::string_view text, std::string_view language) {
  assert(text.ends_with('.'));
  return SentenceRules::For(language).EndsInAbbreviation(text);
}

}  // namespace limpid::internal

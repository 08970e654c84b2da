#include "tokenizer/text.h"

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/ures.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>
#include <unicode/utypes.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <climits>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace limpid::internal {
namespace {

// Returns the code point at text[at], negative if the text is ill-formed there, and moves `at`
// behind it.
UChar32 NextCodePoint(std::string_view text, size_t& at) {
  UChar32 code_point = 0;
  U8_NEXT(text, at, text.size(), code_point);
  return code_point;
}

// Returns where the character before text[at] starts. `text` is valid, `at` is not 0.
size_t StartBefore(std::string_view text, size_t at) {
  --at;
  while (at > 0 && U8_IS_TRAIL(text[at])) --at;
  return at;
}

UChar32 CodePointAt(std::string_view text, size_t at) { return NextCodePoint(text, at); }

bool IsAscii(char byte) { return U8_IS_SINGLE(byte); }

// Moves `at` behind the ASCII characters that start there, some of which may be left over.
void SkipAscii(std::string_view text, size_t& at) {
  uint64_t bytes = 0;
  for (; at + sizeof(bytes) <= text.size(); at += sizeof(bytes)) {
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    if ((bytes & 0x8080808080808080U) != 0) return;
  }
}

// What ICU failed with, as an exception.
[[noreturn]] void Throw(UErrorCode error) {
  if (error == U_MEMORY_ALLOCATION_ERROR || U_SUCCESS(error)) throw std::bad_alloc();
  const bool no_data = error == U_FILE_ACCESS_ERROR || error == U_MISSING_RESOURCE_ERROR;
  throw std::runtime_error(std::string("ICU cannot cut text: ") + u_errorName(error) +
                           (no_data ? "; its data is missing: install it anew (libicu)" : ""));
}

// Takes over what ICU made, which is nothing where that failed; see Throw.
std::unique_ptr<icu::BreakIterator> Made(icu::BreakIterator* iterator, UErrorCode error) {
  std::unique_ptr<icu::BreakIterator> made(iterator);
  if (made == nullptr || U_FAILURE(error)) Throw(error);
  return made;
}

// Cuts text at all boundaries of a break iterator, of which it uses a copy.
std::vector<ByteRange> Segments(const icu::BreakIterator& rules, std::string_view text) {
  assert(text.size() <= INT32_MAX);  // the iterator counts in 32 bits
  UErrorCode error = U_ZERO_ERROR;
  UText utext = UTEXT_INITIALIZER;
  utext_openUTF8(&utext, text.data(), static_cast<int64_t>(text.size()), &error);
  const std::unique_ptr<icu::BreakIterator> boundaries = Made(rules.clone(), U_ZERO_ERROR);
  boundaries->setText(&utext, error);
  if (U_FAILURE(error)) Throw(error);
  std::vector<ByteRange> segments;
  size_t begin = 0;
  while (boundaries->next() != icu::BreakIterator::DONE) {
    const auto end = static_cast<size_t>(boundaries->current());
    segments.push_back({begin, end});
    begin = end;
  }
  utext_close(&utext);
  return segments;
}

// Where sentences of one language end. Unicode's rules see one after every full stop that is
// followed by a capital; abbreviations make the difference. ICU's own filter for them
// (FilteredBreakIterator) is of no use: it takes "sicher." for the abbreviation "r.", misses those
// with a full stop within, and is not safe to use from several threads (ICU 72).
class SentenceRules {
 public:
  // Made once a language.
  static const SentenceRules& For(std::string_view language);

  explicit SentenceRules(const std::string& language);

  const icu::BreakIterator& boundaries() const { return *boundaries_; }

  // Returns whether the last word of `text`, which ends in a full stop, most likely has the full
  // stop for itself: "Dr.", "U.S.", "J.", or an ordinal number in languages that write it so.
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
    // Titles stand before a name in any language, and no language's list has all of them.
    : abbreviations_({"Dr.", "Mr.", "Mrs.", "Ms.", "Prof.", "St."}) {
  // A Locale of an empty name would be the machine's.
  const icu::Locale locale =
      language.empty() ? icu::Locale::getRoot() : icu::Locale(language.c_str());
  UErrorCode error = U_ZERO_ERROR;
  icu::BreakIterator* const sentences = icu::BreakIterator::createSentenceInstance(locale, error);
  boundaries_ = Made(sentences, error);
  const char* const code = locale.getLanguage();  // of two letters where there is one
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
  if (error == U_USING_DEFAULT_WARNING) return;  // not of this language: of the machine's
  const icu::LocalUResourceBundlePointer exceptions(
      ures_getByKey(bundle.getAlias(), "exceptions", nullptr, &error));
  const icu::LocalUResourceBundlePointer list(
      ures_getByKey(exceptions.getAlias(), "SentenceBreak", nullptr, &error));
  while (U_SUCCESS(error) && ures_hasNext(list.getAlias())) {
    std::string abbreviation;
    icu::ures_getNextUnicodeString(list.getAlias(), nullptr, &error).toUTF8String(abbreviation);
    // One of several words, such as "z. B.", could be cut after each.
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

// Whether the first letter of text, behind quotes and the like, is a small one: a sentence goes on
// there (as UAX 29 has it behind full stops, rule SB8).
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

// Whether text ends in a mark that also stands within sentences, quotes and brackets behind it
// aside. "。" does not.
bool EndsInAmbiguousMark(std::string_view text) {
  for (size_t at = text.size(); at > 0;) {
    at = StartBefore(text, at);
    const UChar32 c = CodePointAt(text, at);
    if (c == '?' || c == '!' || c == 0x2026) return true;  // U+2026: …
    if (u_getIntPropertyValue(c, UCHAR_SENTENCE_BREAK) != U_SB_CLOSE) return false;
  }
  return false;
}

// The columns that a code point takes by itself.
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

// How good a place the end of a piece is to cut a sentence at.
enum class CutPlace { kWithinCharacter, kWithinWord, kBetweenWords, kAfterClause, kAfterSentence };

constexpr std::string_view kSpaceMark = "▁";

// Returns whether the piece is that of a byte that continues a character.
bool IsContinuationByte(std::string_view piece) {
  const std::optional<char> byte = ByteOfPiece(piece);
  return byte.has_value() && U8_IS_TRAIL(*byte);
}

// The mark that a piece ends in, before any closing quotes and brackets.
struct Mark {
  CutPlace place = CutPlace::kWithinWord;  // …, kAfterClause or kAfterSentence
  bool needs_space = false;  // "." and "," also stand within numbers; "。" and "、" do not
};

// `before` is the mark of the piece before this one, for pieces of closing quotes only.
Mark MarkOf(std::string_view piece, const Mark& before) {
  for (size_t at = piece.size(); at > 0;) {
    at = StartBefore(piece, at);
    const UChar32 c = CodePointAt(piece, at);
    const int32_t kind = u_getIntPropertyValue(c, UCHAR_SENTENCE_BREAK);
    const int8_t type = u_charType(c);
    const bool opens = type == U_START_PUNCTUATION || type == U_INITIAL_PUNCTUATION;
    if (kind == U_SB_CLOSE && !opens) continue;
    const bool needs_space = c < 0x80;
    if (kind == U_SB_ATERM || kind == U_SB_STERM || c == 0x2026) {  // U+2026: …
      return {CutPlace::kAfterSentence, needs_space};
    }
    if (u_hasBinaryProperty(c, UCHAR_TERMINAL_PUNCTUATION) || u_hasBinaryProperty(c, UCHAR_DASH)) {
      return {CutPlace::kAfterClause, needs_space};
    }
    return {};
  }
  return before;
}

// For each piece, how good a place its end is.
std::vector<CutPlace> CutPlaces(absl::Span<const std::string> texts) {
  // SentencePiece marks spaces, subword-nmt their absence. Without either, each piece is a word.
  const bool marked = std::any_of(texts.begin(), texts.end(), [](const std::string& text) {
    return text.starts_with(kSpaceMark);
  });
  std::vector<CutPlace> places;
  places.reserve(texts.size());
  Mark mark;
  for (size_t i = 0; i < texts.size(); ++i) {
    mark = MarkOf(texts[i], mark);
    const std::string_view next = i + 1 < texts.size() ? texts[i + 1] : std::string_view();
    const bool space = marked ? next.starts_with(kSpaceMark) : !texts[i].ends_with("@@");
    CutPlace place = mark.needs_space && !space ? CutPlace::kWithinWord : mark.place;
    if (space) place = std::max(place, CutPlace::kBetweenWords);
    if (IsContinuationByte(next)) place = CutPlace::kWithinCharacter;
    places.push_back(place);
  }
  return places;
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

std::vector<ByteRange> SplitSentences(std::string_view text, std::string_view language) {
  const SentenceRules& rules = SentenceRules::For(language);
  std::vector<ByteRange> sentences;
  bool goes_on = false;    // whether the last sentence does
  bool may_go_on = false;  // whether it does where a small letter follows
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
    return Made(words, error).release();
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
    return Made(characters, error).release();
  }();
  return Segments(rules, text);
}

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

std::vector<size_t> CutLongSentence(absl::Span<const std::string> texts, size_t max_pieces) {
  assert(max_pieces > 0);
  if (texts.empty()) return {};
  if (texts.size() <= max_pieces) return {texts.size()};
  const std::vector<CutPlace> places = CutPlaces(texts);
  std::vector<size_t> ends;
  size_t begin = 0;
  while (texts.size() - begin > max_pieces) {
    size_t best = begin + max_pieces;
    for (size_t end = best - 1; end > begin + max_pieces / 2; --end) {
      if (places[end - 1] > places[best - 1]) best = end;
    }
    ends.push_back(best);
    begin = best;
  }
  ends.push_back(texts.size());
  return ends;
}

}  // namespace limpid::internal

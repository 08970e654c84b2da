#include <cstddef>
#include <map>
#include <string>

#include "tokenizer/code_points.h"
#include "tokenizer/moses.h"
#include "tokenizer/moses_rules.h"

namespace limpid::internal {
namespace {

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

// Decides, token by token from the left, where spaces go.
class Spacing {
 public:
  explicit Spacing(std::string_view language) : language_(language) {}

  // Whether a space goes between `token` and the one before it. `before` and `after` are the
  // neighbours, or empty.
  bool HasSpace(std::string_view before, std::string_view token, std::string_view after);

 private:
  // Whether a token is attached to its neighbours.
  struct Sides {
    bool joins_before = false;
    bool joins_after = false;
    bool stands_apart = false;  // never attached to what is before, whatever that asks for
  };
  Sides SidesOf(std::string_view before, std::string_view token, std::string_view after);
  Sides SidesOfQuote(std::string_view before, std::string_view quote);

  const std::string_view language_;
  std::map<std::string, int, std::less<>> quotes_;  // number of each so far
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

// Every second quotation mark of a kind closes.
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

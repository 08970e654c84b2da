#include "tokenizer/moses.h"

#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::Pair;

json Golden() {
  std::ifstream file("tests/golden/tokenizer/moses.json");
  return json::parse(file);
}

// Each token with its text.
std::vector<std::pair<std::string, std::string>> Tokens(const std::string& text,
                                                        const std::string& language) {
  const RewrittenText rewritten = MosesTokenize(text, language);
  const std::string& tokens = rewritten.text();
  std::vector<std::pair<std::string, std::string>> found;
  for (size_t at = 0; at < tokens.size();) {
    const size_t end = std::min(tokens.find(' ', at), tokens.size());
    found.emplace_back(tokens.substr(at, end - at), rewritten.InOriginal({at, end}).In(text));
    at = end + 1;
  }
  return found;
}

TEST(Moses, TokenizesAsSacremosesDoes) {
  const json golden = Golden()["tokenize"];
  ASSERT_GT(golden.size(), 500U);
  for (const json& each : golden) {
    const std::string language = each[0];
    const std::string text = each[1];
    const std::string tokens = each[2];
    EXPECT_EQ(MosesTokenize(text, language).text(), tokens) << language << ": " << text;
  }
}

TEST(Moses, DetokenizesAsSacremosesDoes) {
  const json golden = Golden()["detokenize"];
  ASSERT_GT(golden.size(), 500U);
  for (const json& each : golden) {
    const std::string language = each[0];
    const std::string tokens = each[1];
    const std::string text = each[2];
    EXPECT_EQ(MosesDetokenize(tokens, language).text(), text) << language << ": " << tokens;
  }
}

TEST(Moses, TokensCoverTheirText) {
  EXPECT_THAT(
      Tokens(" „Ja“,  sagte\u00A0er…", "de"),
      ElementsAre(Pair("&quot;", "„"), Pair("Ja", "Ja"), Pair("&quot;", "“"), Pair(",", ","),
                  Pair("sagte", "sagte"), Pair("er", "er"), Pair("...", "…")));
  EXPECT_THAT(Tokens("I\x01'm (not) here.", "en"),
              ElementsAre(Pair("I", "I"), Pair("&apos;m", "'m"), Pair("(", "("), Pair("not", "not"),
                          Pair(")", ")"), Pair("here", "here"), Pair(".", ".")));
  EXPECT_THAT(Tokens("l'ami & co", "fr"), ElementsAre(Pair("l&apos;", "l'"), Pair("ami", "ami"),
                                                      Pair("&amp;", "&"), Pair("co", "co")));
  // Removed spaces belong to no token.
  EXPECT_THAT(
      Tokens("5 % : 3\u00A0%", "de"),
      ElementsAre(Pair("5", "5"), Pair("%", "%"), Pair(":", ":"), Pair("3", "3"), Pair("%", "%")));
  // Two marks that swap places each cover both.
  EXPECT_THAT(Tokens("\"a\", b", "en"),
              ElementsAre(Pair("&quot;", "\""), Pair("a", "a"), Pair(",", "\","),
                          Pair("&quot;", "\","), Pair("b", "b")));
}

TEST(Moses, FindsTokensInTheText) {
  const std::string tokens = "I &apos;m 5 @-@ year ( s ) .";
  const RewrittenText text = MosesDetokenize(tokens, "en");
  EXPECT_EQ(text.text(), "I'm 5-year (s).");
  const auto found = [&](const std::string& token) {
    const size_t at = tokens.find(token);
    return std::string(text.InText({at, at + token.size()}).In(text.text()));
  };
  EXPECT_EQ(found("I"), "I");
  EXPECT_EQ(found("&apos;m"), "'m");
  EXPECT_EQ(found("@-@"), "-");
  EXPECT_EQ(found("year"), "year");
  EXPECT_EQ(found("("), "(");
  EXPECT_EQ(found("."), ".");
}

// Abbreviations are Unicode's, not those of Moses' lists.
TEST(Moses, AbbreviationsAreUnicodes) {
  EXPECT_EQ(MosesTokenize("Mt. Fuji is OK.", "en").text(), "Mt. Fuji is OK.");
  EXPECT_EQ(MosesTokenize("Er hat einen Bart.", "de").text(), "Er hat einen Bart .");
  EXPECT_EQ(MosesTokenize("Dr. No", "ru").text(), "Dr. No");
}

// All texts of up to five of these characters, which the rules about ends of texts are about.
TEST(Moses, OneSpaceSeparatesTokens) {
  const std::string characters = ".', a1\"-";
  std::vector<std::string> texts = {""};
  for (size_t i = 0; i < texts.size() && texts[i].size() < 5; ++i) {
    for (const char c : characters) texts.push_back(texts[i] + c);
  }
  for (const char* language : {"en", "fr"}) {
    for (const std::string& text : texts) {
      for (const auto& [token, original] : Tokens(text, language)) {
        ASSERT_FALSE(token.empty())
            << "'" << text << "' gives '" << MosesTokenize(text, language).text() << "'";
      }
    }
  }
}

TEST(Moses, AcceptsAnyBytes) {
  EXPECT_EQ(MosesTokenize("", "en").text(), "");
  EXPECT_EQ(MosesTokenize(" \t\x01", "").text(), "");
  EXPECT_EQ(MosesDetokenize("", "en").text(), "");
  EXPECT_EQ(MosesDetokenize("  ", "en").text(), "");
  // A vocabulary may have pieces that are not UTF-8.
  EXPECT_EQ(MosesDetokenize("\xFF \xE4\xB8 '\x80 \x80'", "fr").text(), "\xFF \xE4\xB8 '\x80 \x80'");
}

}  // namespace
}  // namespace limpid::internal

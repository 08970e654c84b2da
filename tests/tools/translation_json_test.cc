#include "tools/translation_json.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

using nlohmann::json;

Translation TwoTokens() {
  Translation translation;
  translation.text = "Ja.";
  translation.score = -0.12345678;
  translation.tokens = {{"▁Ja", 7, -0.1F}, {"</s>", 0, -0.02345678F}};
  return translation;
}

// Other programs rely on the names and their order.
TEST(TranslationJsonTest, IsOneLineOfTextScoreAndTokens) {
  EXPECT_EQ(FormatJson(TwoTokens()), R"({"text":"Ja.","score":-0.123457,"tokens":[)"
                                     R"({"piece":"▁Ja","id":7,"log_probability":-0.1},)"
                                     R"({"piece":"</s>","id":0,"log_probability":-0.023457}]})");
}

TEST(TranslationJsonTest, AnyTextIsOneValidLine) {
  Translation translation = TwoTokens();
  translation.text = "a\n\"b\"\\\t\x01\u2028 \xff";
  const std::string line = FormatJson(translation);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(json::parse(line)["text"], "a\n\"b\"\\\t\x01\u2028 \uFFFD");
}

// JSON has no infinity.
TEST(TranslationJsonTest, WhatCannotBeIsNull) {
  Translation translation = TwoTokens();
  translation.score = -std::numeric_limits<double>::infinity();
  EXPECT_TRUE(json::parse(FormatJson(translation))["score"].is_null());
}

TEST(TranslationJsonTest, SeveralTranslationsAreAList) {
  Translation translation = TwoTokens();
  EXPECT_FALSE(json::parse(FormatJson(translation)).contains("nbest"));
  translation.nbest = {
      {.text = "Ja.", .score = -1, .ranking_score = -0.5, .tokens = {{"▁Ja", 7}}},
      {.text = "Doch.", .score = -2, .ranking_score = -1, .tokens = {}, .alternative_at = 0}};
  const json nbest = json::parse(FormatJson(translation))["nbest"];
  ASSERT_EQ(nbest.size(), 2U);
  EXPECT_EQ(nbest[0]["text"], "Ja.");
  EXPECT_EQ(nbest[0]["score"], -1);
  EXPECT_EQ(nbest[0]["ranking_score"], -0.5);
  EXPECT_EQ(nbest[0]["tokens"][0]["id"], 7);
  EXPECT_FALSE(nbest[0].contains("alternative_at"));
  EXPECT_EQ(nbest[1]["alternative_at"], 0);
}

TEST(TranslationJsonTest, AnAlignmentHasItsUnitsLinksAndShares) {
  LineAlignment line = {
      .level = Level::kWord,
      .source = {"Yes", "."},
      .target = {"Ja", "."},
      .alignment = {.targets = 2, .sources = 2, .weights = {0.9F, 0, 0.1F, 0, 0.25F, 0.75F}}};
  const json alignment = json::parse(FormatJson(TwoTokens(), line))["alignment"];
  EXPECT_EQ(alignment["level"], "word");
  EXPECT_EQ(alignment["source"], json({"Yes", "."}));
  EXPECT_EQ(alignment["target"], json({"Ja", "."}));
  EXPECT_EQ(alignment["links"], json::parse("[[0, 0]]"));  // the second owes most to nothing
  EXPECT_EQ(alignment["shares"], json::parse("[[0.9, 0.0, 0.1], [0.0, 0.25, 0.75]]"));
  line.level = Level::kPiece;
  EXPECT_EQ(json::parse(FormatJson(TwoTokens(), line))["alignment"]["level"], "piece");
}

}  // namespace
}  // namespace limpid::internal

#include "tokenizer/subword_tokenizer.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tokenizer/tokenizers.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SubwordTokenizer, CopiesOfSubwordsJoinTheirWord) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(SubwordModel());
  const std::vector<Tokenizer::Copy> copies = {{}, {"ç&", "ç&amp;@@"}, {}, {"é", "é"}, {}};
  Pieces pieces;
  EXPECT_EQ(tokenizer->DecodeTarget({6, 2, 7, 2, 1}, copies, &pieces), "liç&on é");
  EXPECT_THAT(Covered("liç&on é", pieces), ElementsAre("li", "ç&", "on", "é", ""));
}

TEST(SubwordTokenizer, PiecesCoverTheOriginalText) {
  const auto tokenizer = Make(SubwordModel());
  const std::string text = "the  lion’s…";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.texts, ElementsAre("the", "li@@", "o@@", "n", "&@@", "a@@", "p@@", "o@@",
                                        "s@@", ";@@", "s", ".@@", ".@@", ".", "</s>"));
  EXPECT_THAT(pieces.ids, ElementsAre(2, 3, 4, 5, 6, 1, 1, 4, 1, 1, 7, 1, 1, 9, 0));
  EXPECT_THAT(Covered(text, pieces), ElementsAre("the", "li", "o", "n", "’", "’", "’", "’", "’",
                                                 "’", "s", "…", "…", "…", ""));
  ExpectValidRanges(text, pieces);
}

TEST(SubwordTokenizer, LanguageCodesAreOnePiece) {
  const auto tokenizer = Make(SubwordModel());
  EXPECT_THAT(tokenizer->EncodeSource(">>fr<< the").ids, ElementsAre(10, 2, 0));
  EXPECT_THAT(Covered(">>fr<< the", tokenizer->EncodeSource(">>fr<< the")),
              ElementsAre(">>fr<<", "the", ""));
}

TEST(SubwordTokenizer, EachSideHasTheRulesOfItsLanguage) {
  const auto tokenizer = Make(SubwordModel());
  EXPECT_THAT(tokenizer->EncodeSource("l'a").texts,
              ElementsAre("l", "&@@", "a@@", "p@@", "o@@", "s@@", ";@@", "a", "</s>"));
  EXPECT_THAT(tokenizer->EncodeTarget("l'a").texts,
              ElementsAre("l@@", "&@@", "a@@", "p@@", "o@@", "s@@", ";", "a", "</s>"));
}

TEST(SubwordTokenizer, DecodesToTextForPeople) {
  const auto tokenizer = Make(SubwordModel());
  Pieces pieces;
  const std::vector<int> ids = {9, 3, 4, 5, 0, 6, 2, 7, 10, 11, 8, 9, 1};
  const std::string text = tokenizer->DecodeTarget(ids, &pieces);
  EXPECT_EQ(text, "\"l'ami lion & ?\"");
  EXPECT_EQ(pieces.ids, ids);
  EXPECT_THAT(pieces.texts, ElementsAre("&quot;", "l@@", "&apos;", "ami", "<pad>", "li@@", "<unk>",
                                        "on", "&@@", "amp;", "?", "&quot;", "</s>"));
  EXPECT_THAT(Covered(text, pieces),
              ElementsAre("\"", "l", "'", "ami", "", "li", "", "on", "&", "&", "?", "\"", ""));
  ExpectValidRanges(text, pieces);
  EXPECT_EQ(tokenizer->DecodeTarget(ids, nullptr), text);
}

TEST(SubwordTokenizer, AWordThatIsCutShortHasNoMark) {
  EXPECT_EQ(Make(SubwordModel())->DecodeTarget({5, 6, 1}, nullptr), "ami li");
}

TEST(SubwordTokenizer, AcceptsAnyText) {
  const auto tokenizer = Make(SubwordModel());
  EXPECT_THAT(tokenizer->EncodeSource("").ids, ElementsAre(0));
  EXPECT_THAT(tokenizer->EncodeSource(" \t\x01 ").ids, ElementsAre(0));
  for (const std::string text :
       {"\"a\", b", "\u00A0« x »\u00A0!", "1\u00A0000 …’’ '.'", "中文。 한국어"}) {
    ExpectValidRanges(text, tokenizer->EncodeSource(text));
    ExpectValidRanges(text, tokenizer->EncodeTarget(text));
  }
}

TEST(SubwordTokenizer, RejectsInvalidMerges) {
  TokenizerModel model = SubwordModel();
  model.subword_merges = "#version: 0.2\na\n";
  EXPECT_THAT(Error(model).message(), HasSubstr("line 2 of the merges"));
  model = EngDeuModel();
  model.subword_merges = "a b\n";
  EXPECT_THAT(Error(model).message(), HasSubstr("expected one of the two"));
}

}  // namespace
}  // namespace limpid::internal

#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

json Golden(const std::string& name) {
  return json::parse(ReadFile("tests/golden/tokenizer/" + name + ".json"));
}

// The shipped model: unigram, Unicode normalization, a joint vocabulary.
TokenizerModel EngDeuModel() {
  TokenizerModel model;
  model.source_sentencepiece = ReadFile("models/eng-deu/source.spm");
  model.target_sentencepiece = model.source_sentencepiece;
  model.source_vocabulary =
      json::parse(ReadFile("models/eng-deu/vocabulary.json")).get<std::vector<std::string>>();
  model.target_vocabulary = model.source_vocabulary;
  return model;
}

// Byte fallback, no normalization, a vocabulary per side, ">>deu<<" in the source's.
TokenizerModel SmallModel() {
  const json golden = Golden("small");
  TokenizerModel model;
  model.source_sentencepiece = ReadFile("tests/golden/tokenizer/small.source.spm");
  model.target_sentencepiece = ReadFile("tests/golden/tokenizer/small.target.spm");
  model.source_vocabulary = golden["source_vocabulary"].get<std::vector<std::string>>();
  model.target_vocabulary = golden["target_vocabulary"].get<std::vector<std::string>>();
  return model;
}

TokenizerModel SpaceModel() {
  TokenizerModel model;
  model.source_vocabulary = {"</s>", "<unk>", "a", "bc", "ü"};
  model.target_vocabulary = {"<pad>", "</s>", "x", "<unk>", "yz"};
  model.target_eos_id = 1;
  model.target_unk_id = 3;
  return model;
}

// Moses and subword-nmt, from English to French.
TokenizerModel SubwordModel() {
  TokenizerModel model;
  model.subword_merges = "#version: 0.2\nt h\nth e</w>\nl i\n";
  model.source_language = "en";
  model.target_language = "fr";
  model.source_vocabulary = {"</s>", "<unk>", "the", "li@@", "o@@",   "n",
                             "&@@",  "s",     "...", ".",    ">>fr<<"};
  model.target_vocabulary = {"<pad>", "</s>", "<unk>", "l@@",    "&apos;", "ami",
                             "li@@",  "on",   "?",     "&quot;", "&@@",    "amp;"};
  model.target_eos_id = 1;
  model.target_unk_id = 2;
  return model;
}

std::unique_ptr<Tokenizer> Make(TokenizerModel model) {
  auto tokenizer = Tokenizer::Create(std::move(model));
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

absl::Status Error(TokenizerModel model) { return Tokenizer::Create(std::move(model)).status(); }

std::vector<std::string> Covered(std::string_view text, const Pieces& pieces) {
  std::vector<std::string> covered;
  covered.reserve(pieces.size());
  for (const ByteRange& range : pieces.ranges) covered.emplace_back(range.In(text));
  return covered;
}

// Holds for pieces of any text.
void ExpectValidRanges(std::string_view text, const Pieces& pieces) {
  ASSERT_EQ(pieces.texts.size(), pieces.ids.size());
  ASSERT_EQ(pieces.ranges.size(), pieces.ids.size());
  const auto at_character = [&](size_t at) {
    return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
  };
  ByteRange before;
  for (const ByteRange& range : pieces.ranges) {
    ASSERT_LE(range.begin, range.end) << text;
    ASSERT_LE(range.end, text.size()) << text;
    ASSERT_LE(before.begin, range.begin) << text;
    ASSERT_LE(before.end, range.end) << text;
    ASSERT_TRUE(at_character(range.begin) && at_character(range.end)) << text;
    before = range;
  }
}

// MarianTokenizer reads soft hyphens and the like as characters of their own, and leaves the spaces
// on both sides of <unk>; we do not.
std::string WithoutInvisible(std::string text) {
  for (const std::string character : {"\u200b", "\u00ad", "\ufeff"}) {
    text = absl::StrReplaceAll(text, {{character, ""}});
  }
  return text;
}
std::string WithSingleSpaces(const std::string& text) {
  return absl::StrReplaceAll(text, {{"  ", " "}});
}

class GoldenTest : public testing::TestWithParam<std::string> {
 protected:
  const json golden_ = Golden(GetParam());
  const std::unique_ptr<Tokenizer> tokenizer_ =
      Make(GetParam() == "small" ? SmallModel() : EngDeuModel());
};

TEST_P(GoldenTest, EncodesSourceAsMarianTokenizer) {
  ASSERT_FALSE(golden_["source"].empty());
  for (const json& line : golden_["source"]) {
    const auto text = line["text"].get<std::string>();
    const Pieces pieces = tokenizer_->EncodeSource(text);
    const std::string visible = WithoutInvisible(text);
    const auto ids = visible == text ? line["ids"].get<std::vector<int>>()
                                     : tokenizer_->EncodeSource(visible).ids;
    EXPECT_EQ(pieces.ids, ids) << text;
    ExpectValidRanges(text, pieces);
  }
}

TEST_P(GoldenTest, EncodesTargetAsMarianTokenizer) {
  ASSERT_FALSE(golden_["target"].empty());
  for (const json& line : golden_["target"]) {
    const auto text = line["text"].get<std::string>();
    const Pieces pieces = tokenizer_->EncodeTarget(text);
    const std::string visible = WithoutInvisible(text);
    const auto ids = visible == text ? line["ids"].get<std::vector<int>>()
                                     : tokenizer_->EncodeTarget(visible).ids;
    EXPECT_EQ(pieces.ids, ids) << text;
    ExpectValidRanges(text, pieces);
  }
}

TEST_P(GoldenTest, DecodesTargetAsMarianTokenizer) {
  ASSERT_FALSE(golden_["decoded"].empty());
  for (const json& line : golden_["decoded"]) {
    const auto ids = line["ids"].get<std::vector<int>>();
    Pieces pieces;
    const std::string text = tokenizer_->DecodeTarget(ids, &pieces);
    EXPECT_EQ(WithSingleSpaces(text), WithSingleSpaces(line["text"].get<std::string>()));
    EXPECT_EQ(pieces.ids, ids);
    ExpectValidRanges(text, pieces);
    EXPECT_EQ(tokenizer_->DecodeTarget(ids, nullptr), text);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, testing::Values("eng-deu", "small"),
                         [](const auto& test) {
                           return test.param == "small" ? "Small" : "EngDeu";
                         });

TEST(EncodeSource, GivesPiecesWithTheirTextAndTheBytesTheyCover) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::string_view text = "  I love ice-cream. ";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.texts, ElementsAre("▁I", "▁love", "▁ice", "-", "c", "re", "am", ".", "</s>"));
  EXPECT_THAT(Covered(text, pieces),
              ElementsAre("I", "love", "ice", "-", "c", "re", "am", ".", ""));
  EXPECT_EQ(pieces.ranges[1], (ByteRange{4, 8}));
  EXPECT_EQ(pieces.ranges.back(), (ByteRange{text.size(), text.size()}));
}

TEST(EncodeSource, RangesAreOfTheTextAsItWasBeforeNormalization) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::string_view text = "Ｈｅｌｌｏ \u3000ﬁne \t½ a\u0301";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.texts,
              ElementsAre("▁He", "ll", "o", "▁fine", "▁1", "⁄", "2", "▁", "á", "</s>"));
  // The letters of a ligature each cover all of it.
  EXPECT_THAT(Covered(text, pieces),
              ElementsAre("Ｈｅ", "ｌｌ", "ｏ", "ﬁne", "½", "½", "½", "", "a\u0301", ""));
}

TEST(EncodeSource, PiecesOfSpaceAloneCoverNothing) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::string_view text = "a  日 b";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.texts, ElementsAre("▁a", "▁", "日", "▁b", "</s>"));
  EXPECT_THAT(Covered(text, pieces), ElementsAre("a", "", "日", "b", ""));
  EXPECT_THAT(pieces.ids, ElementsAre(testing::_, testing::_, 1, testing::_, 0));
}

TEST(EncodeSource, CharactersThatAreNotDrawnDoNotBreakAWord) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const Pieces plain = tokenizer->EncodeSource("a beautiful day");
  for (const std::string character : {"\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"}) {
    const std::string word = "beau" + character + "ti" + character + "ful";
    const std::string text = character + "a " + word + " day";
    const Pieces pieces = tokenizer->EncodeSource(text);
    EXPECT_EQ(pieces.ids, plain.ids);
    ExpectValidRanges(text, pieces);
    // Together the pieces of the word cover all of it.
    const size_t begin = text.find("beau");
    EXPECT_EQ(pieces.ranges[1].begin, begin);
    EXPECT_EQ(pieces.ranges[plain.size() - 3].end, begin + word.size());
    EXPECT_EQ(tokenizer->EncodeTarget(text).ids, plain.ids);
  }
}

TEST(EncodeSource, CharactersThatAreNotDrawnStayWhereTheVocabularyHasThem) {
  TokenizerModel model = SpaceModel();
  model.source_vocabulary.emplace_back("a\u200cb");
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  EXPECT_THAT(tokenizer->EncodeSource("a\u200cb \u00ada").ids, ElementsAre(5, 2, 0));
}

TEST(EncodeSource, AnEmojiKeepsWhatBelongsToIt) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::string_view text = "a \u2764\ufe0f b";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(Covered(text, pieces), ElementsAre("a", "", "\u2764\ufe0f", "b", ""));
}

TEST(EncodeSource, BytesOfACharacterEachCoverIt) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(SmallModel());
  const std::string_view text = "a 日 b";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.texts, ElementsAre("▁a", "▁", "<0xE6>", "<0x97>", "<0xA5>", "▁b", "</s>"));
  EXPECT_THAT(Covered(text, pieces), ElementsAre("a", "", "日", "日", "日", "b", ""));
}

TEST(EncodeSource, LanguageTokenIsOnePiece) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(SmallModel());
  const std::string_view text = ">>deu<< Tom";
  const Pieces pieces = tokenizer->EncodeSource(text);
  const Pieces plain = tokenizer->EncodeSource("Tom");
  ASSERT_EQ(pieces.size(), plain.size() + 1);
  EXPECT_EQ(pieces.texts[0], ">>deu<<");
  EXPECT_EQ(pieces.ranges[0], (ByteRange{0, 7}));
  EXPECT_EQ(pieces.ranges[1].begin, 8);
  EXPECT_TRUE(std::equal(plain.ids.begin(), plain.ids.end(), pieces.ids.begin() + 1));
}

TEST(EncodeSource, UnknownLanguageTokenIsText) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const Pieces pieces = tokenizer->EncodeSource(">>deu<< Tom");
  EXPECT_NE(pieces.texts[0], ">>deu<<");
  EXPECT_GT(pieces.size(), 4);
}

TEST(EncodeSource, SpecialTokensInTheTextAreText) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const Pieces pieces = tokenizer->EncodeSource("a </s> b <pad>");
  EXPECT_EQ(std::count(pieces.ids.begin(), pieces.ids.end(), 0), 1);
  EXPECT_EQ(std::count(pieces.texts.begin(), pieces.texts.end(), "<pad>"), 0);
}

// Text that is spelled like a special token, with any vocabulary.
TEST(EncodeSource, TextNeverBecomesASpecialToken) {
  TokenizerModel model = SpaceModel();
  model.source_vocabulary = {"</s>", "<unk>", "a", "", ">>xx<<", "<s>"};
  model.source_bos_id = 5;
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  EXPECT_THAT(tokenizer->EncodeSource("a </s> <s> <unk> >>xx<<").ids,
              ElementsAre(5, 2, 1, 1, 1, 1, 0));
  EXPECT_THAT(tokenizer->EncodeSource(">>abc").ids, ElementsAre(5, 1, 0));
  EXPECT_THAT(tokenizer->EncodeSource(">><< a").ids, ElementsAre(5, 1, 2, 0));
  EXPECT_THAT(tokenizer->EncodeSource(">>xx<< a").ids, ElementsAre(5, 4, 2, 0));
  EXPECT_EQ(tokenizer->LanguageCodeSize(">>xx<< a"), 6);
  EXPECT_EQ(tokenizer->LanguageCodeSize(">>yy<< a"), 0);
  EXPECT_EQ(SpelledLanguageCodeSize(">>yy<< a"), 6);
  EXPECT_EQ(SpelledLanguageCodeSize(">> not <<"), 0);
}

TEST(EncodeSource, NulAndControlCharacters) {
  for (const std::unique_ptr<Tokenizer>& tokenizer : {Make(EngDeuModel()), Make(SmallModel())}) {
    std::string text;
    for (char c = 0; c < 0x20; ++c) text += std::string(1, c) + "a" + std::string(2, c);
    const Pieces pieces = tokenizer->EncodeSource(text);
    ExpectValidRanges(text, pieces);
    EXPECT_GT(pieces.size(), 0x20);
    ExpectValidRanges("\x01\x02", tokenizer->EncodeSource("\x01\x02"));
  }
}

TEST(EncodeSource, LongText) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "word 日";
  const Pieces pieces = tokenizer->EncodeSource(text);
  ExpectValidRanges(text, pieces);
  EXPECT_GT(pieces.size(), 20000);
}

TEST(EncodeSource, ThreadsDoNotDisturbEachOther) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::vector<std::string> texts = {"I love you.", "Donaudampfschiff", "日本 😀", ""};
  std::vector<std::vector<int>> expected;
  expected.reserve(texts.size());
  for (const std::string& text : texts) expected.push_back(tokenizer->EncodeSource(text).ids);
  std::vector<int> wrong(8);
  std::vector<std::thread> threads;
  threads.reserve(wrong.size());
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < 400; ++i) {
        const size_t which = i % texts.size();
        if (tokenizer->EncodeSource(texts[which]).ids != expected[which]) ++count;
        if (tokenizer->DecodeTarget(expected[0], nullptr) != texts[0]) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(DecodeTarget, GivesTheRangeOfEachPiece) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::vector<int> ids = tokenizer->EncodeTarget("Wir liebe  dich, Tom.").ids;
  Pieces pieces;
  const std::string text = tokenizer->DecodeTarget(ids, &pieces);
  EXPECT_EQ(text, "Wir liebe dich, Tom.");
  EXPECT_THAT(pieces.texts, ElementsAre("▁Wir", "▁liebe", "▁dich", ",", "▁Tom", ".", "</s>"));
  EXPECT_THAT(Covered(text, pieces), ElementsAre("Wir", "liebe", "dich", ",", "Tom", ".", ""));
  EXPECT_EQ(pieces.ranges[1], (ByteRange{4, 9}));
}

TEST(DecodeTarget, SpecialTokensHaveNoText) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::vector<int> word = tokenizer->EncodeTarget("Tom ja").ids;
  const int pad = 8000;
  ASSERT_EQ(word.size(), 3);
  Pieces pieces;
  const std::string text = tokenizer->DecodeTarget({pad, word[0], 1, word[1], 0, 0}, &pieces);
  EXPECT_EQ(text, "Tom ja");
  EXPECT_THAT(pieces.texts, ElementsAre("<pad>", "▁Tom", "<unk>", "▁ja", "</s>", "</s>"));
  EXPECT_THAT(pieces.ranges, ElementsAre(ByteRange{0, 0}, ByteRange{0, 3}, ByteRange{3, 3},
                                         ByteRange{4, 6}, ByteRange{6, 6}, ByteRange{6, 6}));
  EXPECT_EQ(tokenizer->DecodeTarget({0}, &pieces), "");
  EXPECT_EQ(tokenizer->DecodeTarget({}, &pieces), "");
  EXPECT_EQ(pieces.size(), 0);
}

TEST(DecodeTarget, PiecesThatSentencePieceDoesNotKnow) {
  TokenizerModel model = EngDeuModel();
  const auto id = static_cast<int>(model.target_vocabulary.size());
  model.target_vocabulary.emplace_back("▁qq▁qq");
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  Pieces pieces;
  const std::string text = tokenizer->DecodeTarget({id, id}, &pieces);
  EXPECT_EQ(text, "qq qq qq qq");
  EXPECT_THAT(pieces.ranges, ElementsAre(ByteRange{0, 5}, ByteRange{6, 11}));
}

TEST(DecodeTarget, BytesBecomeCharacters) {
  TokenizerModel model = SmallModel();
  const auto id = [&](const std::string& piece) {
    const auto& pieces = model.target_vocabulary;
    return static_cast<int>(std::find(pieces.begin(), pieces.end(), piece) - pieces.begin());
  };
  const std::vector<int> ids = {id("▁"),      id("<0xE6>"), id("<0x97>"),
                                id("<0xA5>"), id("<0x97>"), id("a")};
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  Pieces pieces;
  const std::string text = tokenizer->DecodeTarget(ids, &pieces);
  EXPECT_EQ(text, "日\uFFFDa");
  EXPECT_THAT(Covered(text, pieces), ElementsAre("", "日", "日", "日", "\uFFFD", "a"));
}

TEST(DecodeTarget, TokensWithoutTextLeaveOneSpace) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::vector<int> ids = tokenizer->EncodeTarget("Ich liebe 😀 dich").ids;
  Pieces pieces;
  EXPECT_EQ(tokenizer->DecodeTarget(ids, &pieces), "Ich liebe dich");
  ExpectValidRanges("Ich liebe dich", pieces);
}

TEST(DecodeTarget, CopiesReplaceTheirTokens) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  for (const std::string text : {"Ich mag François.", "😀 Ich", "Ich 😀", "Ich 😀 mag", "20°C"}) {
    const Pieces encoded = tokenizer->EncodeTarget(text);
    std::vector<Tokenizer::Copy> copies(encoded.size());
    for (size_t i = 0; i < encoded.size(); ++i) {
      if (encoded.ids[i] != 1) continue;
      copies[i] = {std::string(encoded.ranges[i].In(text)), encoded.texts[i]};
    }
    Pieces pieces;
    EXPECT_EQ(tokenizer->DecodeTarget(encoded.ids, copies, &pieces), text);
    EXPECT_EQ(Covered(text, pieces), Covered(text, encoded));
  }
}

TEST(DecodeTarget, CopiesOfSubwordsJoinTheirWord) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(SubwordModel());
  const std::vector<Tokenizer::Copy> copies = {{}, {"ç&", "ç&amp;@@"}, {}, {"é", "é"}, {}};
  Pieces pieces;
  EXPECT_EQ(tokenizer->DecodeTarget({6, 2, 7, 2, 1}, copies, &pieces), "liç&on é");
  EXPECT_THAT(Covered("liç&on é", pieces), ElementsAre("li", "ç&", "on", "é", ""));
}

TEST(TargetSpelling, IsWhatATokenAddsToTheText) {
  TokenizerModel model = SmallModel();
  const auto id = [&](const std::string& piece) {
    const auto& pieces = model.target_vocabulary;
    return static_cast<int>(std::find(pieces.begin(), pieces.end(), piece) - pieces.begin());
  };
  const std::vector<int> ids = {id("▁"), id("<0xE6>"), id("</s>"), id("a")};
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  std::vector<std::string> spellings;
  for (const int each : ids) spellings.push_back(tokenizer->TargetSpelling(each));
  EXPECT_THAT(spellings, ElementsAre(" ", "\xE6", "", "a"));
  EXPECT_EQ(tokenizer->Spelling("▁ein  Wort"), " ein Wort");
  // Moses moves spaces, so they do not count.
  const std::unique_ptr<Tokenizer> subwords = Make(SubwordModel());
  EXPECT_EQ(subwords->TargetSpelling(3), "l");
  EXPECT_EQ(subwords->TargetSpelling(4), "'");
  EXPECT_EQ(subwords->Spelling("l' ami"), "l'ami");
}

TEST(SourceHasLetters, LooksAtTextOnly) {
  EXPECT_TRUE(Make(SpaceModel())->SourceHasLetters());
  TokenizerModel toy = SpaceModel();
  toy.source_vocabulary = {"</s>", "<unk>", "1", "+", "[PAD]", ">>xx<<"};
  EXPECT_FALSE(Make(std::move(toy))->SourceHasLetters());
}

TEST(SpaceSeparated, PiecesAreWhatSpacesSeparate) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(SpaceModel());
  const Pieces pieces = tokenizer->EncodeSource(" a \tbc  \u00fc q ");
  EXPECT_THAT(pieces.ids, ElementsAre(2, 3, 4, 1, 0));
  EXPECT_THAT(pieces.texts, ElementsAre("a", "bc", "\u00fc", "q", "</s>"));
  EXPECT_THAT(pieces.ranges, ElementsAre(ByteRange{1, 2}, ByteRange{4, 6}, ByteRange{8, 10},
                                         ByteRange{11, 12}, ByteRange{13, 13}));
  EXPECT_THAT(tokenizer->EncodeSource("").ids, ElementsAre(0));
  EXPECT_THAT(tokenizer->EncodeSource(" \t ").ids, ElementsAre(0));
  EXPECT_THAT(tokenizer->EncodeTarget("yz x a").ids, ElementsAre(4, 2, 3, 1));
}

TEST(SpaceSeparated, ASourceMayEndWithoutEndOfSentence) {
  TokenizerModel model = SpaceModel();
  model.source_eos_id = -1;
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  EXPECT_THAT(tokenizer->EncodeSource("a bc").ids, ElementsAre(2, 3));
  EXPECT_THAT(tokenizer->EncodeSource("").ids, testing::IsEmpty());
  EXPECT_THAT(tokenizer->EncodeTarget("x").ids, ElementsAre(2, 1));
}

TEST(SpaceSeparated, ASourceMayBeginWithBeginningOfSentence) {
  TokenizerModel model = SpaceModel();
  model.source_bos_id = 4;
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  EXPECT_THAT(tokenizer->EncodeSource(" a bc").ids, ElementsAre(4, 2, 3, 0));
  EXPECT_THAT(tokenizer->EncodeSource(" a bc").ranges[0], (ByteRange{0, 0}));
  EXPECT_THAT(tokenizer->EncodeSource("").ids, ElementsAre(4, 0));
  EXPECT_THAT(tokenizer->EncodeTarget("x").ids, ElementsAre(2, 1));
}

TEST(SpaceSeparated, SpacesJoinPieces) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(SpaceModel());
  Pieces pieces;
  EXPECT_EQ(tokenizer->DecodeTarget({0, 2, 3, 4, 1}, &pieces), "x yz");
  EXPECT_THAT(pieces.texts, ElementsAre("<pad>", "x", "<unk>", "yz", "</s>"));
  EXPECT_THAT(pieces.ranges, ElementsAre(ByteRange{0, 0}, ByteRange{0, 1}, ByteRange{1, 1},
                                         ByteRange{2, 4}, ByteRange{4, 4}));
  EXPECT_EQ(tokenizer->DecodeTarget({1}, nullptr), "");
}

TEST(Create, RejectsInvalidVocabularies) {
  TokenizerModel model = SpaceModel();
  model.source_vocabulary.clear();
  EXPECT_EQ(Error(model).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Error(model).message()), HasSubstr("source vocabulary is empty"));

  model = SpaceModel();
  model.target_vocabulary.emplace_back("x");
  EXPECT_EQ(Error(model).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Error(model).message()),
              testing::AllOf(HasSubstr("target vocabulary"), HasSubstr("\"x\" twice"),
                             HasSubstr("ids 2 and 5")));
}

TEST(Create, RefusesIdsOutsideTheVocabulary) {
  TokenizerModel model = SpaceModel();
  model.target_eos_id = 5;
  EXPECT_EQ(Error(model).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Error(model).message()),
              testing::AllOf(HasSubstr("</s>"), HasSubstr("target"), HasSubstr("is 5"),
                             HasSubstr("0 to 4")));
  model = SpaceModel();
  model.target_eos_id = -1;
  EXPECT_THAT(std::string(Error(model).message()), HasSubstr("expected 0 to 4"));
  model = SpaceModel();
  model.source_unk_id = -1;
  EXPECT_EQ(Error(model).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Error(model).message()), HasSubstr("<unk>"));
}

TEST(Create, WantsSentencePieceOnBothSidesOrNone) {
  TokenizerModel model = SmallModel();
  model.target_sentencepiece.clear();
  EXPECT_EQ(Error(model).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Error(model).message()), HasSubstr("target"));
}

TEST(Create, NamesTheSideWhoseSentencePieceModelIsBad) {
  TokenizerModel model = SmallModel();
  model.target_sentencepiece = "not a model";
  EXPECT_EQ(Error(model).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Error(model).message()), HasSubstr("target SentencePiece model"));
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

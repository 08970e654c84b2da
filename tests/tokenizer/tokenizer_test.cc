#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <cstddef>
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
#include "tests/tokenizer/tokenizers.h"

namespace limpid::internal {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

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

TokenizerModel ModelOf(const std::string& name) {
  return name == "small" ? SmallModel() : name == "nfkc" ? NfkcModel() : EngDeuModel();
}

class GoldenTest : public testing::TestWithParam<std::string> {
 protected:
  const json golden_ = Golden(GetParam());
  const std::unique_ptr<Tokenizer> tokenizer_ = Make(ModelOf(GetParam()));
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

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, testing::Values("eng-deu", "nfkc", "small"),
                         [](const auto& test) {
                           return absl::StrReplaceAll(test.param, {{"-", "_"}});
                         });

TEST(EncodeSource, GivesPiecesWithTheirTextAndTheBytesTheyCover) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
  const std::string_view text = "  I love ice-cream. ";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.texts, ElementsAre("▁I", "▁love", "▁ice", "-", "c", "re", "am", ".", "</s>"));
  EXPECT_THAT(Covered(text, pieces),
              ElementsAre("I", "love", "ice", "-", "c", "re", "am", ".", ""));
  EXPECT_EQ(pieces.ranges[1], (ByteRange{4, 8}));
  EXPECT_EQ(pieces.ranges.back(), (ByteRange{text.size(), text.size()}));
}

TEST(EncodeSource, RangesAreOfTheTextAsItWasBeforeNormalization) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
  const std::string_view text = "Ｈｅｌｌｏ \u3000ﬁne \t½ a\u0301";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.texts,
              ElementsAre("▁He", "ll", "o", "▁fine", "▁1", "⁄", "2", "▁", "á", "</s>"));
  // The letters of a ligature each cover all of it.
  EXPECT_THAT(Covered(text, pieces),
              ElementsAre("Ｈｅ", "ｌｌ", "ｏ", "ﬁne", "½", "½", "½", "", "a\u0301", ""));
}

TEST(EncodeSource, PiecesOfSpaceAloneCoverNothing) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
  const std::string_view text = "a  日 b";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.texts, ElementsAre("▁a", "▁", "日", "▁b", "</s>"));
  EXPECT_THAT(Covered(text, pieces), ElementsAre("a", "", "日", "b", ""));
  EXPECT_THAT(pieces.ids, ElementsAre(testing::_, testing::_, 1, testing::_, 0));
}

TEST(EncodeSource, CharactersThatAreNotDrawnDoNotBreakAWord) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
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
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
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

// Digits are pieces of their own, so that a number is copied digit by digit.
TEST(EncodeSource, TheShippedModelSpellsAnyText) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(EngDeuModel());
  const std::string_view text = "It costs 1250 €, 田中 😀";
  const Pieces pieces = tokenizer->EncodeSource(text);
  EXPECT_THAT(pieces.ids, testing::Not(testing::Contains(1)));
  for (const char* digit : {"1", "2", "5", "0"}) {
    EXPECT_THAT(Covered(text, pieces), testing::Contains(digit));
  }
  ExpectValidRanges(text, pieces);
  EXPECT_EQ(tokenizer->DecodeTarget(tokenizer->EncodeTarget(text).ids, nullptr), text);
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
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
  const Pieces pieces = tokenizer->EncodeSource(">>deu<< Tom");
  EXPECT_NE(pieces.texts[0], ">>deu<<");
  EXPECT_GT(pieces.size(), 4);
}

TEST(EncodeSource, SpecialTokensInTheTextAreText) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
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
  for (const std::unique_ptr<Tokenizer>& tokenizer :
       {Make(EngDeuModel()), Make(NfkcModel()), Make(SmallModel())}) {
    std::string text;
    for (char c = 0; c < 0x20; ++c) text += std::string(1, c) + "a" + std::string(2, c);
    const Pieces pieces = tokenizer->EncodeSource(text);
    ExpectValidRanges(text, pieces);
    EXPECT_GT(pieces.size(), 0x20);
    ExpectValidRanges("\x01\x02", tokenizer->EncodeSource("\x01\x02"));
  }
}

TEST(EncodeSource, LongText) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "word 日";
  const Pieces pieces = tokenizer->EncodeSource(text);
  ExpectValidRanges(text, pieces);
  EXPECT_GT(pieces.size(), 20000);
}

TEST(EncodeSource, ThreadsDoNotDisturbEachOther) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
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
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
  const std::vector<int> ids = tokenizer->EncodeTarget("Wir liebe  dich, Tom.").ids;
  Pieces pieces;
  const std::string text = tokenizer->DecodeTarget(ids, &pieces);
  EXPECT_EQ(text, "Wir liebe dich, Tom.");
  EXPECT_THAT(pieces.texts, ElementsAre("▁Wir", "▁liebe", "▁dich", ",", "▁Tom", ".", "</s>"));
  EXPECT_THAT(Covered(text, pieces), ElementsAre("Wir", "liebe", "dich", ",", "Tom", ".", ""));
  EXPECT_EQ(pieces.ranges[1], (ByteRange{4, 9}));
}

TEST(DecodeTarget, SpecialTokensHaveNoText) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
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
  TokenizerModel model = NfkcModel();
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
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
  const std::vector<int> ids = tokenizer->EncodeTarget("Ich liebe 😀 dich").ids;
  Pieces pieces;
  EXPECT_EQ(tokenizer->DecodeTarget(ids, &pieces), "Ich liebe dich");
  ExpectValidRanges("Ich liebe dich", pieces);
}

TEST(DecodeTarget, CopiesReplaceTheirTokens) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(NfkcModel());
  for (const std::string text : {"Ich mag François.", "😀 Ich", "Ich 😀", "Ich 😀 mag", "20°C"}) {
    const Pieces encoded = tokenizer->EncodeTarget(text);
    ASSERT_THAT(encoded.ids, testing::Contains(1)) << text;
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

}  // namespace
}  // namespace limpid::internal

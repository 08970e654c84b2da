#include "engine/text/document.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "engine/text/assemble.h"
#include "engine/text/prepare.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Text split into pieces by spaces, for a model of at most eight source tokens.
class DocumentTest : public testing::Test {
 protected:
  DocumentTest() {
    TokenizerModel model;
    model.source_vocabulary = {"</s>", "<unk>", ">>xx<<", "a", "b", "."};
    model.target_vocabulary = {"</s>", "<unk>", "x", "y", "。"};
    tokenizer_ = *Tokenizer::Create(std::move(model));
    config_.max_positions = config_.max_source_tokens = 8;
    config_.decoder_start_id = -1;
  }

  Document PrepareText(std::string_view text, const TranslateOptions& options = {}) const {
    return Prepare(text, options, config_, *tokenizer_);
  }
  Translation AssembleDocument(const Document& document) const {
    return Assemble(document, {}, config_, *tokenizer_);
  }

  static std::vector<std::string> Texts(const Document& document) {
    std::vector<std::string> texts;
    for (const Segment& segment : document.segments) {
      texts.emplace_back(segment.text.In(document.text));
    }
    return texts;
  }

  // The document with these output ids for its segments.
  static Document WithOutputs(Document document, const std::vector<std::vector<int>>& ids) {
    for (size_t i = 0; i < ids.size(); ++i) {
      document.segments.at(i).hypothesis = {
          .ids = ids[i], .log_probabilities = std::vector<float>(ids[i].size()), .finished = true};
    }
    return document;
  }

  std::unique_ptr<Tokenizer> tokenizer_;
  ModelConfig config_;
};

TEST_F(DocumentTest, SegmentsAreRangesOfTheWholeText) {
  const std::string text = " \ta b .\n\n b a .  ";
  const Document document = PrepareText(text);
  EXPECT_THAT(Texts(document), ElementsAre("a b .", "b a ."));
  EXPECT_EQ(document.text, text);
  EXPECT_EQ(document.segments[1].text, (ByteRange{10, 15}));
}

TEST_F(DocumentTest, EachSegmentEndsWithEndOfSentence) {
  for (const Segment& segment : PrepareText("a .\nb .").segments) {
    EXPECT_EQ(segment.source.texts.back(), "</s>");
    EXPECT_THAT(segment.source.ids, SizeIs(3));
  }
}

// Models like OpenNMT-py's, whose sources have no </s>, have room for one more token.
TEST_F(DocumentTest, WithoutEndOfSentenceASegmentIsItsTextAlone) {
  TokenizerModel model;
  model.source_vocabulary = {"</s>", "<unk>", "a"};
  model.target_vocabulary = {"</s>", "<unk>", "x"};
  model.source_eos_id = config_.source_eos_id = -1;
  tokenizer_ = *Tokenizer::Create(std::move(model));
  const Document whole = PrepareText("a a a a a a a a");
  EXPECT_EQ(whole.cut_sentences, 0);
  EXPECT_THAT(whole.segments.at(0).source.texts, SizeIs(8));
  EXPECT_EQ(whole.segments.at(0).source.texts.back(), "a");
  EXPECT_EQ(PrepareText("a a a a a a a a a").cut_sentences, 1);
  EXPECT_THAT(PrepareText(" ").segments, IsEmpty());
}

// In this order: <s>, the language code, the text.
TEST_F(DocumentTest, EachSegmentBeginsWithBeginningOfSentence) {
  TokenizerModel model;
  model.source_vocabulary = {"</s>", "<unk>", ">>xx<<", "a", "b", "<s>"};
  model.target_vocabulary = {"</s>", "<unk>", "x"};
  model.source_bos_id = config_.source_bos_id = 5;
  tokenizer_ = *Tokenizer::Create(std::move(model));
  const Document document = PrepareText("a a a b b b a a\nb");
  ASSERT_THAT(document.segments, SizeIs(3));
  EXPECT_EQ(document.cut_sentences, 1);
  EXPECT_THAT(document.segments[0].source.texts,
              ElementsAre("<s>", "a", "a", "a", "b", "b", "b", "</s>"));
  EXPECT_THAT(document.segments[1].source.ids, ElementsAre(5, 3, 3, 0));
  EXPECT_THAT(document.segments[2].source.ids, ElementsAre(5, 4, 0));
  const Document coded = PrepareText(">>xx<< a\nb");
  EXPECT_THAT(coded.segments.at(1).source.ids, ElementsAre(5, 2, 4, 0));
}

TEST_F(DocumentTest, ALongSentenceIsCutIntoPartsThatLoseNothing) {
  std::string text = "a";
  for (int i = 0; i < 30; ++i) text += i % 3 == 0 ? "  b" : " a";
  const Document document = PrepareText(text);
  EXPECT_EQ(document.cut_sentences, 1);
  std::string whole;
  for (const Segment& segment : document.segments) {
    EXPECT_LE(segment.source.size(), 8U);
    // Ranges count from the beginning of the whole text.
    for (size_t i = 0; i + 1 < segment.source.size(); ++i) {
      EXPECT_EQ(segment.source.ranges[i].In(text), segment.source.texts[i]);
      if (!whole.empty()) whole += ' ';
      whole += segment.source.texts[i];
    }
  }
  EXPECT_EQ(whole, absl::StrReplaceAll(text, {{"  ", " "}}));
  EXPECT_EQ(PrepareText("a b a b").cut_sentences, 0);
}

TEST_F(DocumentTest, ALanguageCodeAppliesToTheWholeText) {
  const Document document = PrepareText(">>xx<< a a a a a a a a a\nb b");
  ASSERT_GT(document.segments.size(), 2U);
  for (const Segment& segment : document.segments) {
    EXPECT_EQ(segment.source.texts.front(), ">>xx<<");
    EXPECT_EQ(segment.source.ids.front(), 2);
    EXPECT_LE(segment.source.size(), 8U);
  }
}

TEST_F(DocumentTest, ASentenceMayHaveALanguageCodeOfItsOwn) {
  const Document document = PrepareText(">>xx<< a\n>>xx<< b");
  EXPECT_THAT(document.segments.at(1).source.texts, ElementsAre(">>xx<<", "b", "</s>"));
}

TEST_F(DocumentTest, TextOfWhiteSpaceOnlyHasNoSegments) {
  const Document document = PrepareText(" \t ");
  EXPECT_THAT(document.segments, IsEmpty());
  EXPECT_EQ(AssembleDocument(document).text, " \t ");
}

TEST_F(DocumentTest, TextWithoutKnownLettersIsCopied) {
  const std::string text = "c d .\n a c\nc ";
  const Document document = PrepareText(text);
  EXPECT_THAT(Texts(document), ElementsAre("a c"));
  const Translation translation = AssembleDocument(WithOutputs(document, {{2, 0}}));
  EXPECT_EQ(translation.text, "c d .\n x\nc ");
  EXPECT_EQ(translation.source, text);
  ASSERT_THAT(translation.copies, SizeIs(2));
  EXPECT_EQ(translation.copies[1].source, 11U);
  EXPECT_EQ(translation.copies[1].target, 9U);
  EXPECT_EQ(translation.copies[1].size, 1U);
  EXPECT_EQ(AssembleDocument(PrepareText("c d .\n c")).text, "c d .\n c");
}

TEST_F(DocumentTest, PunctuationAndNumbersAloneAreCopied) {
  for (const std::string text : {".", ". .", "3.14", "---", "192.168.0.1", " ? "}) {
    EXPECT_THAT(PrepareText(text).segments, IsEmpty()) << text;
    EXPECT_EQ(AssembleDocument(PrepareText(text)).text, text);
  }
}

// A toy model of arithmetic has no letters at all.
TEST_F(DocumentTest, AVocabularyWithoutLettersTranslatesPunctuationAndNumbers) {
  TokenizerModel model;
  model.source_vocabulary = {"</s>", "<unk>", "1", "2", "+"};
  model.target_vocabulary = {"</s>", "<unk>", "3"};
  tokenizer_ = *Tokenizer::Create(std::move(model));
  EXPECT_THAT(Texts(PrepareText("1 + 2\n1 + 3")), ElementsAre("1 + 2"));
}

// With byte fallback no character is unknown, but letters spelled in bytes count as unknown.
TEST_F(DocumentTest, LettersSpelledInBytesAreUnknown) {
  TokenizerModel model;
  model.source_vocabulary = {"</s>", "<unk>", "a", "<0xE4>", "<0xBD>"};
  model.target_vocabulary = {"</s>", "<unk>", "x"};
  tokenizer_ = *Tokenizer::Create(std::move(model));
  EXPECT_THAT(Texts(PrepareText("a <0xE4>")), ElementsAre("a <0xE4>"));
  EXPECT_THAT(PrepareText("<0xE4> <0xBD>").segments, IsEmpty());
}

TEST_F(DocumentTest, ALanguageCodeIsNotPartOfTheTranslation) {
  EXPECT_EQ(AssembleDocument(PrepareText(" >>xx<< 3.14 ")).text, " 3.14 ");
  EXPECT_EQ(AssembleDocument(WithOutputs(PrepareText(">>xx<< a"), {{2, 0}})).text, "x");
  EXPECT_FALSE(PrepareText(">>xx<< a").unknown_language_code);
  EXPECT_TRUE(PrepareText(" >>yy<< a").unknown_language_code);
  EXPECT_FALSE(PrepareText("a >>yy<< >> a").unknown_language_code);
}

TEST_F(DocumentTest, TracesHaveThePositionsOfTheirSentences) {
  config_.source_eos_id = 0;
  TranslateOptions options;
  options.trace = TraceRequest{};
  const std::string text = " a b .\n c\n b a ";
  const Document document = WithOutputs(PrepareText(text, options), {{2, 0}, {3, 2, 0}});
  const Translation translation = Assemble(document, options, config_, *tokenizer_);
  EXPECT_EQ(translation.text, " x\n c\n y x ");
  ASSERT_THAT(translation.traces, SizeIs(2));
  for (const SentenceTrace& trace : translation.traces) {
    EXPECT_EQ(translation.source.substr(trace.source.begin, trace.source.text.size()),
              trace.source.text);
    EXPECT_EQ(translation.text.substr(trace.target.begin, trace.target.text.size()),
              trace.target.text);
    for (const TracedSide* side : {&trace.source, &trace.target}) {
      for (const TracedToken& token : side->tokens) {
        if (!token.is_text) continue;
        EXPECT_EQ(side->text.substr(token.begin, token.end - token.begin), token.piece);
      }
    }
  }
}

TEST_F(DocumentTest, InvalidUtf8IsReplacedAndReported) {
  const Document document = PrepareText("a \xff");
  EXPECT_TRUE(document.replaced_invalid_utf8);
  EXPECT_THAT(Texts(document), ElementsAre("a \ufffd"));
}

TEST_F(DocumentTest, AssemblesTranslationsWithTheSpacingOfTheSource) {
  Document document = PrepareText("  a .\n\nb .\t");
  document.segments[0].hypothesis = {
      .ids = {2, 0}, .log_probabilities = {-0.5F, -0.25F}, .finished = true};
  document.segments[1].hypothesis = {
      .ids = {3, 3, 0}, .log_probabilities = {-1, -1, -1}, .finished = true};
  const Translation translation = AssembleDocument(document);
  EXPECT_EQ(translation.text, "  x\n\ny y\t");
  EXPECT_FLOAT_EQ(translation.score, -3.75);
  ASSERT_THAT(translation.tokens, SizeIs(5));
  EXPECT_EQ(translation.tokens[1].piece, "</s>");
  EXPECT_EQ(translation.unfinished_sentences, 0);
  EXPECT_EQ(translation.sentences, 2);
}

TEST_F(DocumentTest, SentencesThatTouchGetASpaceOnlyAfterText) {
  Document document;
  document.text = "abc";
  document.segments.resize(3);
  for (size_t i = 0; i < 3; ++i) document.segments[i].text = {i, i + 1};
  // The first ends with "。".
  EXPECT_EQ(AssembleDocument(WithOutputs(document, {{2, 4, 0}, {2, 0}, {3, 0}})).text, "x 。x y");
}

TEST_F(DocumentTest, CountsTranslationsThatWereCutOff) {
  Document document = PrepareText("a\nb");
  document.segments[0].hypothesis = {{2, 3}, {0, 0}};
  document.segments[1].hypothesis = {.ids = {2, 0}, .log_probabilities = {0, 0}, .finished = true};
  EXPECT_EQ(AssembleDocument(document).unfinished_sentences, 1);
}

}  // namespace
}  // namespace limpid::internal

#include "engine/alignment.h"

#include <string>
#include <vector>

#include "engine/translator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

TracedSide Side(const std::vector<int>& words_of_tokens, int words) {
  TracedSide side;
  for (const int word : words_of_tokens) side.tokens.push_back({"p", 1, word});
  side.words.resize(words);
  return side;
}

// Source: word 0 of two pieces, word 1, </s>. Target: word 0, word 1 of two pieces, </s>. One layer
// of two heads.
SentenceTrace SmallTrace() {
  SentenceTrace trace;
  trace.source = Side({0, 0, 1, -1}, 2);
  trace.target = Side({0, 1, 1, -1}, 2);
  trace.decoder_layers = 1;
  AttentionTrace& cross = trace.attentions.emplace_back();
  cross.site = {AttentionKind::kCross, 0};
  cross.heads = {0, 1};
  cross.queries = 4;
  cross.keys = 4;
  cross.weights = {
      0.5F, 0.25F, 0.25F, 0,     // head 0: predicts target token 0
      0,    0,     1,     0,     //         predicts token 1
      0,    0,     0.5F,  0.5F,  //         predicts token 2
      0,    0,     0,     1,     //         predicts </s>
      0,    0,     0,     1,     // head 1
      0,    0,     0,     1,     //
      0,    0,     0,     1,     //
      1,    0,     0,     0,     //
  };
  return trace;
}

TEST(AlignmentTest, SumsOverSourcePiecesAndTakesTheMeanOverTargetPieces) {
  const absl::StatusOr<Alignment> alignment = AlignWords(SmallTrace(), {.layer = 0, .heads = {0}});
  ASSERT_TRUE(alignment.ok()) << alignment.status();
  EXPECT_THAT(alignment->weights, ElementsAre(0.75F, 0.25F, 0,    // word 0
                                              0, 0.75F, 0.25F));  // word 1: of 1 and 0.5
}

TEST(AlignmentTest, TheInputRowIsOneStepLater) {
  const absl::StatusOr<Alignment> alignment =
      AlignWords(SmallTrace(), {.layer = 0, .heads = {0}, .row = AlignmentRow::kInput});
  ASSERT_TRUE(alignment.ok()) << alignment.status();
  EXPECT_THAT(alignment->weights, ElementsAre(0, 1, 0,            // the row that predicts token 1
                                              0, 0.25F, 0.75F));  // those of token 2 and </s>
}

TEST(AlignmentTest, TakesTheMeanOfHeads) {
  const absl::StatusOr<Alignment> alignment = AlignWords(SmallTrace(), {.layer = 0});
  ASSERT_TRUE(alignment.ok()) << alignment.status();
  EXPECT_THAT(alignment->weights, ElementsAre(0.375F, 0.125F, 0.5F, 0, 0.375F, FloatEq(0.625F)));
}

TEST(AlignmentTest, TheModelsOwnHeadIsTheDefault) {
  SentenceTrace trace = SmallTrace();
  trace.alignment_layer = 0;
  trace.alignment_heads = 1;
  EXPECT_EQ(AlignWords(trace, {})->weights, AlignWords(trace, {.layer = 0, .heads = {0}})->weights);
}

TEST(AlignmentTest, AHeadAloneIsOneOfTheLayerThatWasTaught) {
  SentenceTrace trace = SmallTrace();
  trace.decoder_layers = 6;
  trace.alignment_layer = 5;
  trace.alignment_heads = 2;
  const AlignmentOptions chosen = DefaultAlignment(trace, {.heads = {1}});
  EXPECT_EQ(chosen.layer, 5);
  EXPECT_THAT(chosen.heads, ElementsAre(1));
}

TEST(AlignmentTest, WithoutOneItIsTheMeanOfTheLastLayerButOne) {
  SentenceTrace trace = SmallTrace();
  trace.decoder_layers = 6;
  EXPECT_EQ(DefaultAlignment(trace, {}).layer, 4);
  trace.decoder_layers = 1;
  EXPECT_EQ(DefaultAlignment(trace, {}).layer, 0);
  EXPECT_THAT(DefaultAlignment(trace, {}).heads, ElementsAre(0, 1));
}

TEST(AlignmentTest, AWordWithoutPiecesHasTheRowOfTheWordBefore) {
  SentenceTrace trace = SmallTrace();
  trace.target = Side({0, 2, 2, -1}, 3);
  const absl::StatusOr<Alignment> alignment = AlignWords(trace, {.layer = 0, .heads = {0}});
  EXPECT_EQ(alignment->weight(1, 0), 0.75F);
  EXPECT_EQ(alignment->weight(2, 1), 0.75F);
}

TEST(AlignmentTest, WhatWasNotRecordedIsRefusedByName) {
  EXPECT_THAT(AlignWords(SmallTrace(), {.layer = 3}).status().message(), HasSubstr("layer 3"));
  EXPECT_THAT(AlignWords(SmallTrace(), {.layer = 0, .heads = {7}}).status().message(),
              HasSubstr("no head 7"));
}

TEST(AlignmentTest, PharaohLinksTheHeaviestWordUnlessThatIsNothing) {
  Alignment alignment;
  alignment.targets = 3;
  alignment.sources = 2;
  alignment.weights = {0.2F, 0.7F, 0.1F, 0.3F, 0.1F, 0.6F, 0.9F, 0.1F, 0};
  EXPECT_EQ(FormatPharaoh(alignment), "1-0 0-2");
  EXPECT_EQ(FormatPharaoh({}), "");
}

TEST(AlignmentTest, TheShippedModelAlignsAsOneWouldExpect) {
  const auto translator = *Translator::Load("models/eng-deu");
  TraceRequest request;
  request.kinds = {AttentionKind::kCross};
  const absl::StatusOr<Translation> translation =
      translator->Translate("I love you very much.", {.trace = request});
  ASSERT_EQ(translation->text, "Ich liebe dich sehr.");
  const absl::StatusOr<Alignment> alignment = AlignWords(translation->traces[0], {});
  ASSERT_TRUE(alignment.ok()) << alignment.status();
  // I love you very much .  →  Ich liebe dich sehr .
  EXPECT_THAT(FormatPharaoh(*alignment),
              testing::AnyOf("0-0 1-1 2-2 3-3 5-4", "0-0 1-1 2-2 4-3 5-4"));
  for (int target = 0; target < alignment->targets; ++target) {
    float sum = 0;
    for (int source = 0; source <= alignment->sources; ++source) {
      sum += alignment->weight(target, source);
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

}  // namespace
}  // namespace limpid

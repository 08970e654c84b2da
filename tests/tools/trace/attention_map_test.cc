#include "tools/trace/attention_map.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TracedSide Side(const std::vector<TracedToken>& tokens, const std::vector<std::string>& words) {
  TracedSide side;
  side.tokens = tokens;
  for (const std::string& word : words) side.words.push_back({.text = word});
  return side;
}

AttentionTrace Attention(AttentionId id, int queries, int keys, std::vector<float> weights) {
  AttentionTrace attention;
  attention.id = id;
  attention.heads = {0, 1};
  attention.queries = queries;
  attention.keys = keys;
  attention.weights = std::move(weights);
  return attention;
}

// "snowfall" (two pieces and </s>), translated as "Schnee" (one piece and </s>). Each kind of
// attention has two layers of two heads. In layer 0, all weight is on the first key.
SentenceTrace SmallTrace() {
  SentenceTrace trace;
  trace.source = Side({{.piece = "▁snow", .word = 0},
                       {.piece = "fall", .word = 0},
                       {.piece = "</s>", .word = -1, .is_text = false}},
                      {"snowfall"});
  trace.target =
      Side({{.piece = "▁Schnee", .word = 0}, {.piece = "</s>", .word = -1, .is_text = false}},
           {"Schnee"});
  trace.decoder_layers = 2;
  trace.decoder_start = "<pad>";
  const std::vector<float> first_of_three = {1, 0, 0, 1, 0, 0, 1, 0, 0};
  const std::vector<float> first_of_two = {1, 0, 1, 0};
  const auto twice = [](std::vector<float> head) {
    std::vector<float> both = head;
    both.insert(both.end(), head.begin(), head.end());
    return both;
  };
  using Kind = AttentionKind;
  trace.attentions = {
      Attention({Kind::kEncoder, 0}, 3, 3, twice(first_of_three)),
      Attention({Kind::kEncoder, 1}, 3, 3,
                {0.5F, 0.25F, 0.25F, 0, 0.5F, 0.5F, 0, 0, 1,  // head 0
                 1, 0, 0, 1, 0, 0, 1, 0, 0}),                 // head 1
      Attention({Kind::kDecoder, 0}, 2, 2, twice(first_of_two)),
      Attention({Kind::kDecoder, 1}, 2, 2, {1, 0, 0.25F, 0.75F, 1, 0, 0.75F, 0.25F}),
      Attention({Kind::kCross, 0}, 2, 3, {0.5F, 0.25F, 0.25F, 0, 0, 1, 0, 0, 1, 0, 0, 1}),
      Attention({Kind::kCross, 1}, 2, 3, twice({0, 0, 1, 0, 0, 1})),
  };
  return trace;
}

HeatMap Map(const AttentionChoice& choice, Level level) {
  absl::StatusOr<HeatMap> map = MapAttention(SmallTrace(), choice, level);
  EXPECT_TRUE(map.ok()) << map.status();
  return map.ok() ? *std::move(map) : HeatMap();
}

TEST(AttentionMapTest, PiecesAreTheWeightsThemselves) {
  const HeatMap map = Map({.kind = AttentionKind::kEncoder, .layer = 1, .head = 0}, Level::kPiece);
  EXPECT_THAT(map.rows, ElementsAre("▁snow", "fall", "</s>"));
  EXPECT_EQ(map.columns, map.rows);
  EXPECT_THAT(map.shares, ElementsAre(0.5F, 0.25F, 0.25F, 0, 0.5F, 0.5F, 0, 0, 1));
  EXPECT_EQ(
      map.title,
      "Encoder self-attention, layer 1, head 0: attention from each piece of the source (rows) "
      "to the source itself (columns), in percent");
}

TEST(AttentionMapTest, WordsAreSumsOverKeysAndMeansOverQueries) {
  const HeatMap map = Map({.kind = AttentionKind::kEncoder, .layer = 1, .head = 0}, Level::kWord);
  EXPECT_THAT(map.rows, ElementsAre("snowfall", "(end)"));
  EXPECT_EQ(map.columns, map.rows);
  EXPECT_THAT(map.shares, ElementsAre(0.625F, 0.375F, 0, 1));
}

// The default is the last layer, whose output the decoder gets.
TEST(AttentionMapTest, SelfAttentionIsTheMeanOfTheLastLayersHeads) {
  const HeatMap map = Map({.kind = AttentionKind::kEncoder}, Level::kPiece);
  EXPECT_THAT(map.shares, ElementsAre(0.75F, 0.125F, 0.125F, 0.5F, 0.25F, 0.25F, 0.5F, 0, 0.5F));
  EXPECT_THAT(map.title, StartsWith("Encoder self-attention, layer 1, mean of all heads:"));
}

TEST(AttentionMapTest, TheDecoderTakesInTheStartAndNotTheEnd) {
  const HeatMap output = Map({.kind = AttentionKind::kDecoder, .head = 0}, Level::kPiece);
  EXPECT_THAT(output.rows, ElementsAre("▁Schnee", "</s>"));  // what each row predicts
  EXPECT_THAT(output.columns, ElementsAre("<pad>", "▁Schnee"));
  EXPECT_THAT(output.shares, ElementsAre(1, 0, 0.25F, 0.75F));
  EXPECT_THAT(output.title, HasSubstr("attention from each piece of the translation (rows) to "
                                      "the decoder's input so far (columns)"));
  const AttentionChoice of_inputs = {
      .kind = AttentionKind::kDecoder, .head = 0, .row = AlignmentRow::kInput};
  EXPECT_THAT(Map(of_inputs, Level::kPiece).rows, ElementsAre("<pad>", "▁Schnee"));
  EXPECT_THAT(Map(of_inputs, Level::kWord).rows, ElementsAre("(start)", "Schnee"));
  EXPECT_THAT(Map(of_inputs, Level::kWord).title, HasSubstr("of the decoder's input (rows)"));
}

// At word level, attention to </s> goes to the null word.
TEST(AttentionMapTest, CrossAttentionOfWordsIsTheirAlignment) {
  const AttentionChoice choice = {.layer = 0, .head = 0};
  const HeatMap words = Map(choice, Level::kWord);
  EXPECT_THAT(words.rows, ElementsAre("Schnee"));
  EXPECT_THAT(words.columns, ElementsAre("snowfall", "(null)"));
  EXPECT_THAT(words.shares, ElementsAre(0.75F, 0.25F));
  const HeatMap pieces = Map(choice, Level::kPiece);
  EXPECT_THAT(pieces.rows, ElementsAre("▁Schnee", "</s>"));
  EXPECT_THAT(pieces.columns, ElementsAre("▁snow", "fall", "</s>"));
  EXPECT_THAT(pieces.shares, ElementsAre(0.5F, 0.25F, 0.25F, 0, 0, 1));
}

// Without an alignment layer, the default is the last layer but one.
TEST(AttentionMapTest, CrossAttentionIsThatWhichAlignsBest) {
  EXPECT_THAT(Map({}, Level::kWord).title, StartsWith("Cross-attention, layer 0, mean of all"));
  SentenceTrace trace = SmallTrace();
  trace.alignment_layer = 1;
  trace.alignment_heads = 1;
  EXPECT_THAT(MapAttention(trace, {}, Level::kWord)->title,
              StartsWith("Cross-attention, layer 1, head 0:"));
  EXPECT_THAT(MapAttention(trace, {.head = kMeanOfHeads}, Level::kWord)->title,
              StartsWith("Cross-attention, layer 1, mean of all heads:"));
}

TEST(AttentionMapTest, AWordWithoutAPieceOfItsOwnHasTheRowOfTheWordBefore) {
  SentenceTrace trace = SmallTrace();
  trace.source.words.push_back({.text = "!"});
  const HeatMap map =
      *MapAttention(trace, {.kind = AttentionKind::kEncoder, .layer = 1, .head = 0}, Level::kWord);
  EXPECT_THAT(map.rows, ElementsAre("snowfall", "!", "(end)"));
  EXPECT_THAT(map.shares, ElementsAre(0.625F, 0, 0.375F, 0.625F, 0, 0.375F, 0, 0, 1));
}

TEST(AttentionMapTest, WhatTheModelDoesNotHaveIsRefusedWithWhatItHas) {
  const auto refusal = [](const AttentionChoice& choice) {
    return std::string(MapAttention(SmallTrace(), choice, Level::kPiece).status().message());
  };
  EXPECT_EQ(refusal({.kind = AttentionKind::kEncoder, .layer = 2}),
            "no layer 2 of encoder self-attention: its layers are 0 to 1");
  EXPECT_EQ(refusal({.kind = AttentionKind::kDecoder, .head = 2}),
            "no head 2 of decoder self-attention: each layer's heads are 0 to 1");
  EXPECT_EQ(refusal({.layer = 5}), "no layer 5 of cross-attention: its layers are 0 to 1");
}

TEST(AttentionMapTest, ModelsWithoutAStartTokenHaveANameForIt) {
  SentenceTrace trace = SmallTrace();
  EXPECT_EQ(DecoderInputName(trace, 0), "<pad>");
  EXPECT_EQ(DecoderInputName(trace, 1), "▁Schnee");
  trace.decoder_start.clear();
  EXPECT_EQ(DecoderInputName(trace, 0), "(start)");
}

TEST(AttentionMapTest, AModelWithoutAKindOfAttentionIsSaidToHaveNone) {
  SentenceTrace trace = SmallTrace();
  std::erase_if(trace.attentions, [](const AttentionTrace& attention) {
    return attention.id.kind == AttentionKind::kDecoder;
  });
  for (const int layer : {kDefaultLayer, 0}) {
    const std::string message(
        Choose(trace, {.kind = AttentionKind::kDecoder, .layer = layer}).status().message());
    EXPECT_THAT(message, HasSubstr("this model has no decoder self-attention"));
    EXPECT_THAT(message, Not(HasSubstr("-1")));
  }
}

}  // namespace
}  // namespace limpid::internal

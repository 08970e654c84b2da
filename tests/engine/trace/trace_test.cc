#include "limpid/trace.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "limpid/alignment.h"
#include "limpid/translator.h"
#include "tests/engine/load_any.h"

namespace limpid::internal {
namespace {

TEST(TraceTest, NamesParseBack) {
  for (const AttentionKind kind :
       {AttentionKind::kEncoder, AttentionKind::kDecoder, AttentionKind::kCross}) {
    EXPECT_EQ(ParseAttentionKind(AttentionKindName(kind)), kind);
  }
  EXPECT_EQ(AttentionKindName(AttentionKind::kCross), "cross");
  EXPECT_EQ(ParseAttentionKind("Cross"), std::nullopt);
  EXPECT_EQ(ParseAttentionKind(""), std::nullopt);
}

TEST(TraceTest, FindsAnAttentionByItsId) {
  SentenceTrace trace;
  trace.attentions.resize(2);
  trace.attentions[0].id = {AttentionKind::kCross, 0};
  trace.attentions[1].id = {AttentionKind::kCross, 1};
  EXPECT_EQ(trace.Find({AttentionKind::kCross, 1}), &trace.attentions[1]);
  EXPECT_EQ(trace.Find({AttentionKind::kDecoder, 1}), nullptr);
  EXPECT_EQ(trace.Find({AttentionKind::kCross, 2}), nullptr);
}

TEST(TraceTest, WeightsAreByHeadQueryAndKey) {
  AttentionTrace trace;
  trace.queries = 2;
  trace.keys = 3;
  trace.weights = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  EXPECT_EQ(trace.weight(0, 0, 2), 2);
  EXPECT_EQ(trace.weight(0, 1, 0), 3);
  EXPECT_EQ(trace.weight(1, 1, 2), 11);
}

// A model whose sources begin with <bos> and end with <eos>.
class SourceBosTraceTest : public testing::Test {
 protected:
  SourceBosTraceTest() : translator_(*LoadAny("tests/golden/nn_transformer_source_bos/model.pt")) {}

  const std::unique_ptr<Translator> translator_;
};

TEST_F(SourceBosTraceTest, TellsTextFromSpecialTokens) {
  const auto translation =
      translator_->Translate("s1 s2", {.split_sentences = false, .trace = TraceRequest()});
  ASSERT_TRUE(translation.ok()) << translation.status();
  const std::vector<TracedToken>& tokens = translation->traces.at(0).source.tokens;
  ASSERT_EQ(tokens.size(), 4U);
  EXPECT_EQ(tokens[0].piece, "<bos>");
  EXPECT_FALSE(tokens[0].is_text);
  EXPECT_TRUE(tokens[1].is_text);
  EXPECT_EQ(tokens[1].word, 0);
  EXPECT_TRUE(tokens[2].is_text);
  EXPECT_EQ(tokens[3].piece, "<eos>");
  EXPECT_FALSE(tokens[3].is_text);
}

// An unknown piece becomes the source word it is aligned with, not that word's neighbour.
TEST_F(SourceBosTraceTest, UnknownsBecomeTheirAlignedWord) {
  std::vector<SentencePair> pairs;
  for (int i = 0; i < 20; ++i) pairs.push_back({"s1 s2 s3 s4", absl::StrCat("t", i, " what")});
  const auto scored =
      translator_->ScoreBatch(pairs, {.trace = AlignmentRequest({}), .replace_unknowns = true});
  ASSERT_TRUE(scored.ok()) << scored.status();
  for (int i = 0; i < 20; ++i) {
    const Alignment alignment = *AlignPieces(scored->at(i).traces.at(0), {});
    ASSERT_EQ(alignment.targets, 2);
    ASSERT_EQ(alignment.sources, 4);
    const float* row = alignment.row(1);
    const auto best = std::max_element(row, row + 4) - row;
    EXPECT_EQ(scored->at(i).text, absl::StrCat("t", i, " s", best + 1));
  }
}

}  // namespace
}  // namespace limpid::internal

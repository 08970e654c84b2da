#include "engine/trace.h"

#include "gtest/gtest.h"

namespace limpid {
namespace {

TEST(TraceTest, NamesAreReadBack) {
  for (const AttentionKind kind :
       {AttentionKind::kEncoder, AttentionKind::kDecoder, AttentionKind::kCross}) {
    EXPECT_EQ(ParseAttentionKind(AttentionKindName(kind)), kind);
  }
  EXPECT_EQ(AttentionKindName(AttentionKind::kCross), "cross");
  EXPECT_EQ(ParseAttentionKind("Cross"), std::nullopt);
  EXPECT_EQ(ParseAttentionKind(""), std::nullopt);
}

TEST(TraceTest, FindsAnAttentionByItsSite) {
  SentenceTrace trace;
  trace.attentions.resize(2);
  trace.attentions[0].site = {AttentionKind::kCross, 0};
  trace.attentions[1].site = {AttentionKind::kCross, 1};
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

}  // namespace
}  // namespace limpid

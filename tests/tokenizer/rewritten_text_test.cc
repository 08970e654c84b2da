#include "tokenizer/rewritten_text.h"

#include <string>

#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

std::string Original(const std::string& original, const RewrittenText& text, ByteRange range) {
  return std::string(text.InOriginal(range).In(original));
}

TEST(RewrittenText, StartsAsTheOriginal) {
  const RewrittenText text("abc");
  EXPECT_EQ(text.text(), "abc");
  EXPECT_EQ(text.InOriginal({1, 3}), (ByteRange{1, 3}));
  EXPECT_EQ(text.InText({1, 3}), (ByteRange{1, 3}));
}

TEST(RewrittenText, RemembersThroughSeveralEdits) {
  const std::string original = "say …, now";
  RewrittenText text(original);
  text.Apply({{{{4, 7}, "..."}}});  // three bytes for one character
  text.Apply({{{{7, 7}, " "}}});    // between "..." and ","
  text.Apply({{{{0, 3}, "SAY"}, {{9, 10}, ""}}});
  EXPECT_EQ(text.text(), "SAY ... ,now");
  EXPECT_EQ(Original(original, text, {0, 3}), "say");
  EXPECT_EQ(Original(original, text, {4, 5}), "…");
  EXPECT_EQ(Original(original, text, {5, 7}), "…");
  EXPECT_EQ(Original(original, text, {8, 9}), ",");
  EXPECT_EQ(Original(original, text, {9, 12}), "now");
}

TEST(RewrittenText, InsertionsMapToNothing) {
  RewrittenText text("ab");
  text.Apply({{{{0, 0}, "<"}, {{1, 1}, "-"}, {{2, 2}, ">"}}});
  EXPECT_EQ(text.text(), "<a-b>");
  EXPECT_EQ(text.InOriginal({0, 1}), (ByteRange{0, 0}));
  EXPECT_EQ(text.InOriginal({2, 3}), (ByteRange{1, 1}));
  EXPECT_EQ(text.InOriginal({4, 5}), (ByteRange{2, 2}));
  EXPECT_EQ(text.InOriginal({1, 4}), (ByteRange{0, 2}));
}

TEST(RewrittenText, FindsBytesOfTheOriginal) {
  RewrittenText text("a b &c d");
  text.Apply({{{{1, 2}, ""}, {{4, 6}, "CC"}}});
  EXPECT_EQ(text.text(), "ab CC d");
  EXPECT_EQ(text.InText({2, 3}), (ByteRange{1, 2}));
  EXPECT_EQ(text.InText({5, 6}), (ByteRange{3, 5}));
  EXPECT_EQ(text.InText({7, 8}), (ByteRange{6, 7}));
  EXPECT_TRUE(text.InText({1, 2}).empty());
}

TEST(RewrittenText, EmptyTextAndNoEdits) {
  RewrittenText text("");
  text.Apply({});
  text.Apply({{{{0, 0}, ""}}});
  EXPECT_EQ(text.text(), "");
  EXPECT_EQ(text.InOriginal({0, 0}), (ByteRange{0, 0}));
}

}  // namespace
}  // namespace limpid::internal

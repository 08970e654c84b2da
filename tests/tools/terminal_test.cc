#include "tools/terminal.h"

#include "gtest/gtest.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

TEST(CellTest, FillsAndCuts) {
  EXPECT_EQ(Cell("ab", 5, Justify::kLeft), "ab   ");
  EXPECT_EQ(Cell("ab", 5, Justify::kRight), "   ab");
  EXPECT_EQ(Cell("ab", 5, Justify::kCenter), " ab  ");
  EXPECT_EQ(Cell("abcdef", 5, Justify::kLeft), "ab...");
  EXPECT_EQ(Cell("abcde", 5, Justify::kLeft), "abcde");
}

TEST(CellTest, NeverCutsACharacter) {
  EXPECT_EQ(Cell("日本語", 6, Justify::kLeft), "日本語");
  EXPECT_EQ(Cell("日本語", 5, Justify::kLeft), "日...");
  EXPECT_EQ(Cell("日本語", 4, Justify::kLeft), "... ");
  EXPECT_EQ(Cell("e\u0301e\u0301e\u0301e\u0301", 3, Justify::kLeft), "...");
  EXPECT_EQ(Cell("שלום שלום", 6, Justify::kLeft), "\u2068שלו\u2069...");
}

TEST(WrapTest, BreaksBetweenWordsOnly) {
  EXPECT_EQ(Wrap("one two three", 9, 2), "  one two\n  three\n");
  EXPECT_EQ(Wrap("unbreakable", 5, 0), "unbreakable\n");
  EXPECT_EQ(Wrap("日本 日本", 8, 0), "日本\n日本\n");
}

}  // namespace
}  // namespace limpid::internal

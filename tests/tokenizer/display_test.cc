#include "gtest/gtest.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

TEST(DisplayWidth, CountsColumnsAsATerminalDoes) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("straße"), 6);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);  // a letter and a combining accent
  EXPECT_EQ(DisplayWidth("ｱ"), 1);        // a halfwidth letter
  EXPECT_EQ(DisplayWidth("日本語"), 6);
  EXPECT_EQ(DisplayWidth("한"), 2);
  EXPECT_EQ(DisplayWidth("\u1112\u1161\u11ab"), 2);  // the same of three letters
  EXPECT_EQ(DisplayWidth("😀"), 2);
  EXPECT_EQ(DisplayWidth("👩‍👩‍👧"), 2);  // five code points
  EXPECT_EQ(DisplayWidth("🇩🇪"), 2);
  EXPECT_EQ(DisplayWidth("\u2764\uFE0F"), 2);
  EXPECT_EQ(DisplayWidth("\u2068שלום\u2069"), 4);  // isolates are invisible
  EXPECT_EQ(DisplayWidth("\u200b"), 0);
  EXPECT_EQ(DisplayWidth("▁the"), 4);
}

TEST(IsolatedForDisplay, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(IsolatedForDisplay("Größe 日本 😀"), "Größe 日本 😀");
}

TEST(IsolatedForDisplay, TakesTheEffectFromControls) {
  EXPECT_EQ(IsolatedForDisplay("\x1b[31m\n\u202E\u2028."), "\uFFFD[31m\uFFFD\uFFFD\uFFFD.");
}

TEST(IsolatedForDisplay, PutsRightToLeftTextBetweenIsolates) {
  EXPECT_EQ(IsolatedForDisplay("שלום"), "\u2068שלום\u2069");
  EXPECT_EQ(IsolatedForDisplay("مرحبا"), "\u2068مرحبا\u2069");
}

}  // namespace
}  // namespace limpid::internal

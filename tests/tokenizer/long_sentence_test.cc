#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Texts = std::vector<std::string>;

TEST(CutLongSentence, LeavesShortSentencesWhole) {
  EXPECT_THAT(CutLongSentence(Texts{"▁a", ".", "▁b"}, 3), ElementsAre(3));
  EXPECT_THAT(CutLongSentence(Texts{}, 3), IsEmpty());
}

TEST(CutLongSentence, PrefersSentenceMarksThenClauseMarksThenWords) {
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "▁b", "▁c", "!", "▁d", ",", "▁e", "▁f", "▁g"}, 7),
              ElementsAre(4, 9));
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "▁b", "▁c", "▁d", ",", "▁e", "▁f", "▁g"}, 7),
              ElementsAre(5, 8));
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "▁b", "▁c", "▁d", "▁—", "▁e", "▁f", "▁g"}, 7),
              ElementsAre(5, 8));
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "▁b", "▁c", "▁d", "x", "▁e", "f", "g"}, 7),
              ElementsAre(5, 8));
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "b", "c", "d", "e", "f", "g"}, 3), ElementsAre(3, 6, 7));
}

TEST(CutLongSentence, MarksInTheFirstHalfDoNotCount) {
  EXPECT_THAT(CutLongSentence(Texts{"▁a", ".", "▁b", "▁c", "▁d", "▁e", "▁f"}, 6),
              ElementsAre(6, 7));
}

TEST(CutLongSentence, TakesTheLastOfEqualPlaces) {
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "▁b", ".", "▁c", ".", "▁d", "▁e"}, 6), ElementsAre(5, 7));
}

TEST(CutLongSentence, KeepsClosingQuotesWithTheirMark) {
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "▁b", "▁c", ".", "”", "▁d", "▁e", "▁f"}, 7),
              ElementsAre(5, 8));
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "▁b", "▁c", ".\")", "▁d", "▁e", "▁f"}, 6),
              ElementsAre(4, 7));
}

TEST(CutLongSentence, DoesNotCutNumbersAtTheirMarks) {
  EXPECT_THAT(CutLongSentence(Texts{"▁a", "▁b", "▁c", "▁3", ".", "14", "▁d", "▁e"}, 7),
              ElementsAre(7, 8));
}

TEST(CutLongSentence, MarksOfScriptsWithoutSpaces) {
  EXPECT_THAT(CutLongSentence(Texts{"▁我", "们", "好", "。", "你", "，", "们", "好"}, 7),
              ElementsAre(4, 8));
  EXPECT_THAT(CutLongSentence(Texts{"▁我", "们", "好", "你", "、", "们", "好"}, 6),
              ElementsAre(5, 7));
}

TEST(CutLongSentence, DoesNotCutACharacterInItsBytes) {
  EXPECT_THAT(
      CutLongSentence(Texts{"▁", "a", "b", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "<0x41>"}, 6),
      ElementsAre(6, 8));
  EXPECT_THAT(CutLongSentence(Texts{"▁", "a", "b", "c", "<0xC3>", "<0xA4>", "<0x41>"}, 5),
              ElementsAre(4, 7));
  // No other place to cut.
  EXPECT_THAT(CutLongSentence(Texts{"<0xF0>", "<0x9F>", "<0x98>", "<0x80>"}, 2), ElementsAre(2, 4));
}

TEST(CutLongSentence, PiecesOfSubwordNmtMarkThatAWordGoesOn) {
  EXPECT_THAT(CutLongSentence(Texts{"a", "b@@", "c", "d@@", "e@@", "f", "g"}, 5),
              ElementsAre(3, 7));
  EXPECT_THAT(CutLongSentence(Texts{"a", "b@@", "c", ".", "d", "e", "f"}, 6), ElementsAre(4, 7));
}

TEST(CutLongSentence, PiecesWithoutSpaceMarksAreWords) {
  EXPECT_THAT(CutLongSentence(Texts{"a", "b", "c", ".", "d", "e", "f"}, 6), ElementsAre(4, 7));
}

TEST(CutLongSentence, RunsAreNeverEmptyNorTooLongAndLoseNothing) {
  Texts texts;
  for (size_t i = 0; i < 3000; ++i) {
    constexpr std::string_view kPieces[] = {"▁a", "b", ".", ",", "▁", "”", "<0x9F>", "", "。"};
    texts.emplace_back(kPieces[i * i * 7919 % 104729 % std::size(kPieces)]);
  }
  for (const size_t max_pieces : {1, 2, 3, 7, 100, 2999, 3000}) {
    size_t begin = 0;
    for (const size_t end : CutLongSentence(texts, max_pieces)) {
      ASSERT_LT(begin, end);
      ASSERT_LE(end - begin, max_pieces);
      begin = end;
    }
    EXPECT_EQ(begin, texts.size());
  }
}

}  // namespace
}  // namespace limpid::internal

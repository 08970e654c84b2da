#include "tokenizer/text.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> In(std::string_view text, const std::vector<ByteRange>& ranges) {
  std::vector<std::string> strings;
  strings.reserve(ranges.size());
  for (const ByteRange& range : ranges) strings.emplace_back(range.In(text));
  return strings;
}

std::vector<std::string> Words(std::string_view text) { return In(text, SplitWords(text)); }

std::vector<std::string> Characters(std::string_view text) {
  return In(text, SplitCharacters(text));
}

TEST(Utf8, ValidTextIsValid) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("plain"));
  EXPECT_TRUE(IsValidUtf8("longer than eight bytes, then ä, 日本 and 😀"));
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0\x01\x7F", 3)));
  EXPECT_TRUE(IsValidUtf8("\uFFFD\uFFFF\U0010FFFF"));
}

TEST(Utf8, IllFormedTextIsNot) {
  for (const std::string bad : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                                "\xF4\x90\x80\x80", "\xF8\x88", "\xFF", "\xE6\x97"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
    EXPECT_FALSE(IsValidUtf8("eight bytes and more " + bad));
    EXPECT_FALSE(IsValidUtf8(bad + " eight bytes and more"));
    EXPECT_TRUE(IsValidUtf8(ReplaceInvalidUtf8(bad)));
  }
}

TEST(Utf8, ReplacesMaximalSubparts) {
  // Table 3-8 of the Unicode Standard, version 15.
  EXPECT_EQ(ReplaceInvalidUtf8("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
  // Tables 3-9 and 3-10: each byte of an overlong sequence or of a surrogate is by itself.
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\xAF\xE0\x80\xBF\x41"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80\x41"), "\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(ReplaceInvalidUtf8("cut \xF0\x9F\x98"), "cut \uFFFD");
}

TEST(Utf8, LeavesValidTextAlone) {
  const std::string text("ä 日本 😀 \0 \x7F \uFFFD", 22);
  EXPECT_EQ(ReplaceInvalidUtf8(text), text);
}

TEST(Utf8, MendingTellsWhetherAnythingWasWrong) {
  EXPECT_FALSE(Mend("aß").replaced_invalid_utf8);
  EXPECT_EQ(Mend("aß").text, "aß");
  EXPECT_TRUE(Mend("a\xff").replaced_invalid_utf8);
  EXPECT_EQ(Mend("a\xff").text, "a\uFFFD");
}

TEST(Utf8, CodePointsAreThoseOfValidText) {
  EXPECT_EQ(CodePoints("aä日😀"), U"aä日😀");
  EXPECT_EQ(CodePoints("a\xC3"), U"a\uFFFD");
  EXPECT_EQ(CodePoints(""), U"");
}

TEST(TrimWhiteSpace, TakesOffAllKindsOfWhiteSpaceAtBothEnds) {
  const std::string_view text = "\t \u00A0\u3000a b\u2003\r\n";
  EXPECT_EQ(TrimWhiteSpace(text).In(text), "a b");
  EXPECT_EQ(TrimWhiteSpace("日本"), (ByteRange{0, 6}));
  EXPECT_TRUE(TrimWhiteSpace(" \n\u3000").empty());
  EXPECT_TRUE(TrimWhiteSpace("").empty());
}

TEST(HasLetter, KnowsLettersOfAllScriptsFromMarksAndNumbers) {
  for (const char* text : {"a", "1.a", "…é", "你", "ש", "𝐀"}) EXPECT_TRUE(HasLetter(text)) << text;
  for (const char* text : {"", "1,5 %", "…", "😀", "\xCC\x81"})
    EXPECT_FALSE(HasLetter(text)) << text;
}

TEST(SplitWords, WordsNumbersAndPunctuationMarks) {
  EXPECT_THAT(Words("I don't owe 3.50, (really)..."),
              ElementsAre("I", "don't", "owe", "3.50", ",", "(", "really", ")", ".", ".", "."));
  EXPECT_THAT(Words("👍🏽 cafe\u0301\tÖl\n"), ElementsAre("👍🏽", "cafe\u0301", "Öl"));
  EXPECT_THAT(Words(" \t \u3000\n"), IsEmpty());
  EXPECT_THAT(Words(""), IsEmpty());
}

TEST(SplitWords, GivesRangesOfTheText) {
  EXPECT_THAT(SplitWords(" Öl, x"), ElementsAre(ByteRange{1, 4}, ByteRange{4, 5}, ByteRange{6, 7}));
}

TEST(WordsOfPieces, GivesTheFirstWordThatAPieceCovers) {
  // "walk ing, no" as pieces "walk", "ing" within "walking", ",", "▁" alone, "no", "</s>".
  const std::vector<ByteRange> words = {{0, 7}, {7, 8}, {9, 11}};
  const std::vector<ByteRange> pieces = {{0, 4}, {4, 7}, {7, 8}, {9, 9}, {9, 11}, {11, 11}};
  EXPECT_THAT(WordsOfPieces(pieces, words), ElementsAre(0, 0, 1, -1, 2, -1));
}

TEST(WordsOfPieces, PiecesOverWordBoundariesAndSharedCharacters) {
  const std::vector<ByteRange> words = {{1, 3}, {4, 6}, {6, 7}};
  EXPECT_THAT(WordsOfPieces(std::vector<ByteRange>{{0, 6}, {6, 7}}, words), ElementsAre(0, 2));
  EXPECT_THAT(WordsOfPieces(std::vector<ByteRange>{{4, 6}, {4, 6}, {4, 7}}, words),
              ElementsAre(1, 1, 1));
  EXPECT_THAT(WordsOfPieces(std::vector<ByteRange>{{0, 1}, {3, 4}, {8, 9}}, words),
              ElementsAre(-1, -1, -1));
  EXPECT_THAT(WordsOfPieces({}, words), IsEmpty());
  EXPECT_THAT(WordsOfPieces(std::vector<ByteRange>{{0, 1}}, {}), ElementsAre(-1));
}

TEST(ByteOfPiece, IsThatOfSentencePiecesBytes) {
  EXPECT_EQ(ByteOfPiece("<0x0A>"), '\n');
  EXPECT_EQ(ByteOfPiece("<0xFF>"), '\xFF');
  for (const std::string_view piece :
       {"<0x0G>", "<0x 1>", "<0x1>", "0x41", "<unk>", "", "<0x-1>"}) {
    EXPECT_EQ(ByteOfPiece(piece), std::nullopt) << piece;
  }
}

TEST(SplitCharacters, KeepsTogetherWhatAReaderSeesAsOne) {
  EXPECT_THAT(Characters(""), IsEmpty());
  EXPECT_THAT(Characters("ab"), ElementsAre("a", "b"));
  EXPECT_THAT(Characters("e\u0301x"), ElementsAre("e\u0301", "x"));
  EXPECT_THAT(Characters("👩‍👩‍👧🇩🇪"), ElementsAre("👩‍👩‍👧", "🇩🇪"));
}

}  // namespace
}  // namespace limpid::internal

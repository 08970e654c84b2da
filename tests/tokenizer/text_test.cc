#include "tokenizer/text.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
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

std::vector<std::string> Sentences(std::string_view text, std::string_view language = "eng") {
  return In(text, SplitSentences(text, language));
}

std::vector<std::string> Words(std::string_view text) { return In(text, SplitWords(text)); }

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

TEST(SplitSentences, EndsSentencesAtTheirMarks) {
  EXPECT_THAT(Sentences("He left. She stayed! Why?! I don't know."),
              ElementsAre("He left.", "She stayed!", "Why?!", "I don't know."));
  EXPECT_THAT(Sentences("One sentence without a mark"), ElementsAre("One sentence without a mark"));
}

TEST(SplitSentences, LeavesOutWhiteSpace) {
  EXPECT_THAT(SplitSentences("  A b.  C d.\t", "en"),
              ElementsAre(ByteRange{2, 6}, ByteRange{8, 12}));
  EXPECT_THAT(Sentences(""), IsEmpty());
  EXPECT_THAT(Sentences(" \t\n\r\n \u3000"), IsEmpty());
}

TEST(SplitSentences, KeepsClosingQuotesAndBracketsWithTheirSentence) {
  EXPECT_THAT(Sentences("“Hello.” He left. (She did.) \"Why?\" Tom asked."),
              ElementsAre("“Hello.”", "He left.", "(She did.)", "\"Why?\"", "Tom asked."));
}

TEST(SplitSentences, StopsThatEndNoSentence) {
  for (const std::string text :
       {"It costs 3.14 dollars.", "Wait... what?", "See www.Foo.com/Bar?a=B!c and e.g. this.",
        "See http://a.b/c?d=E&f=G#h!i for more.", "U.S. troops left.", "Version 1.2.3 is out."}) {
    EXPECT_THAT(Sentences(text), ElementsAre(text));
  }
}

TEST(SplitSentences, ASentenceGoesOnBeforeASmallLetter) {
  for (const std::string text :
       {"\"Where is he?\" she asked.", "I like Yahoo! and Google.", "“Go!” (he said) “now”.",
        "He waited… then he left.", "¿Qué? dijo él."}) {
    EXPECT_THAT(Sentences(text), ElementsAre(text));
  }
  EXPECT_THAT(Sentences("Where is he? She asked."), ElementsAre("Where is he?", "She asked."));
  EXPECT_THAT(Sentences("Where is he?\nshe asked."), ElementsAre("Where is he?", "she asked."));
  EXPECT_THAT(Sentences("Really? 12 Men came."), ElementsAre("Really?", "12 Men came."));
  EXPECT_THAT(Sentences("你是谁？abc。"), ElementsAre("你是谁？", "abc。"));
}

TEST(SplitSentences, AbbreviationsOfTheLanguageEndNoSentence) {
  EXPECT_THAT(Sentences("Mr. Smith went. He left."), ElementsAre("Mr. Smith went.", "He left."));
  EXPECT_THAT(Sentences("Ask Prof. Dr. Who (Mrs. Who). St. John did."),
              ElementsAre("Ask Prof. Dr. Who (Mrs. Who).", "St. John did."));
  EXPECT_THAT(Sentences("She has a Ph.D. Tom has not."),
              ElementsAre("She has a Ph.D. Tom has not."));
  EXPECT_THAT(Sentences("Es gibt z.B. Karl und z. B. Eva.", "deu"),
              ElementsAre("Es gibt z.B. Karl und z. B. Eva."));
  EXPECT_THAT(Sentences("Есть 5 тыс. Рублей. Да.", "rus"),
              ElementsAre("Есть 5 тыс. Рублей.", "Да."));
}

TEST(SplitSentences, WordsThatOnlyEndLikeAnAbbreviationDoEndASentence) {
  // German has the abbreviations "r." and "s."; English "A." and "Joe.".
  EXPECT_THAT(Sentences("Das ist sicher. Das ist Eis. Er kam.", "deu"),
              ElementsAre("Das ist sicher.", "Das ist Eis.", "Er kam."));
  EXPECT_THAT(Sentences("We spoke to NATO. He left."),
              ElementsAre("We spoke to NATO.", "He left."));
}

TEST(SplitSentences, AbbreviationsOfAnotherLanguageDoEndASentence) {
  EXPECT_THAT(Sentences("Das ist evtl. Karl.", "deu"), ElementsAre("Das ist evtl. Karl."));
  EXPECT_THAT(Sentences("Das ist evtl. Karl.", "eng"), ElementsAre("Das ist evtl.", "Karl."));
  EXPECT_THAT(Sentences("Das ist evtl. Karl.", ""), ElementsAre("Das ist evtl.", "Karl."));
  // ICU has no list for Czech, and would fall back on the machine's language, often English.
  EXPECT_THAT(Sentences("Capt. Hook.", "ces"), ElementsAre("Capt.", "Hook."));
}

TEST(SplitSentences, InitialsEndNoSentence) {
  EXPECT_THAT(Sentences("J. K. Rowling met J.R.R. Tolkien. George W. Bush did not.", ""),
              ElementsAre("J. K. Rowling met J.R.R. Tolkien.", "George W. Bush did not."));
}

TEST(SplitSentences, OrdinalNumbersEndNoSentenceInLanguagesThatHaveThem) {
  EXPECT_THAT(Sentences("Am 3. Oktober 1990. Es war 1990. Gut.", "de"),
              ElementsAre("Am 3. Oktober 1990.", "Es war 1990.", "Gut."));
  EXPECT_THAT(Sentences("He is 12. She is 13.", "en"), ElementsAre("He is 12.", "She is 13."));
}

TEST(SplitSentences, TextWithoutLettersGoesWithWhatFollows) {
  EXPECT_THAT(Sentences("1. Open it. 2. Go in."), ElementsAre("1. Open it.", "2. Go in."));
  EXPECT_THAT(Sentences("12:30 !? ... (5)."), ElementsAre("12:30 !? ... (5)."));
  EXPECT_THAT(Sentences("Good. 😀"), ElementsAre("Good.", "😀"));
}

TEST(SplitSentences, LinesEndSentences) {
  EXPECT_THAT(Sentences("a title\nSome text\r\n\r\nMr.\nThe end"),
              ElementsAre("a title", "Some text", "Mr.", "The end"));
  EXPECT_THAT(Sentences("1.\nOne"), ElementsAre("1.", "One"));
  EXPECT_THAT(Sentences("one\u2028two\u0085three"), ElementsAre("one", "two", "three"));
}

TEST(SplitSentences, ScriptsWithoutSpacesOrWithOtherMarks) {
  const std::string_view chinese = "你好。你是谁？我不知道！";
  EXPECT_THAT(Sentences(chinese, "zho"), ElementsAre("你好。", "你是谁？", "我不知道！"));
  const std::vector<ByteRange> ranges = SplitSentences(chinese, "zho");
  EXPECT_EQ(ranges[0].end, ranges[1].begin);
  EXPECT_THAT(Sentences("مرحبا؟ نعم.", "ara"), ElementsAre("مرحبا؟", "نعم."));
  EXPECT_THAT(Sentences("यह है। वह है।", "hin"), ElementsAre("यह है।", "वह है।"));
}

TEST(SplitSentences, ControlCharactersAreText) {
  const std::string_view text("A\0b. C\x01 \0.", 10);
  EXPECT_THAT(Sentences(text), ElementsAre(std::string("A\0b.", 4), std::string("C\x01 \0.", 5)));
}

TEST(SplitSentences, TakesAnyLanguageName) {
  for (const std::string& language : {std::string("x"), std::string("../@=;"), std::string("zz_ZZ"),
                                      std::string(5000, 'a'), std::string("-")}) {
    EXPECT_THAT(Sentences("Dr. Who. Yes.", language), ElementsAre("Dr. Who.", "Yes."));
  }
  for (const std::string language : {"en", "eng", "en_GB", "en-US", "EN"}) {
    EXPECT_THAT(Sentences("Capt. Hook. Yes.", language), ElementsAre("Capt. Hook.", "Yes."));
  }
}

TEST(SplitSentences, LosesNothingOfLongText) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "Mr. A said: “日本。” 3.14? \n";
  size_t end = 0;
  size_t covered = 0;
  for (const ByteRange& range : SplitSentences(text, "en")) {
    ASSERT_LE(end, range.begin);
    ASSERT_TRUE(TrimWhiteSpace(ByteRange{end, range.begin}.In(text)).empty());
    ASSERT_EQ(TrimWhiteSpace(range.In(text)).size(), range.size());
    end = range.end;
    covered += range.size();
  }
  EXPECT_TRUE(TrimWhiteSpace(std::string_view(text).substr(end)).empty());
  EXPECT_GT(covered, text.size() * 9 / 10);
}

TEST(SplitSentences, ThreadsDoNotDisturbEachOther) {
  const std::string german = "Das ist z.B. Karl. Das ist sicher. Am 3. Mai.";
  const std::string english = "Mr. Smith left. Mrs. Smith has a Ph.D. Tom has not.";
  const std::vector<std::string> german_sentences = Sentences(german, "deu");
  const std::vector<std::string> english_sentences = Sentences(english, "eng");
  const std::vector<std::string> words = Words(english);
  std::vector<int> wrong(8);
  std::vector<std::thread> threads;
  threads.reserve(wrong.size());
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        if (Sentences(german, "deu") != german_sentences) ++count;
        if (Sentences(english, "eng") != english_sentences) ++count;
        if (Words(english) != words) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
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

using Texts = std::vector<std::string>;

TEST(ByteOfPiece, IsThatOfSentencePiecesBytes) {
  EXPECT_EQ(ByteOfPiece("<0x0A>"), '\n');
  EXPECT_EQ(ByteOfPiece("<0xFF>"), '\xFF');
  for (const std::string_view piece :
       {"<0x0G>", "<0x 1>", "<0x1>", "0x41", "<unk>", "", "<0x-1>"}) {
    EXPECT_EQ(ByteOfPiece(piece), std::nullopt) << piece;
  }
}

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

std::vector<std::string> Characters(std::string_view text) {
  return In(text, SplitCharacters(text));
}

TEST(SplitCharacters, KeepsTogetherWhatAReaderSeesAsOne) {
  EXPECT_THAT(Characters(""), IsEmpty());
  EXPECT_THAT(Characters("ab"), ElementsAre("a", "b"));
  EXPECT_THAT(Characters("e\u0301x"), ElementsAre("e\u0301", "x"));
  EXPECT_THAT(Characters("👩‍👩‍👧🇩🇪"), ElementsAre("👩‍👩‍👧", "🇩🇪"));
}

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

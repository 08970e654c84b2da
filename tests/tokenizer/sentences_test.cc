#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tokenizer/text.h"

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

}  // namespace
}  // namespace limpid::internal

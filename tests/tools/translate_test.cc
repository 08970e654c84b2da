// Runs `limpid translate` on the shipped model: texts, lines and flags.

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using namespace std::string_literals;

TEST(TranslateTest, TranslatesItsArguments) {
  const Outcome outcome = Translate({kEnglish});
  EXPECT_EQ(outcome.output, GermanLine());
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.exit_code, 0);
}

TEST(TranslateTest, WordsAreOneText) {
  const Outcome outcome =
      Translate({"The", "old", "man", "bought", "a", "red", "car", "yesterday."});
  EXPECT_EQ(outcome.output, GermanLine());
}

TEST(TranslateTest, EachLineOfAnArgumentIsALine) {
  EXPECT_EQ(Translate({EnglishLine() + "\n" + kEnglish}).output,
            GermanLine() + "\n" + GermanLine());
}

TEST(TranslateTest, EmptyArgumentIsAnEmptyLine) { EXPECT_EQ(Translate({""}).output, "\n"); }

TEST(TranslateTest, TranslatesLinesOfStandardInput) {
  EXPECT_EQ(Translate({}, EnglishLine() + EnglishLine()).output, GermanLine() + GermanLine());
}

TEST(TranslateTest, NoInputGivesNoOutput) {
  const Outcome outcome = Translate({});
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.exit_code, 0);
}

TEST(TranslateTest, EmptyLinesStayEmpty) {
  EXPECT_EQ(Translate({}, absl::StrCat("\n\n", EnglishLine(), "\n")).output,
            absl::StrCat("\n\n", GermanLine(), "\n"));
}

TEST(TranslateTest, LinesEndAsTheyCame) {
  EXPECT_EQ(Translate({}, absl::StrCat(kEnglish, "\r\n\r\n\n", kEnglish, "\r\n")).output,
            absl::StrCat(kGerman, "\r\n\r\n\n", kGerman, "\r\n"));
}

TEST(TranslateTest, MissingLastLineEndIsAdded) {
  EXPECT_EQ(Translate({}, EnglishLine() + kEnglish).output, GermanLine() + GermanLine());
}

// Unusual lines; each must give one line and not affect its neighbours.
class OddLineTest : public testing::TestWithParam<std::string> {};

TEST_P(OddLineTest, GivesOneLine) {
  const std::string& odd = GetParam();
  const Outcome outcome = Translate({}, EnglishLine() + odd + "\n" + EnglishLine());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(CountLines(outcome.output), 3);
  EXPECT_TRUE(absl::StartsWith(outcome.output, GermanLine())) << outcome.output;
  EXPECT_TRUE(absl::EndsWith(outcome.output, absl::StrCat("\n", GermanLine()))) << outcome.output;
}

INSTANTIATE_TEST_SUITE_P(All, OddLineTest,
                         testing::Values("I\0love you."s, "\0"s, "\x01\x02\x1b[31m\x7f",
                                         "I am\rhere.", "One.\u2028Two.",
                                         "One.\u2029Two.\u0085Three.", "\v\f", "\xff\xfe",
                                         "caf\xe9", "\xed\xa0\x80", "\xf4\x90\x80\x80", "   ", "\t",
                                         "\u00a0", "\ufeffHello.", "😀👨‍👩‍👧",
                                         "مرحبا", "\u202eabc", "<0x0A>", "</s>", "<unk>", "▁",
                                         ">>deu<<"));

TEST(TranslateTest, LongLineIsOneLine) {
  std::string line;
  while (line.size() < 20000) line += std::string(kEnglish) + " ";
  const Outcome outcome = Translate({}, line + "\n" + EnglishLine());
  EXPECT_EQ(CountLines(outcome.output), 2);
  EXPECT_GT(outcome.output.size(), line.size() / 2);
  EXPECT_TRUE(absl::EndsWith(outcome.output, absl::StrCat("\n", GermanLine())));
}

TEST(TranslateTest, ReadsAndWritesFiles) {
  const std::string input = TemporaryPath("in");
  const std::string output = TemporaryPath("out");
  WriteTextFile(input, EnglishLine() + "\n");
  WriteTextFile(output, std::string(10000, 'x'));
  const Outcome outcome = Translate({"--input=" + input, "--output", output});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(ReadTextFile(output), GermanLine() + "\n");
}

TEST(TranslateTest, DashIsAStandardStream) {
  EXPECT_EQ(Translate({"--input=-", "--output=-"}, EnglishLine()).output, GermanLine());
  EXPECT_EQ(Translate({"-"}, EnglishLine()).output, GermanLine());
}

TEST(TranslateTest, ScoreStandsBeforeATab) {
  const Outcome outcome = Translate({"--scores"}, EnglishLine() + "\n");
  const std::vector<std::string> lines = absl::StrSplit(outcome.output, '\n');
  ASSERT_EQ(lines.size(), 3U) << outcome.output;
  const std::vector<std::string> columns = absl::StrSplit(lines[0], '\t');
  ASSERT_EQ(columns.size(), 2U) << lines[0];
  EXPECT_LT(std::stod(columns[0]), 0);
  EXPECT_GT(std::stod(columns[0]), -20);
  EXPECT_EQ(columns[1], kGerman);
  EXPECT_EQ(lines[1], "0.0000\t");
}

TEST(TranslateTest, JsonHasTextScoreAndTokens) {
  const Outcome outcome = Translate({"--json"}, EnglishLine() + "\n");
  const std::vector<std::string> lines = absl::StrSplit(outcome.output, '\n');
  ASSERT_EQ(lines.size(), 3U) << outcome.output;
  const auto json = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(json.size(), 3U);
  EXPECT_EQ(json.at("text"), kGerman);
  double sum = 0;
  for (const auto& token : json.at("tokens")) {
    EXPECT_EQ(token.size(), 3U);
    EXPECT_TRUE(token.at("piece").is_string());
    EXPECT_TRUE(token.at("id").is_number_integer());
    EXPECT_LE(token.at("log_probability").get<double>(), 0);
    sum += token.at("log_probability").get<double>();
  }
  EXPECT_EQ(json.at("tokens").back().at("piece"), "</s>");
  EXPECT_NEAR(json.at("score").get<double>(), sum, 1e-4);

  const auto empty = nlohmann::json::parse(lines[1]);
  EXPECT_EQ(empty,
            nlohmann::json({{"text", ""}, {"score", 0.0}, {"tokens", nlohmann::json::array()}}));
}

TEST(TranslateTest, JsonIsOneValidLineForAnyText) {
  const Outcome outcome = Translate({"--json"}, "a\0b\r\xff\xfe \"q\" \\ \u2028 \x1b\n"s);
  EXPECT_EQ(CountLines(outcome.output), 1);
  EXPECT_FALSE(
      nlohmann::json::parse(outcome.output, nullptr, /*allow_exceptions=*/false).is_discarded())
      << outcome.output;
}

int64_t SentenceEnds(const Outcome& outcome) {
  int64_t ends = 0;
  const auto json = nlohmann::json::parse(outcome.output);
  for (const auto& token : json.at("tokens")) {
    if (token.at("piece") == "</s>") ++ends;
  }
  return ends;
}

TEST(TranslateTest, SentencesAreSplitUnlessToldNotTo) {
  EXPECT_EQ(SentenceEnds(Translate({"--json", "I am tired. She is here."})), 2);
  EXPECT_EQ(SentenceEnds(Translate({"--json", "--nosplit_sentences", "I am tired. She is here."})),
            1);
}

TEST(TranslateTest, MaxOutputTokensCutsAndWarnsOnce) {
  const Outcome outcome = Translate({"--json", "--max_output_tokens=1"},
                                    absl::StrCat("\n", EnglishLine(), EnglishLine()));
  const std::vector<std::string> lines = absl::StrSplit(outcome.output, '\n');
  EXPECT_EQ(nlohmann::json::parse(lines[1]).at("tokens").size(), 1U);
  EXPECT_TRUE(absl::StartsWith(outcome.error, "limpid: warning: line 2 ")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "--max_output_tokens")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "limpid: 2 lines ")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 2);
}

TEST(TranslateTest, BatchSizeAndThreadsDoNotChangeTheText) {
  std::string input;
  for (const char* line : {"Hello!", "I love you very much.", "", "Where is the station?", "Run!",
                           "She wants to buy a new house next year.", "Tom is not here today."}) {
    absl::StrAppend(&input, line, "\n", EnglishLine());
  }
  const std::string expected = Translate({"--batch_size=1", "--threads=1"}, input).output;
  EXPECT_EQ(CountLines(expected), CountLines(input));
  EXPECT_EQ(Translate({"--batch_size=3", "--threads=2"}, input).output, expected);
  EXPECT_EQ(Translate({"--batch_size=1000", "--threads=1"}, input).output, expected);
}

TEST(TranslateTest, PlainGivesTheSameTranslation) {
  const std::string lines = absl::StrCat(EnglishLine(), "I love you very much.\n", EnglishLine());
  // A batch of one sentence is what drafts are for.
  EXPECT_EQ(Translate({"--plain", "--batch_size=1"}, lines).output,
            Translate({"--batch_size=1"}, lines).output);
}

TEST(TranslateTest, ComputeTypesGiveAboutTheSameScore) {
  const auto score = [](const std::string& type) {
    return std::atof(Translate({"--scores", "--compute_type=" + type, kEnglish}).output.c_str());
  };
  EXPECT_LT(score("float32"), 0);
  EXPECT_NEAR(score("int8"), score("float32"), 0.2);
}

TEST(TranslateTest, InvalidUtf8IsWarnedOfOnce) {
  const Outcome one = Translate({}, EnglishLine() + "caf\xe9.\n" + EnglishLine());
  EXPECT_EQ(one.error,
            "limpid: warning: line 2 is not valid UTF-8; replaced the invalid bytes with U+FFFD\n");
  EXPECT_EQ(one.exit_code, 0);

  const Outcome many = Translate({}, absl::StrCat("a\xff\n", EnglishLine(), "\xff\n\xff\n"));
  EXPECT_EQ(many.error,
            "limpid: warning: line 1 is not valid UTF-8; replaced the invalid bytes with U+FFFD\n"
            "limpid: 3 lines were not valid UTF-8\n");
}

TEST(TranslateTest, ALanguageThatTheModelDoesNotHaveIsWarnedOf) {
  const Outcome outcome = RunProgram({"translate", ">>fra<< I love you."});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.error.find("line 1 begins with the code of a language that the model does not "
                               "have; translated it as text"),
            std::string::npos);
  EXPECT_EQ(RunProgram({"translate", "I love you."}).error, "");
}

TEST(TranslateTest, ATemperatureNearZeroIsGreedy) {
  EXPECT_EQ(RunProgram({"translate", "--temperature=1e-310", kEnglish}).output,
            std::string(kGerman) + "\n");
}

TEST(TranslateTest, SentenceThatIsCutIsWarnedOf) {
  std::string line;
  for (int i = 0; i < 600; ++i) line += "house ";
  const Outcome outcome = Translate({"--max_output_tokens=5"}, EnglishLine() + line + "\n");
  EXPECT_TRUE(absl::StrContains(outcome.error, "limpid: warning: line 2 has a sentence longer"))
      << outcome.error;
}

}  // namespace
}  // namespace limpid::internal

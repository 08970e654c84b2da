// Runs `limpid score` on the shipped model.

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

Outcome Score(std::vector<std::string> arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), {"score", "--compute_type=float32"});
  return RunProgram(arguments, input);
}

TEST(ScoreTest, AGivenTranslationScoresAsTheFoundOne) {
  const Outcome given = Score({kEnglish, kGerman});
  EXPECT_EQ(given.exit_code, 0) << given.error;
  const Outcome found =
      RunProgram({"translate", "--compute_type=float32", "--scores", kEnglish}, "");
  EXPECT_NEAR(std::stod(given.output), std::stod(found.output), 1e-3);
}

TEST(ScoreTest, EachLineGetsALine) {
  const std::string pair = absl::StrCat(kEnglish, "\t", kGerman);
  const Outcome outcome =
      Score({}, absl::StrCat(pair, "\n", kEnglish, "\tWo ist der Bahnhof?\r\n\t\n", pair));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  const std::vector<std::string> lines = absl::StrSplit(outcome.output, '\n');
  ASSERT_THAT(lines, SizeIs(5)) << outcome.output;
  EXPECT_LT(std::stod(lines[1]), std::stod(lines[0]) - 10);
  EXPECT_THAT(lines[1], testing::EndsWith("\r"));
  EXPECT_LE(std::stod(lines[2]), 0);
  EXPECT_EQ(lines[3], lines[0]);
}

TEST(ScoreTest, TokensAddUpToTheSum) {
  const Outcome outcome = Score({"--tokens", kEnglish, kGerman});
  const std::vector<std::string> columns = absl::StrSplit(outcome.output, '\t');
  ASSERT_GT(columns.size(), 5U);
  double sum = 0;
  std::string pieces;
  for (size_t i = 1; i < columns.size(); ++i) {
    const std::vector<std::string> token = absl::StrSplit(columns[i], ' ');
    ASSERT_THAT(token, SizeIs(2));
    pieces += token[0];
    sum += std::stod(token[1]);
  }
  EXPECT_NEAR(sum, std::stod(columns[0]), 1e-3);
  EXPECT_EQ(pieces, "▁Der▁alte▁Mann▁hat▁gestern▁ein▁rotes▁Auto▁gekauft.</s>");
}

TEST(ScoreTest, JsonHasTheSameNumbers) {
  const auto json = nlohmann::json::parse(Score({"--json", kEnglish, kGerman}).output);
  EXPECT_EQ(json.at("text"), kGerman);
  EXPECT_NEAR(json.at("score").get<double>(), std::stod(Score({kEnglish, kGerman}).output), 1e-4);
  EXPECT_EQ(json.at("tokens").back().at("piece"), "</s>");
}

TEST(ScoreTest, BatchesDoNotChangeScores) {
  std::string input;
  for (int i = 0; i < 40; ++i) {
    absl::StrAppend(&input, "I have ", i, " books.\tIch habe ", i * 7, " Bücher.\n");
  }
  const auto scores = [&](const std::string& flag) {
    std::vector<double> all;
    for (const auto line : absl::StrSplit(Score({flag}, input).output, '\n', absl::SkipEmpty())) {
      all.push_back(std::stod(std::string(line)));
    }
    return all;
  };
  const std::vector<double> expected = scores("--batch_size=64");
  EXPECT_THAT(expected, SizeIs(40));
  EXPECT_THAT(scores("--batch_size=1"), testing::Pointwise(testing::DoubleNear(2e-4), expected));
}

TEST(ScoreTest, ATooLongPairIsNanAndTheOthersAreScored) {
  const std::string longest(3000, 'x');
  const std::string pair = absl::StrCat(kEnglish, "\t", kGerman, "\n");
  const Outcome outcome =
      Score({}, absl::StrCat(pair, longest, "\ta\n", pair, "a\t", longest, "\n"));
  EXPECT_EQ(outcome.exit_code, 0);
  const std::vector<std::string> lines = absl::StrSplit(outcome.output, '\n');
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_EQ(lines[1], "nan");
  EXPECT_EQ(lines[3], "nan");
  EXPECT_NEAR(std::stod(lines[2]), std::stod(lines[0]), 1e-3);
  EXPECT_THAT(outcome.error, HasSubstr("warning: line 2 scores nan: the source has"));
  EXPECT_THAT(outcome.error, HasSubstr("2 lines could not be scored"));
}

TEST(ScoreTest, AnEmptySourceIsCalledOne) {
  const Outcome outcome = Score({"--model=tests/golden/ctranslate2/opennmt"}, "\tt1\ns1\tt1\n");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.output.substr(0, 4), "nan\n");
  EXPECT_THAT(outcome.error, HasSubstr("line 1 scores nan: the source is empty"));
}

TEST(ScoreTest, BytesThatAreNoTextAreWarnedOf) {
  EXPECT_THAT(Score({}, "a\xff\tb\n").error, HasSubstr("line 1 is not valid UTF-8"));
}

TEST(ScoreTest, ALineThatIsNoPairIsRefusedByNumber) {
  const Outcome none = Score({}, "a\tb\nno tab here\n");
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.error, HasSubstr("line 2 has no tab; expected source, tab, translation"));
  EXPECT_THAT(Score({}, "a\tb\tc\n").error, HasSubstr("line 1 has more than one tab"));
}

TEST(ScoreTest, ReadsAndWritesFiles) {
  const std::string input = TemporaryPath("pairs");
  const std::string output = TemporaryPath("scores");
  WriteTextFile(input, absl::StrCat(kEnglish, "\t", kGerman, "\n"));
  EXPECT_EQ(Score({"--input=" + input, "--output=" + output}).exit_code, 0);
  EXPECT_EQ(ReadTextFile(output), Score({kEnglish, kGerman}).output);
}

class ScoreUsageTest : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(ScoreUsageTest, IsOneLineAndExitCode2) {
  const Outcome outcome = Score(GetParam());
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(CountLines(outcome.error), 1) << outcome.error;
}

using Words = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(All, ScoreUsageTest,
                         testing::Values(Words{"one text"}, Words{"a", "b", "c"},
                                         Words{"--input=x", "a", "b"},
                                         Words{"--json", "--tokens", "a", "b"},
                                         Words{"--beam_size=3", "a", "b"}));

}  // namespace
}  // namespace limpid::internal

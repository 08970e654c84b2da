// The search flags of `limpid translate`.

#include "tools/search_flags.h"

#include <cmath>
#include <set>
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

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

// Uses float32 so that results do not depend on the processor.
Outcome TranslateInFloat32(std::vector<std::string> arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), "--compute_type=float32");
  return Translate(std::move(arguments), input);
}

std::string TextOf(const std::vector<std::string>& arguments) {
  const Outcome outcome = TranslateInFloat32(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  return outcome.output;
}

// Splits an output into lines of columns.
std::vector<std::vector<std::string>> TableOf(const std::string& output) {
  std::vector<std::vector<std::string>> table;
  for (const absl::string_view line : absl::StrSplit(output, '\n', absl::SkipEmpty())) {
    table.push_back(absl::StrSplit(line, '\t'));
  }
  return table;
}

constexpr char kBook[] = "I read a book as I walked.";  // a beam finds what greedy search does not

TEST(SearchFlagsTest, ABeamOfOneIsGreedySearch) {
  const std::string input = absl::StrCat(kEnglish, "\n", kBook, "\n\n");
  const std::string greedy = TranslateInFloat32({"--json"}, input).output;
  EXPECT_EQ(TranslateInFloat32({"--json", "--beam_size=1", "--length_penalty=0.5"}, input).output,
            greedy);
  EXPECT_NE(TranslateInFloat32({"--json", "--beam_size=4"}, input).output, greedy);
}

TEST(SearchFlagsTest, NBestPrintsLineScoreAndText) {
  const Outcome outcome = TranslateInFloat32({"--beam_size=4", "--nbest=3"},
                                             absl::StrCat(kEnglish, "\r\n\n", kBook, "\n"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto table = TableOf(outcome.output);
  ASSERT_THAT(table, SizeIs(3 + 1 + 3)) << outcome.output;
  const std::vector<std::string> numbers = {"1", "1", "1", "2", "3", "3", "3"};
  std::set<std::string> texts;
  for (size_t i = 0; i < table.size(); ++i) {
    ASSERT_THAT(table[i], SizeIs(3));
    EXPECT_EQ(table[i][0], numbers[i]);
    texts.insert(table[i][2]);
  }
  EXPECT_THAT(texts, SizeIs(7));
  EXPECT_GT(std::stod(table[0][1]), std::stod(table[1][1]));
  EXPECT_GT(std::stod(table[4][1]), std::stod(table[6][1]));
  EXPECT_EQ(table[0][2], absl::StrCat(kGerman, "\r"));
  EXPECT_EQ(table[3][2], "");
}

TEST(SearchFlagsTest, JsonCarriesTheNBestList) {
  const auto json = nlohmann::json::parse(
      TextOf({"--json", "--beam_size=4", "--nbest=3", "--length_penalty=0.6", kBook}));
  ASSERT_THAT(json.at("nbest"), SizeIs(3));
  const auto& best = json.at("nbest")[0];
  EXPECT_EQ(best.at("text"), json.at("text"));
  EXPECT_EQ(best.at("score"), json.at("score"));
  EXPECT_EQ(best.at("tokens"), json.at("tokens"));
  for (const auto& one : json.at("nbest")) {
    const double length = std::pow(static_cast<double>(one.at("tokens").size()), 0.6);
    EXPECT_NEAR(one.at("ranking_score").get<double>(), one.at("score").get<double>() / length,
                1e-4);
  }
}

TEST(SearchFlagsTest, AlternativesAreProbableTokensEachCompleted) {
  const auto table = TableOf(TextOf({"--alternatives=3", "--prefix=Der alte Mann", kEnglish}));
  ASSERT_THAT(table, SizeIs(3));
  double probability = 1;
  for (const auto& row : table) {
    ASSERT_THAT(row, SizeIs(4));
    EXPECT_LT(std::stod(row[1]), probability);
    probability = std::stod(row[1]);
    EXPECT_GT(probability, 0);
    EXPECT_THAT(row[3], StartsWith("Der alte Mann"));
    EXPECT_THAT(row[3], EndsWith("."));
  }
  EXPECT_EQ(table[0][2], "▁hat");
  EXPECT_EQ(table[1][2], "▁kaufte");
  EXPECT_THAT(table[1][3], StartsWith("Der alte Mann kaufte "));
  EXPECT_EQ(table[0][3], kGerman);
}

TEST(SearchFlagsTest, AlternativesStandWhereTheyAreAskedFor) {
  const auto json = nlohmann::json::parse(
      TextOf({"--json", "--alternatives=2", "--alternatives_at=4", kEnglish}));
  ASSERT_THAT(json.at("nbest"), SizeIs(2));
  for (const auto& one : json.at("nbest")) EXPECT_EQ(one.at("alternative_at"), 4);
  const auto& tokens = json.at("nbest")[1].at("tokens");
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(tokens[i] == json.at("tokens")[i], i < 4) << i;

  // After the end of the translation there are no alternatives.
  EXPECT_EQ(TextOf({"--alternatives=2", "--alternatives_at=99", kEnglish}),
            absl::StrCat("1\t\t\t", kGerman, "\n"));
}

TEST(SearchFlagsTest, PrefixBeginsTheTranslation) {
  EXPECT_EQ(TextOf({"--prefix=Gestern", kEnglish}),
            "Gestern hat der alte Mann ein rotes Auto gekauft.\n");
  EXPECT_THAT(TextOf({"--prefix=Gestern", "--beam_size=4", kEnglish}), StartsWith("Gestern "));
  EXPECT_EQ(TranslateInFloat32({"--prefix=Gestern"}, "\n").output, "\n");
  const Outcome outcome =
      TranslateInFloat32({"--prefix=Das ist gut", "--max_output_tokens=3", "x"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("nothing can follow it"));
}

TEST(SearchFlagsTest, SuppressedWordsDoNotOccur) {
  EXPECT_THAT(TextOf({"--suppress=Auto", kEnglish}), Not(HasSubstr("Auto")));
  EXPECT_THAT(TextOf({"--suppress=Auto,ein rotes", "--beam_size=4", kEnglish}),
              AllOf(Not(HasSubstr("Auto")), Not(HasSubstr("ein rotes"))));
}

TEST(SearchFlagsTest, EndsAtThePieceThatIsToEndIt) {
  EXPECT_EQ(TextOf({"--end_at=gestern", kEnglish}), "Der alte Mann hat gestern\n");
  const Outcome outcome = TranslateInFloat32({"--end_at=gestern", kEnglish});
  EXPECT_EQ(outcome.error, "");  // it is not cut off
  const Outcome wrong = TranslateInFloat32({"--end_at=gibtesnicht", kEnglish});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.error, HasSubstr("is not a piece of the vocabulary"));
}

TEST(SearchFlagsTest, LengthAndRepetition) {
  const auto tokens = [](std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--json", kEnglish});
    return nlohmann::json::parse(TextOf(flags)).at("tokens");
  };
  EXPECT_GE(tokens({"--min_output_tokens=20"}).size(), 21U);
  EXPECT_GE(tokens({"--min_output_tokens=20", "--beam_size=3"}).size(), 21U);
  std::set<int> ids;
  const auto without = tokens({"--min_output_tokens=20", "--no_repeat_ngram_size=1"});
  for (const auto& token : without) ids.insert(token.at("id").get<int>());
  EXPECT_EQ(ids.size(), without.size());
  EXPECT_NE(tokens({"--min_output_tokens=20", "--repetition_penalty=3"}),
            tokens({"--min_output_tokens=20"}));
}

TEST(SearchFlagsTest, SamplesDependOnTheSeedNotOnBatchThreadsOrOtherLines) {
  const std::string input = absl::StrCat(kEnglish, "\n", kBook, "\n", kEnglish, "\n");
  const auto sample = [&](const std::vector<std::string>& more, const std::string& text) {
    std::vector<std::string> arguments = {"--temperature=1.5", "--top_k=20", "--top_p=0.95"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return TranslateInFloat32(arguments, text).output;
  };
  const std::string first = sample({"--seed=4"}, input);
  EXPECT_EQ(sample({"--seed=4", "--batch_size=1"}, input), first);
  EXPECT_EQ(sample({"--seed=4", "--threads=1"}, input), first);
  EXPECT_THAT(first,
              HasSubstr(absl::StrCat("\n", sample({"--seed=4"}, absl::StrCat(kBook, "\n")))));
  EXPECT_NE(sample({"--seed=5"}, input), first);
  const auto many = TableOf(sample({"--seed=4", "--nbest=10"}, absl::StrCat(kBook, "\n")));
  ASSERT_THAT(many, SizeIs(10));
  std::set<std::string> texts;
  for (const auto& row : many) texts.insert(row[2]);
  EXPECT_GT(texts.size(), 2U);
}

class ContradictionTest : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(ContradictionTest, IsRefusedInOneLine) {
  std::vector<std::string> arguments = GetParam();
  arguments.emplace_back("x");
  const Outcome outcome = TranslateInFloat32(arguments);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.output, "");
  EXPECT_THAT(outcome.error, StartsWith("limpid: "));
  EXPECT_EQ(CountLines(outcome.error), 1) << outcome.error;
}

using FlagList = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(
    All, ContradictionTest,
    testing::Values(FlagList{"--beam_size=0"}, FlagList{"--beam_size=2", "--temperature=1"},
                    FlagList{"--nbest=2"}, FlagList{"--beam_size=2", "--nbest=3"},
                    FlagList{"--top_k=3"}, FlagList{"--seed=3"}, FlagList{"--top_p=0.5"},
                    FlagList{"--temperature=1", "--top_p=0"}, FlagList{"--temperature=nan"},
                    FlagList{"--alternatives=2", "--beam_size=2"}, FlagList{"--alternatives_at=2"},
                    FlagList{"--alternatives=2", "--nbest=2"},
                    FlagList{"--min_output_tokens=5", "--max_output_tokens=5"},
                    FlagList{"--temperature=1", "--length_penalty=2"},
                    FlagList{"--alternatives=2", "--length_penalty=2"},
                    FlagList{"--alternatives=2", "--alternatives_at=4", "--max_output_tokens=4"},
                    FlagList{"--alternatives=2", "--scores"},
                    FlagList{"--beam_size=2", "--nbest=2", "--alignment=soft"},
                    FlagList{"--beam_size=2", "--nbest=2", "--replace_unknowns"},
                    FlagList{"--suppress=a,b", "--end_at=b"}, FlagList{"--length_penalty=x"}));

}  // namespace
}  // namespace limpid::internal

#include "tools/line_alignment.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

TEST(LineAlignmentTest, CountsWordsThroughTheLine) {
  const Outcome outcome =
      RunProgram({"translate", "--alignment=pharaoh", "I love you. Where is the station?"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.output,
            "Ich liebe dich. Wo ist der Bahnhof?\t0-0 1-1 2-2 3-3 4-4 5-5 6-6 7-7 8-8\n");
  const std::string text = "I love you.";
  EXPECT_EQ(RunProgram({"translate", "--alignment=soft", "--alignment_level=piece", text})
                .output.substr(0, 16),
            "Ich liebe dich.\t");
  const auto json = nlohmann::json::parse(
      RunProgram({"translate", "--json", "--alignment=soft", text}).output)["alignment"];
  EXPECT_EQ(json["target"], (std::vector<std::string>{"Ich", "liebe", "dich", "."}));
  EXPECT_EQ(json["shares"].size(), 4);
  EXPECT_EQ(json["shares"][0].size(), 5);
  EXPECT_EQ(RunProgram({"translate", "--alignment=hard", text}).exit_code, 2);
  EXPECT_EQ(RunProgram({"translate", "--alignment_level=letter", text}).exit_code, 2);
}

TEST(LineAlignmentTest, WordsThatWereNotTranslatedCount) {
  const std::string text = "I love you. 你好。 12:30. Where is he?";
  const Outcome outcome = RunProgram({"translate", "--alignment=pharaoh", text});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.output, testing::StartsWith("Ich liebe dich. 你好。 "));
  EXPECT_THAT(outcome.output, testing::HasSubstr("\t0-0 1-1 2-2 3-3 4-4 5-5 "));
  const auto json = nlohmann::json::parse(
      RunProgram({"translate", "--json", "--alignment=soft", text}).output)["alignment"];
  const auto source = json["source"].get<std::vector<std::string>>();
  EXPECT_EQ(source.at(4), "你好");
  EXPECT_EQ(source.back(), "?");
  EXPECT_EQ(json["shares"].at(4).size(), source.size() + 1);
  EXPECT_EQ(json["shares"].at(4).at(4), 1.0);
}

// Special tokens are not pieces of the sentence, whatever their names.
TEST(LineAlignmentTest, PiecesAreCountedWithoutMarks) {
  const Outcome outcome =
      RunProgram({"translate", "--model=tests/golden/nn_transformer_source_bos/model.pt", "--json",
                  "--alignment=pharaoh", "--alignment_level=piece", "s1 s2"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto alignment = nlohmann::json::parse(outcome.output)["alignment"];
  EXPECT_EQ(alignment["source"], (std::vector<std::string>{"s1", "s2"}));
}

}  // namespace
}  // namespace limpid::internal

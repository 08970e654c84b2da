#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(TraceToolTest, ShowsWhereEachWordComesFrom) {
  const Outcome outcome = RunProgram({"trace", "I love you very much."});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.output,
              StartsWith("I love you very much.\nIch liebe dich sehr.\n\n  Ich ← I "));
  EXPECT_THAT(outcome.output, HasSubstr("  liebe ← love "));
  EXPECT_THAT(outcome.output, HasSubstr("  dich ← you "));
  EXPECT_THAT(outcome.output, HasSubstr("\n0-0 1-1 2-2 "));
}

TEST(TraceToolTest, SeveralSentencesAreTracedOneByOne) {
  const Outcome outcome = RunProgram({"trace", "I love you. Where is the station?"});
  EXPECT_THAT(outcome.output, HasSubstr("I love you.\nIch liebe dich.\n"));
  EXPECT_THAT(outcome.output, HasSubstr("\n\nWhere is the station?\n"));
}

TEST(TraceToolTest, LooksAtAGivenTranslation) {
  const Outcome outcome = RunProgram({"trace", "--target=Ich mag dich.", "I love you."});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.output, StartsWith("I love you.\nIch mag dich.\n"));
  EXPECT_THAT(outcome.output, HasSubstr("  mag ← love "));
}

TEST(TraceToolTest, FollowsWhatASearchFinds) {
  const std::string text = "I read a book as I walked.";
  const std::string found =
      RunProgram({"translate", "--compute_type=float32", "--beam_size=4", text}).output;
  EXPECT_NE(found, RunProgram({"translate", "--compute_type=float32", text}).output);
  EXPECT_THAT(RunProgram({"trace", "--compute_type=float32", "--beam_size=4", text}).output,
              HasSubstr("\n" + found + "\n"));
  EXPECT_THAT(RunProgram({"trace", "--prefix=Heute", text}).output, HasSubstr("\nHeute "));
  const Outcome wrong = RunProgram({"trace", "--beam_size=4", "--temperature=1", text});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.error, HasSubstr("use one of them"));
}

TEST(TraceToolTest, RowLayerAndHeadChooseOtherWeights) {
  const std::string by_default = RunProgram({"trace", "I love you."}).output;
  for (const char* flag : {"--row=input", "--layer=0", "--head=2"}) {
    const Outcome outcome = RunProgram({"trace", flag, "I love you."});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    EXPECT_NE(outcome.output, by_default) << flag;
  }
  EXPECT_EQ(RunProgram({"trace", "--row=output", "--layer=1", "--head=0", "I love you."}).output,
            by_default);
}

TEST(TraceToolTest, MistakesAreToldInOneLine) {
  const Outcome no_text = RunProgram({"trace"});
  EXPECT_EQ(no_text.exit_code, 2);
  EXPECT_THAT(no_text.error, HasSubstr("there is no TEXT to trace"));
  const Outcome row = RunProgram({"trace", "--row=both", "a"});
  EXPECT_EQ(row.exit_code, 2);
  EXPECT_THAT(row.error, HasSubstr("--row must be output or input, not 'both'"));
  const Outcome layer = RunProgram({"trace", "--layer=5", "I love you."});
  EXPECT_EQ(layer.exit_code, 1);
  EXPECT_THAT(layer.error, HasSubstr("layer 5"));
  EXPECT_EQ(CountLines(no_text.error + row.error + layer.error), 3);
}

}  // namespace
}  // namespace limpid

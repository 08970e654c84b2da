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

TEST(TraceToolTest, RowLayerAndHeadChooseOtherWeights) {
  const std::string by_default = RunProgram({"trace", "I love you."}).output;
  for (const char* flag : {"--row=input", "--layer=0", "--head=2"}) {
    const Outcome outcome = RunProgram({"trace", flag, "I love you."});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    EXPECT_NE(outcome.output, by_default) << flag;
  }
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

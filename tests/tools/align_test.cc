#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kSource[] = "--source=tests/golden/align-tatoeba/source.eng";
constexpr char kTarget[] = "--target=tests/golden/align-tatoeba/target.deu";

TEST(AlignToolTest, AlignsTheWordsThatSpacesSeparate) {
  const Outcome outcome = RunProgram({"align", "--compute_type=float32", kSource, kTarget});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(CountLines(outcome.output), 109);
  // I had no idea what to expect .  →  Ich hatte keine Ahnung , was mich erwartete .
  EXPECT_THAT(outcome.output, HasSubstr("\n0-0 1-1 2-2 3-3 4-4 4-5 5-6 6-7 7-8\n"));
  const std::string soft =
      RunProgram({"align", "--format=soft", "--measure=norm", kSource, kTarget}).output;
  EXPECT_EQ(CountLines(soft), 109);
}

TEST(AlignToolTest, MistakesAreTold) {
  EXPECT_THAT(RunProgram({"align", kSource}).error, HasSubstr("both --source=FILE and --target"));
  EXPECT_EQ(RunProgram({"align", kSource, kTarget, "--links=some"}).exit_code, 2);
  EXPECT_EQ(RunProgram({"align", kSource, kTarget, "--measure=size"}).exit_code, 2);
  const Outcome lines = RunProgram({"align", kSource, "--target=README.md"});
  EXPECT_EQ(lines.exit_code, 1);
  EXPECT_THAT(lines.error, HasSubstr("the same number of lines"));
  EXPECT_THAT(RunProgram({"align", kSource, "--target=nowhere"}).error,
              StartsWith("limpid: cannot read nowhere"));
}

}  // namespace
}  // namespace limpid

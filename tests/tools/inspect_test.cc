#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid {
namespace {

TEST(InspectTest, PrintsWhatTheModelIs) {
  const Outcome outcome = RunProgram({"inspect", "models/eng-deu"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.error, "");
  EXPECT_TRUE(absl::StrContains(outcome.output, "Limpid folder")) << outcome.output;
}

TEST(InspectTest, WithoutAPathTakesTheDefaultModel) {
  EXPECT_EQ(RunProgram({"inspect"}).output, RunProgram({"inspect", "models/eng-deu"}).output);
}

TEST(InspectTest, WhatIsNoModelIsAFailure) {
  const Outcome outcome = RunProgram({"inspect", "tools"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StrContains(outcome.error, "tools")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
}

TEST(InspectTest, TakesOneModel) { EXPECT_EQ(RunProgram({"inspect", "a", "b"}).exit_code, 2); }

}  // namespace
}  // namespace limpid

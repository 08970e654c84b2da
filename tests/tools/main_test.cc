// Help, version, unknown commands and the environment.

#include <fcntl.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

TEST(MainTest, AloneItPrintsHelpAndFails) {
  const Outcome outcome = RunProgram({});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StrContains(outcome.error, "limpid translate")) << outcome.error;
}

TEST(MainTest, HelpListsTheCommands) {
  const Outcome help = RunProgram({"help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.error, "");
  for (const char* command : {"translate", "score", "convert", "inspect", "help", "version"}) {
    EXPECT_TRUE(absl::StrContains(help.output, std::string("\n  ") + command + " ")) << command;
  }
  EXPECT_EQ(RunProgram({"--help"}).output, help.output);
  EXPECT_EQ(RunProgram({"-h"}).output, help.output);
  EXPECT_EQ(RunProgram({"help", "help"}).output, help.output);
}

class CommandTest : public testing::TestWithParam<std::string> {};

TEST_P(CommandTest, HasHelpThatFitsATerminal) {
  const Outcome help = RunProgram({"help", GetParam()});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.error, "");
  EXPECT_TRUE(absl::StartsWith(help.output, "Usage: limpid " + GetParam())) << help.output;
  EXPECT_EQ(RunProgram({GetParam(), "--help"}).output, help.output);
  for (const absl::string_view line : absl::StrSplit(help.output, '\n')) {
    EXPECT_LE(line.size(), 80U) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(All, CommandTest,
                         testing::Values("translate", "score", "trace", "convert", "inspect",
                                         "version"));

TEST(MainTest, VersionIsPrinted) {
  const Outcome outcome = RunProgram({"version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(absl::StartsWith(outcome.output, "limpid 0.")) << outcome.output;
  EXPECT_EQ(CountLines(outcome.output), 1);
  EXPECT_EQ(RunProgram({"--version"}).output, outcome.output);
}

TEST(MainTest, UnknownCommandSaysWhatToDo) {
  const Outcome typo = RunProgram({"trnaslate", "x"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_EQ(typo.output, "");
  EXPECT_EQ(typo.error, "limpid: unknown command 'trnaslate'; did you mean: limpid translate?\n");

  const Outcome text = RunProgram({"I love you."});
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_TRUE(absl::StrContains(text.error, "limpid translate TEXT")) << text.error;
  EXPECT_EQ(CountLines(text.error), 1);

  EXPECT_EQ(RunProgram({"help", "no-such"}).exit_code, 2);
}

// Sets variables that oneDNN and ICU would read.
TEST(MainTest, TheEnvironmentLoadsNothingAndWritesNothing) {
  const std::string folder = TemporaryPath("folder");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  ProgramOptions options;
  options.path = "/bin/sh";
  options.environment = {"LIMPID_MODEL=" + std::filesystem::absolute("models/eng-deu").string(),
                         "ONEDNN_JIT_DUMP=1",
                         "DNNL_JIT_DUMP=1",
                         "ONEDNN_VERBOSE=2",
                         "DNNL_VERBOSE=2",
                         "ICU_DATA=" + folder};
  const Outcome outcome = RunProgram(
      {"-c", "cd \"$1\" && exec \"$2\" translate \"$3\"", "sh", folder, LIMPID_PROGRAM, kEnglish},
      "", options);
  EXPECT_EQ(outcome.output, std::string(kGerman) + "\n");
  EXPECT_EQ(outcome.error, "");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

// ONEDNN_MAX_CPU_ISA emulates another processor. Without AVX2, oneDNN has no bfloat16.
TEST(MainTest, AnotherInstructionSetMayBeAskedFor) {
  ProgramOptions options;
  options.environment = {"LIMPID_MODEL=models/eng-deu", "ONEDNN_MAX_CPU_ISA=SSE41"};
  const Outcome outcome = RunProgram({"translate", "--compute_type=bfloat16", "a"}, "", options);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "does not compute in bfloat16")) << outcome.error;
}

TEST(MainTest, HelpThatCannotBePrintedIsAFailure) {
  ProgramOptions options;
  options.output = open("/dev/full", O_WRONLY | O_CLOEXEC);
  const Outcome outcome = RunProgram({"help"}, "", options);
  close(options.output);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "No space left")) << outcome.error;
}

}  // namespace
}  // namespace limpid::internal

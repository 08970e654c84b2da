// `limpid translate` with bad files, models and flags.

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

TEST(TranslateTest, FullDiskIsAFailure) {
  ProgramOptions options;
  options.output = open("/dev/full", O_WRONLY | O_CLOEXEC);
  const Outcome outcome = Translate({}, EnglishLine(), options);
  close(options.output);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error, "limpid: cannot write standard output: No space left on device\n");

  const Outcome file = Translate({"--output=/dev/full", kEnglish});
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_EQ(file.error, "limpid: cannot write /dev/full: No space left on device\n");
}

TEST(TranslateTest, MissingInputIsAFailureAndLeavesTheOutputAlone) {
  const std::string output = TemporaryPath("out");
  WriteTextFile(output, "precious");
  const Outcome outcome = Translate({"--input=no/such.txt", "--output=" + output});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error, "limpid: cannot read no/such.txt: No such file or directory\n");
  EXPECT_EQ(ReadTextFile(output), "precious");
}

TEST(TranslateTest, MissingModelIsAFailureAndLeavesTheOutputAlone) {
  const std::string output = TemporaryPath("out");
  WriteTextFile(output, "precious");
  const Outcome outcome = Translate({"--model=no/such", "--output=" + output, kEnglish});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "no/such")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "--model")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
  EXPECT_EQ(ReadTextFile(output), "precious");
}

TEST(TranslateTest, FolderWithoutAModelIsAFailure) {
  const Outcome outcome = Translate({"--model=tools", kEnglish});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StartsWith(outcome.error, "limpid: cannot load the model: tools"))
      << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
}

TEST(TranslateTest, FolderIsNoInputAndNoOutput) {
  const Outcome input = Translate({"--input=tools"});
  EXPECT_EQ(input.exit_code, 1);
  EXPECT_EQ(input.error, "limpid: cannot read tools: Is a directory\n");
  const Outcome output = Translate({"--output=tools", kEnglish});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_EQ(output.error, "limpid: cannot write tools: Is a directory\n");
}

TEST(TranslateTest, DoesNotOverwriteItsInput) {
  const std::string path = TemporaryPath("text");
  WriteTextFile(path, EnglishLine());
  const Outcome outcome = Translate({"--input=" + path, "--output=" + path});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "--output")) << outcome.error;
  EXPECT_EQ(ReadTextFile(path), EnglishLine());
}

// Runs limpid in a shell with redirections. The limits stop a program that reads its own output.
Outcome InAShell(const std::string& redirected, const std::string& path) {
  ProgramOptions options;
  options.path = "/bin/sh";
  return RunProgram(
      {"-c", "ulimit -f 100; exec timeout 60 \"$0\" translate " + redirected, LIMPID_PROGRAM, path},
      "", options);
}

TEST(TranslateTest, DoesNotFeedOnItsOwnOutput) {
  const std::string path = TemporaryPath("text");
  for (const char* redirected :
       {"--input=\"$1\" >> \"$1\"", "< \"$1\" >> \"$1\"", "- < \"$1\" >> \"$1\"",
        "--output=\"$1\" < \"$1\"", "--input=\"$1\" --resume --output=\"$1\""}) {
    WriteTextFile(path, EnglishLine());
    const Outcome outcome = InAShell(redirected, path);
    EXPECT_EQ(outcome.exit_code, 1) << redirected;
    EXPECT_TRUE(absl::StrContains(outcome.error, "cannot write the output over the input"))
        << redirected << ": " << outcome.error;
    EXPECT_EQ(ReadTextFile(path), EnglishLine()) << redirected;
  }
}

// Standard input may be the output file if it is not read.
TEST(TranslateTest, StandardInputDoesNotMatterWhereThereIsText) {
  const std::string path = TemporaryPath("text");
  WriteTextFile(path, "");
  const Outcome outcome = InAShell("--output=\"$1\" 'I love you.' < \"$1\"", path);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(ReadTextFile(path), "Ich liebe dich.\n");
}

TEST(TranslateTest, AClosedStreamIsNotTakenForAFile) {
  const std::string path = TemporaryPath("text");
  WriteTextFile(path, "");
  const Outcome input = InAShell("--output=\"$1\" 'I love you.' <&-", path);
  EXPECT_EQ(input.exit_code, 0) << input.error;
  EXPECT_EQ(ReadTextFile(path), "Ich liebe dich.\n");
  // Otherwise, the output would get descriptor 2, and with it the warning.
  const Outcome error = InAShell("--output=\"$1\" \"$(printf 'I love you.\\377')\" 2>&-", path);
  EXPECT_EQ(error.exit_code, 0);
  EXPECT_EQ(CountLines(ReadTextFile(path)), 1) << ReadTextFile(path);
  EXPECT_FALSE(absl::StrContains(ReadTextFile(path), "limpid")) << ReadTextFile(path);
  // Reading and writing closed streams fails.
  const Outcome read = InAShell("<&-", path);
  EXPECT_EQ(read.exit_code, 1);
  EXPECT_EQ(read.error, "limpid: cannot read standard input: Bad file descriptor\n");
  const Outcome write = InAShell("'I love you.' >&-", path);
  EXPECT_EQ(write.exit_code, 1);
  EXPECT_EQ(write.error, "limpid: cannot write standard output: Bad file descriptor\n");
}

class UsageErrorTest : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(UsageErrorTest, IsOneLineAndExitCode2) {
  const Outcome outcome = Translate(GetParam());
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StartsWith(outcome.error, "limpid: ")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1) << outcome.error;
}

INSTANTIATE_TEST_SUITE_P(All, UsageErrorTest,
                         testing::Values(std::vector<std::string>{"--no_such_flag", "x"},
                                         std::vector<std::string>{"--batch_size=0", "x"},
                                         std::vector<std::string>{"--batch_size=many", "x"},
                                         std::vector<std::string>{"--threads=-1", "x"},
                                         std::vector<std::string>{"--max_output_tokens=-1", "x"},
                                         std::vector<std::string>{"x", "--model"},
                                         std::vector<std::string>{"--scores=perhaps", "x"},
                                         std::vector<std::string>{"--compute_type=int3", "x"},
                                         std::vector<std::string>{"--resume", "--output=file"},
                                         std::vector<std::string>{"--resume", "--input=file"},
                                         std::vector<std::string>{"--resume", "--input=a",
                                                                  "--output=b", "--beam_size=2",
                                                                  "--nbest=2"},
                                         std::vector<std::string>{"--input=file", "-"},
                                         std::vector<std::string>{"--input=file", "x"}));

}  // namespace
}  // namespace limpid::internal

// `limpid translate --resume`: going on after a run that was cut short.

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid {
namespace {

std::string English() { return absl::StrCat(kEnglish, "\n"); }

// Lines of several lengths, some empty, the last one without an end.
std::string Book() {
  std::string book;
  for (int i = 0; i < 300; ++i) {
    absl::StrAppend(&book, i % 7 == 0 ? "" : absl::StrCat("The man has ", i, " red cars."),
                    i % 5 == 0 ? "\r\n" : "\n");
  }
  return book + kEnglish;
}

TEST(ResumeTest, NoLineIsLostOrDoubledWhenItIsKilled) {
  const std::string input = TemporaryPath("in");
  const std::string output = TemporaryPath("out");
  const std::string whole = TemporaryPath("whole");
  WriteTextFile(input, Book());
  std::filesystem::remove(output);
  ASSERT_EQ(RunProgram({"translate", "--input=" + input, "--output=" + whole}).exit_code, 0);

  const std::vector<std::string> resume = {"translate", "--input=" + input, "--output=" + output,
                                           "--resume", "--batch_size=4"};
  int killed = 0;
  for (int64_t enough = 1; enough < 200; enough += 60) {
    Program program(resume);
    while (CountLines(ReadTextFile(output)) < enough) std::this_thread::yield();
    program.Kill(SIGKILL);
    if (program.Wait() == 128 + SIGKILL) ++killed;
    // What a machine that stops in the middle of a line leaves behind.
    WriteTextFile(output, ReadTextFile(output) + "Der Mann h");
  }
  EXPECT_GT(killed, 0);
  const Outcome last = RunProgram(resume);
  EXPECT_EQ(last.exit_code, 0) << last.error;
  EXPECT_EQ(ReadTextFile(output), ReadTextFile(whole));

  EXPECT_EQ(RunProgram(resume).exit_code, 0);  // nothing is left to do
  EXPECT_EQ(ReadTextFile(output), ReadTextFile(whole));
}

TEST(ResumeTest, WarningsCountLinesFromTheBeginning) {
  const std::string input = TemporaryPath("in");
  const std::string output = TemporaryPath("out");
  WriteTextFile(input, "\n\n\xff\n");
  WriteTextFile(output, "\n\n");
  const Outcome outcome =
      RunProgram({"translate", "--resume", "--input=" + input, "--output=" + output});
  EXPECT_TRUE(absl::StrContains(outcome.error, "line 3 is not valid UTF-8")) << outcome.error;
}

TEST(ResumeTest, OutputOfAnotherInputIsRefusedAndLeftAlone) {
  const std::string input = TemporaryPath("in");
  const std::string output = TemporaryPath("out");
  WriteTextFile(input, English());
  WriteTextFile(output, "one\ntwo\nthr");
  const Outcome outcome =
      RunProgram({"translate", "--resume", "--input=" + input, "--output=" + output});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "has 2 lines, but ")) << outcome.error;
  EXPECT_EQ(ReadTextFile(output), "one\ntwo\nthr");

  const Outcome itself =
      RunProgram({"translate", "--resume", "--input=" + input, "--output=" + input});
  EXPECT_EQ(itself.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(itself.error, "over the input")) << itself.error;
  EXPECT_EQ(ReadTextFile(input), English());

  const Outcome device =
      RunProgram({"translate", "--resume", "--input=" + input, "--output=/dev/full"});
  EXPECT_EQ(device.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(device.error, "/dev/full is no file")) << device.error;
}

}  // namespace
}  // namespace limpid

// `limpid translate --resume`: continuing an interrupted run.

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

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
    EXPECT_TRUE(program.WaitUntil([&] { return CountLines(ReadTextFile(output)) >= enough; }));
    program.Kill(SIGKILL);
    if (program.Wait() == 128 + SIGKILL) ++killed;
    // As after a crash in the middle of a line.
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
  WriteTextFile(input, EnglishLine());
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
  EXPECT_EQ(ReadTextFile(input), EnglishLine());

  const Outcome device =
      RunProgram({"translate", "--resume", "--input=" + input, "--output=/dev/full"});
  EXPECT_EQ(device.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(device.error, "/dev/full is not a regular file")) << device.error;
}

// A run with the flags and model in `how`, killed before its end.
class CutShortTest : public testing::Test {
 protected:
  CutShortTest() { WriteTextFile(input_, Book()); }

  std::vector<std::string> Command(const std::vector<std::string>& how) const {
    std::vector<std::string> command = {"translate", "--input=" + input_, "--output=" + output_,
                                        "--batch_size=1", "--threads=1"};
    command.insert(command.end(), how.begin(), how.end());
    return command;
  }
  void CutShort(const std::vector<std::string>& how) const {
    std::filesystem::remove(output_);
    Program program(Command(how));
    EXPECT_TRUE(program.WaitUntil([&] { return CountLines(ReadTextFile(output_)) > 2; }));
    program.Kill(SIGKILL);
    EXPECT_EQ(program.Wait(), 128 + SIGKILL);
  }
  Outcome Resume(std::vector<std::string> how) const {
    how.emplace_back("--resume");
    return RunProgram(Command(how));
  }
  void ExpectRefused(const std::vector<std::string>& how, const std::string& why) const {
    const std::string before = ReadTextFile(output_);
    const Outcome outcome = Resume(how);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_TRUE(absl::StrContains(outcome.error, "cannot resume: " + output_)) << outcome.error;
    EXPECT_TRUE(absl::StrContains(outcome.error, why)) << outcome.error;
    EXPECT_EQ(ReadTextFile(output_), before);
  }

  const std::string input_ = TemporaryPath("in");
  const std::string output_ = TemporaryPath("out");
  const std::string note_ = output_ + ".resume";
};

TEST_F(CutShortTest, OtherFlagsAreRefused) {
  for (const bool resumable : {false, true}) {
    CutShort(resumable ? std::vector<std::string>{"--scores", "--resume"}
                       : std::vector<std::string>{"--scores"});
    ExpectRefused({}, "with other flags (--scores=true, not none)");
    ExpectRefused({"--scores", "--beam_size=2"}, "not --beam_size=2 --scores=true)");
    const Outcome same = Resume({"--scores", "--beam_size=1", "--batch_size=7", "--threads=2"});
    EXPECT_EQ(same.exit_code, 0) << same.error;
    EXPECT_EQ(CountLines(ReadTextFile(output_)), 301);
    EXPECT_FALSE(std::filesystem::exists(note_));
  }
}

TEST_F(CutShortTest, AnotherModelIsRefusedAndACopyIsNot) {
  const std::string copy = TemporaryPath("copy");
  std::filesystem::copy("models/eng-deu", copy);
  CutShort({});
  std::filesystem::remove(copy + "/shortlist.bin");
  ExpectRefused({"--model=" + copy}, "with another model");
  std::filesystem::copy_file("models/eng-deu/shortlist.bin", copy + "/shortlist.bin");
  WriteTextFile(copy + "/README.md", "A copy.");
  const Outcome same = Resume({"--model=" + copy});
  EXPECT_EQ(same.exit_code, 0) << same.error;
  EXPECT_EQ(CountLines(ReadTextFile(output_)), 301);
}

TEST_F(CutShortTest, OutputOfAnEarlierVersionIsGoneOnWith) {
  CutShort({"--scores"});
  std::filesystem::remove(note_);
  EXPECT_EQ(Resume({}).exit_code, 0);
  EXPECT_EQ(CountLines(ReadTextFile(output_)), 301);
}

TEST_F(CutShortTest, AnOutputThatIsBegunAnewMayHaveOtherFlags) {
  CutShort({"--scores"});
  std::filesystem::remove(output_);
  EXPECT_EQ(Resume({}).exit_code, 0);
  CutShort({"--scores"});
  EXPECT_EQ(RunProgram(Command({})).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(note_));
}

TEST_F(CutShortTest, NothingIsLeftBesideAnOutputThatIsWholeOrNoFile) {
  EXPECT_EQ(RunProgram(Command({})).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(note_));
  const std::string link = TemporaryPath("link");
  std::filesystem::create_symlink("/dev/null", link);
  EXPECT_EQ(RunProgram({"translate", "--input=" + input_, "--output=" + link}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(link + ".resume"));
}

}  // namespace
}  // namespace limpid::internal

#include "tools/streams.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

class StreamsTest : public testing::Test {
 protected:
  StreamsTest() : input_path_(TemporaryPath("in")), output_path_(TemporaryPath("out")) {
    WriteTextFile(input_path_, "source\n");
    fs::remove(output_path_);
    input_ = *OpenInput(input_path_);
  }
  ~StreamsTest() override { close(input_.descriptor); }

  static void Write(const File& file, std::string_view text) {
    ASSERT_EQ(write(file.descriptor, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  // Resumes, truncates an incomplete line, writes `text`, and returns the number of complete lines.
  int64_t GoOn(std::string_view text) {
    const auto output = ReopenOutput(output_path_, {input_});
    EXPECT_TRUE(output.ok()) << output.status();
    if (!output.ok()) return -1;
    EXPECT_TRUE(Truncate(output->file).ok());
    Write(output->file, text);
    close(output->file.descriptor);
    return output->lines;
  }

  const std::string input_path_;
  const std::string output_path_;
  File input_;
};

TEST_F(StreamsTest, NoPathAndADashAreTheStandardStreams) {
  for (const char* path : {"", "-"}) {
    EXPECT_EQ(OpenInput(path)->descriptor, STDIN_FILENO);
    EXPECT_EQ(OpenInput(path)->name, "standard input");
    EXPECT_EQ(OpenOutput(path, {input_})->descriptor, STDOUT_FILENO);
    EXPECT_EQ(OpenOutput(path, {input_})->name, "standard output");
  }
}

TEST_F(StreamsTest, WhatCannotBeOpenedIsNamedWithTheReason) {
  EXPECT_EQ(OpenInput("no/such/file").status().message(),
            "cannot read no/such/file: No such file or directory");
  EXPECT_EQ(OpenOutput("no/such/file", {input_}).status().message(),
            "cannot write no/such/file: No such file or directory");
  EXPECT_EQ(ReopenOutput("no/such/file", {input_}).status().message(),
            "cannot write no/such/file: No such file or directory");
}

TEST_F(StreamsTest, AnOutputBeginsEmpty) {
  WriteTextFile(output_path_, "of an earlier run");
  const auto output = OpenOutput(output_path_, {input_});
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->name, output_path_);
  Write(*output, "new\n");
  close(output->descriptor);
  EXPECT_EQ(ReadTextFile(output_path_), "new\n");
}

TEST_F(StreamsTest, TheInputIsNotWrittenOverByWhateverName) {
  const std::string link = TemporaryPath("link");
  fs::remove(link);
  fs::create_hard_link(input_path_, link);
  for (const std::string& path : {input_path_, link}) {
    const std::string expected =
        absl::StrCat("cannot write the output over the input ", path, "; choose another --output");
    EXPECT_EQ(OpenOutput(path, {input_}).status().message(), expected);
    EXPECT_EQ(ReopenOutput(path, {input_}).status().message(), expected);
  }
  EXPECT_EQ(ReadTextFile(input_path_), "source\n");
}

TEST_F(StreamsTest, EachOfSeveralInputsIsGuarded) {
  const File other = *OpenInput(input_path_);
  const File null = *OpenInput("/dev/null");
  EXPECT_FALSE(OpenOutput(input_path_, {null, other}).ok());
  EXPECT_FALSE(CheckOutput(input_path_, {null, other}).ok());
  EXPECT_TRUE(CheckOutput(output_path_, {null, other}).ok());
  EXPECT_TRUE(OpenOutput(output_path_, {null, other}).ok());
}

std::string Clash(const std::vector<NamedOutput>& outputs, const std::string& printed = "") {
  return std::string(CheckOutputsDiffer(printed, outputs).message());
}

TEST_F(StreamsTest, OutputsOfOneCommandHaveAFileEach) {
  const std::string a = output_path_;
  const std::string link = TemporaryPath("link");
  fs::remove(link);
  fs::create_symlink(a, link);
  for (const bool exists : {false, true}) {
    if (exists) WriteTextFile(a, "");
    EXPECT_EQ(Clash({{"--svg", a}, {"--html", a + ".html"}, {"--json", ""}, {"--npz", ""}}), "");
    EXPECT_EQ(
        Clash({{"--svg", a}, {"--html", a}}),
        absl::StrCat("--svg and --html cannot both go to ", a, "; give each a file of its own"));
    const std::string detour = (fs::path(a).parent_path() / "." / fs::path(a).filename()).string();
    EXPECT_NE(Clash({{"--svg", a}, {"--html", detour}}), "");
    EXPECT_NE(Clash({{"--svg", link}, {"--json", "x"}, {"--html", a}}), "");
  }
  EXPECT_EQ(Clash({{"--svg", "/dev/null"}, {"--html", "/dev/null"}}), "");
  EXPECT_EQ(Clash({{"--svg", "-"}, {"--html", a}}), "");
  EXPECT_NE(Clash({{"--svg", "-"}, {"--html", "-"}}), "");
  EXPECT_EQ(Clash({{"--svg", "-"}}, "--check"),
            "--check and --svg cannot both go to standard output; give each a file of its own");
}

// A terminal or /dev/null may be both input and output.
TEST_F(StreamsTest, ADeviceMayBeInputAndOutput) {
  const File null = *OpenInput("/dev/null");
  EXPECT_TRUE(OpenOutput("/dev/null", {null}).ok());
}

TEST_F(StreamsTest, GoesOnBehindTheLastWholeLine) {
  EXPECT_EQ(GoOn("one\ntwo\nthr"), 0);  // makes the file
  EXPECT_EQ(GoOn("three\n"), 2);
  EXPECT_EQ(ReadTextFile(output_path_), "one\ntwo\nthree\n");
  EXPECT_EQ(GoOn(""), 3);
  EXPECT_EQ(ReadTextFile(output_path_), "one\ntwo\nthree\n");
}

// Lines that end in different blocks, one of them longer than a block.
TEST_F(StreamsTest, CountsTheLinesOfALargeFile) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&text, "line ", i, "\n");
  text += std::string(300'000, 'x') + "\n";
  WriteTextFile(output_path_, text + std::string(300'000, 'y'));
  EXPECT_EQ(GoOn("z\n"), 20'001);
  EXPECT_TRUE(ReadTextFile(output_path_) == text + "z\n");  // too much to be shown
}

TEST_F(StreamsTest, UntilItIsCutOffTheRestStays) {
  WriteTextFile(output_path_, "one\ntw");
  const auto output = ReopenOutput(output_path_, {input_});
  ASSERT_TRUE(output.ok()) << output.status();
  close(output->file.descriptor);
  EXPECT_EQ(ReadTextFile(output_path_), "one\ntw");
}

TEST_F(StreamsTest, OnlyAFileCanBeGoneOnWith) {
  const std::string pipe = TemporaryPath("pipe");
  fs::remove(pipe);
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {std::string("/dev/null"), pipe}) {
    EXPECT_EQ(ReopenOutput(path, {input_}).status().message(),
              absl::StrCat("cannot resume: the output ", path, " is not a regular file"));
  }
}

}  // namespace
}  // namespace limpid::internal

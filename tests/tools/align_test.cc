#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kSource[] = "--source=tests/golden/align-tatoeba/source.eng";
constexpr char kTarget[] = "--target=tests/golden/align-tatoeba/target.deu";

TEST(AlignToolTest, AlignsTheWordsThatSpacesSeparate) {
  const Outcome outcome = RunProgram({"align", "--compute_type=float32", kSource, kTarget});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(CountLines(outcome.output), 109);
  // Tom is from Boston , but now he lives in Chicago .
  // Tom ist aus Boston , lebt aber jetzt in Chicago .
  EXPECT_THAT(outcome.output, HasSubstr("\n0-0 1-1 2-2 3-3 4-4 8-5 5-6 6-7 9-8 10-9 11-10\n"));
  const std::string soft =
      RunProgram({"align", "--format=soft", "--measure=norm", kSource, kTarget}).output;
  EXPECT_EQ(CountLines(soft), 109);
}

std::string FileOf(const std::string& name, const std::string& text) {
  const std::string path = TemporaryPath(name);
  WriteTextFile(path, text);
  return path;
}

TEST(AlignToolTest, APairThatIsTooLongIsAnEmptyLine) {
  std::string source;
  std::string target;
  for (int i = 1; i <= 300; ++i) {
    const bool is_long = i == 290 || i == 300;
    for (int word = 0; word < (is_long ? 900 : 1); ++word) source += "I ";
    source += "love\n";
    target += "Ich liebe\n";
  }
  const Outcome outcome = RunProgram({"align", "--source=" + FileOf("long.source", source),
                                      "--target=" + FileOf("long.target", target)});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(CountLines(outcome.output), 300);
  EXPECT_THAT(outcome.output, HasSubstr("\n0-0 1-1\n\n0-0 1-1\n"));
  EXPECT_THAT(outcome.output, testing::EndsWith("1-1\n\n"));
  EXPECT_THAT(outcome.error, HasSubstr("warning: line 290 is not aligned: the source has"));
  EXPECT_THAT(outcome.error, HasSubstr("2 lines could not be aligned"));
}

// Words are split after replacing invalid UTF-8.
TEST(AlignToolTest, BytesThatAreNoTextDoNotMoveLinks) {
  const std::string target = FileOf("bytes.target", "\uFFFD\uFFFD\uFFFD\uFFFD Ich liebe dich\n");
  const auto align = [&](const std::string& source) {
    return RunProgram(
        {"align", "--source=" + FileOf("bytes.source", source + "\n"), "--target=" + target});
  };
  const Outcome outcome = align("\xff\xff\xff\xff I love you");
  EXPECT_EQ(outcome.output, align("\uFFFD\uFFFD\uFFFD\uFFFD I love you").output);
  EXPECT_THAT(outcome.output, testing::EndsWith("1-1 2-2 3-3\n"));
  EXPECT_THAT(outcome.error, HasSubstr("line 1 is not valid UTF-8"));
}

// The words are those of the line even if the model normalizes it.
TEST(AlignToolTest, WhatTheVocabularyLacksDoesNotMoveLinks) {
  const Outcome outcome =
      RunProgram({"align", "--source=" + FileOf("lacks.source", "漢字 漢字 I love you\n"),
                  "--target=" + FileOf("lacks.target", "漢字 漢字 Ich liebe dich\n")});
  EXPECT_THAT(outcome.output, testing::EndsWith("2-2 3-3 4-4\n"));
}

TEST(AlignToolTest, OneStreamIsNotReadAsTwo) {
  const Outcome outcome = RunProgram({"align", "--source=-", "--target=-"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("--source and --target both read standard input"));
}

TEST(AlignToolTest, GermanQuotesCloseAsEnglishOnesOpen) {
  const auto align = [](const std::string& source, const std::string& target, const char* flag) {
    return RunProgram({"align", "--format=soft", flag, "--source=" + FileOf("q.source", source),
                       "--target=" + FileOf("q.target", target)})
        .output;
  };
  // Like the words without spaces around quotes.
  const auto words = [](const std::string& soft) {
    return std::count(soft.begin(), soft.end(), ' ');
  };
  const std::string tokenized =
      align("He said “ no ” .\n", "Er sagte „ nein “ .\n", "--detokenize");
  const std::string text = align("He said “no”.\n", "Er sagte „nein“.\n", "--nodetokenize");
  EXPECT_EQ(words(tokenized), 5);
  EXPECT_EQ(words(text), 2);
}

TEST(AlignToolTest, DoesNotFeedOnItsOwnOutput) {
  const std::string path = TemporaryPath("text");
  WriteTextFile(path, "I love you.\n");
  ProgramOptions options;
  options.output = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const Outcome outcome = RunProgram({"align", kSource, "--target=" + path}, "", options);
  close(options.output);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("cannot write the output over the input " + path));
  EXPECT_EQ(ReadTextFile(path), "I love you.\n");
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
}  // namespace limpid::internal

#include "tools/flags.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace limpid::internal {
namespace {

class FlagsTest : public testing::Test {
 protected:
  FlagsTest() : flags_("tool [FLAGS] [TEXT...]", "Does a thing.\n") {
    flags_.Add("size=N", &size_, {1, 100}, "How many.");
    flags_.Add("rate=R", &rate_, {0.0, 1.0}, "How often.");
    flags_.Add("file=FILE", &file_, "Where to.");
    flags_.Add("fast", &fast_, "Hurry.");
    flags_.Add("split", &split_, "Cut.");
  }

  absl::Status Parse(const std::vector<std::string>& arguments) { return flags_.Parse(arguments); }

  // Returns the message of a usage error, which must be one line.
  std::string Error(const std::vector<std::string>& arguments) {
    const absl::Status status = Parse(arguments);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "\n"));
    return absl::StrCat(status.message());
  }

  int size_ = 10;
  double rate_ = 0.5;
  std::string file_;
  bool fast_ = false;
  bool split_ = true;
  Flags flags_;
};

TEST_F(FlagsTest, ValuesComeAfterEqualsOrAsTheNextArgument) {
  ASSERT_TRUE(Parse({"--size=7", "--file", "a b", "-rate=0.25"}).ok());
  EXPECT_EQ(size_, 7);
  EXPECT_EQ(file_, "a b");
  EXPECT_EQ(rate_, 0.25);
  EXPECT_TRUE(flags_.arguments().empty());
}

TEST_F(FlagsTest, WhatIsNotGivenKeepsItsDefault) {
  ASSERT_TRUE(Parse({}).ok());
  EXPECT_EQ(size_, 10);
  EXPECT_FALSE(fast_);
  EXPECT_TRUE(split_);
}

TEST_F(FlagsTest, SwitchesGoOnAndOff) {
  ASSERT_TRUE(Parse({"--fast", "--nosplit"}).ok());
  EXPECT_TRUE(fast_);
  EXPECT_FALSE(split_);
  ASSERT_TRUE(Parse({"--fast=false", "--split=true"}).ok());
  EXPECT_FALSE(fast_);
  EXPECT_TRUE(split_);
}

TEST_F(FlagsTest, SwitchDoesNotTakeTheNextArgument) {
  ASSERT_TRUE(Parse({"--fast", "false"}).ok());
  EXPECT_TRUE(fast_);
  EXPECT_EQ(flags_.arguments(), std::vector<std::string>{"false"});
}

TEST_F(FlagsTest, LastValueWins) {
  ASSERT_TRUE(Parse({"--size=1", "--size=2"}).ok());
  EXPECT_EQ(size_, 2);
}

TEST_F(FlagsTest, EmptyValueIsAValue) {
  file_.assign(1, 'x');
  ASSERT_TRUE(Parse({"--file="}).ok());
  EXPECT_EQ(file_, "");
}

TEST_F(FlagsTest, AChoiceIsOneOfItsWords) {
  flags_.Group("Sorts");
  flags_.Add("sort=HOW", &size_, {{"up", 10}, {"down", 20}, {"not", 30}}, "How to sort.");
  ASSERT_TRUE(Parse({"--sort=down"}).ok());
  EXPECT_EQ(size_, 20);
  EXPECT_EQ(Error({"--sort=sideways"}), "--sort must be up, down or not, not 'sideways'");
  EXPECT_TRUE(absl::StrContains(
      flags_.Help(), "\n\nSorts:\n  --sort=HOW              How to sort. Default: up.\n"));
}

TEST_F(FlagsTest, ValueMayHoldEquals) {
  ASSERT_TRUE(Parse({"--file=a=b"}).ok());
  EXPECT_EQ(file_, "a=b");
}

TEST_F(FlagsTest, FlagsAndArgumentsMix) {
  ASSERT_TRUE(Parse({"one", "--fast", "two", "--size", "3", "three"}).ok());
  EXPECT_EQ(flags_.arguments(), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(size_, 3);
}

TEST_F(FlagsTest, AfterTwoDashesAllAreArguments) {
  ASSERT_TRUE(Parse({"--fast", "--", "--size=3", "--help", "--"}).ok());
  EXPECT_EQ(flags_.arguments(), (std::vector<std::string>{"--size=3", "--help", "--"}));
  EXPECT_FALSE(flags_.help_wanted());
}

TEST_F(FlagsTest, TextThatBeginsWithADashIsNoFlag) {
  const std::vector<std::string> texts = {
      "-", "- Hello.", "-5", "--- x", "-Hello there", "--hello, you", "---fast", ""};
  ASSERT_TRUE(Parse(texts).ok());
  EXPECT_EQ(flags_.arguments(), texts);
}

TEST_F(FlagsTest, DashesInNamesAreUnderscores) {
  int batch_size = 1;
  flags_.Add("batch_size=N", &batch_size, {1, 10}, "");
  ASSERT_TRUE(Parse({"--batch-size=4"}).ok());
  EXPECT_EQ(batch_size, 4);
}

TEST_F(FlagsTest, UnknownFlagNamesTheNearest) {
  EXPECT_EQ(Error({"--sise=3"}), "unknown flag --sise; did you mean --size?");
  EXPECT_EQ(Error({"--helpp"}), "unknown flag --helpp; did you mean --help?");
  EXPECT_EQ(Error({"--xyzzy"}), "unknown flag --xyzzy");
  EXPECT_EQ(Error({"--nosize"}), "unknown flag --nosize; did you mean --size?");
}

TEST_F(FlagsTest, BadValueNamesFlagRangeAndValue) {
  EXPECT_EQ(Error({"--size=x"}), "--size must be a whole number from 1 to 100, not 'x'");
  EXPECT_EQ(Error({"--size=0"}), "--size must be a whole number from 1 to 100, not '0'");
  EXPECT_EQ(Error({"--size=101"}), "--size must be a whole number from 1 to 100, not '101'");
  EXPECT_EQ(Error({"--size=99999999999"}),
            "--size must be a whole number from 1 to 100, not '99999999999'");
  EXPECT_EQ(Error({"--size="}), "--size must be a whole number from 1 to 100, not ''");
  EXPECT_EQ(Error({"--rate=nan"}), "--rate must be a number from 0 to 1, not 'nan'");
  EXPECT_EQ(Error({"--fast=maybe"}), "--fast must be true or false, not 'maybe'");
  EXPECT_EQ(size_, 10) << "a refused value must not be used";
}

TEST_F(FlagsTest, MissingValueShowsHowToGiveIt) {
  EXPECT_EQ(Error({"--size"}), "--size needs a value: --size=N");
  EXPECT_EQ(Error({"--file", "--fast"}), "--file needs a value: --file=FILE");
}

TEST_F(FlagsTest, NegatedSwitchTakesNoValue) {
  EXPECT_EQ(Error({"--nofast=1"}), "--nofast takes no value; write --nofast alone");
}

TEST_F(FlagsTest, HelpIsAsked) {
  ASSERT_TRUE(Parse({"x", "--help"}).ok());
  EXPECT_TRUE(flags_.help_wanted());
}

TEST_F(FlagsTest, HelpShowsEveryFlagWithItsDefault) {
  const std::string help = flags_.Help();
  EXPECT_TRUE(absl::StartsWith(help, "Usage: tool [FLAGS] [TEXT...]\n\nDoes a thing.\n")) << help;
  EXPECT_TRUE(absl::StrContains(help, "  --size=N                How many. Default: 10.\n"))
      << help;
  EXPECT_TRUE(absl::StrContains(help, "  --file=FILE             Where to.\n")) << help;
  EXPECT_TRUE(absl::StrContains(help, "  --fast                  Hurry.\n")) << help;
  EXPECT_TRUE(absl::StrContains(help, "  --[no]split             Cut.\n")) << help;
}

TEST_F(FlagsTest, HelpFitsATerminal) {
  bool flag = false;
  flags_.Add("a_flag_with_a_long_name_indeed", &flag,
             "An explanation that needs more than one line, since there is much to be said about "
             "it, and then there is some more to be said about it.");
  for (const absl::string_view line : absl::StrSplit(flags_.Help(), '\n')) {
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_FALSE(absl::EndsWith(line, " ")) << line;
  }
}

TEST(NearestNameTest, FindsTypingMistakesOnly) {
  const std::vector<std::string> names = {"translate", "convert", "inspect"};
  EXPECT_EQ(NearestName("trnaslate", names), "translate");
  EXPECT_EQ(NearestName("covert", names), "convert");
  EXPECT_EQ(NearestName("hello", names), "");
  EXPECT_EQ(NearestName("", names), "");
}

}  // namespace
}  // namespace limpid::internal

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

// A copy of the shipped model, for adding a shortlist.
class ShortlistToolTest : public testing::Test {
 protected:
  ShortlistToolTest() {
    fs::create_directories(folder_);
    for (const char* name : {"config.json", "model.safetensors", "source.spm", "vocabulary.json"}) {
      fs::create_symlink(fs::absolute(fs::path("models/eng-deu") / name), folder_ / name);
    }
  }

  const fs::path folder_ = TemporaryPath("model");
  const std::string model_ = "--model=" + folder_.string();
};

TEST_F(ShortlistToolTest, WithoutAShortlistItSaysHowToMakeOne) {
  const Outcome outcome = RunProgram({"translate", model_, "--shortlist", "I love you."});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("has no shortlist; make one with: limpid shortlist"));
}

TEST_F(ShortlistToolTest, LearnsFromTheModelsOwnTranslations) {
  const Outcome learned = RunProgram({"shortlist", model_},
                                     "I love you.\nWhere is the station?\nI love the station.\n");
  EXPECT_EQ(learned.exit_code, 0) << learned.error;
  EXPECT_THAT(learned.output, HasSubstr("learned from 3 lines; wrote " + folder_.string()));
  const Outcome translated =
      RunProgram({"translate", model_, "--shortlist", "Where is the station?"});
  EXPECT_EQ(translated.output, RunProgram({"translate", "Where is the station?"}).output);
}

// A shortlist of one word allows only that word.
TEST_F(ShortlistToolTest, OnlyWhatTheShortlistHasIsProduced) {
  ASSERT_EQ(RunProgram({"shortlist", model_, "--best=1", "--frequent=0"}, "dog\tHund\n").exit_code,
            0);
  const Outcome greedy = RunProgram({"translate", model_, "--shortlist", "the cat and the dog"});
  EXPECT_THAT(greedy.output, testing::MatchesRegex("(Hund ?)*\n"));
  const Outcome beam =
      RunProgram({"translate", model_, "--shortlist", "--beam_size=3", "the cat and the dog"});
  EXPECT_THAT(beam.output, testing::MatchesRegex("(Hund ?)*\n"));
  const Outcome prefix =
      RunProgram({"translate", model_, "--shortlist", "--prefix=Die Katze", "the cat"});
  EXPECT_THAT(prefix.output, testing::StartsWith("Die Katze"));
}

// For a single sentence, the shortlist only makes drafts, so even a bad one keeps the translation.
TEST_F(ShortlistToolTest, WithoutTheFlagNothingChanges) {
  const std::vector<std::string> command = {"translate", model_, "--scores",
                                            "The cat and the dog sleep under the old table."};
  const std::string before = RunProgram(command).output;
  ASSERT_EQ(RunProgram({"shortlist", model_, "--best=1", "--frequent=0"}, "dog\tHund\n").exit_code,
            0);
  EXPECT_EQ(RunProgram(command).output, before);
}

TEST_F(ShortlistToolTest, OfAnotherFormatTheModelIsToBeConvertedFirst) {
  const Outcome outcome =
      RunProgram({"shortlist", "--model=tests/golden/ctranslate2/marian"}, "a\tb\n");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error,
              HasSubstr("is not a Limpid folder, so a shortlist in it would not be"));
  EXPECT_THAT(outcome.error, HasSubstr("limpid convert --from=tests/golden/ctranslate2/marian"));
  EXPECT_FALSE(fs::exists("tests/golden/ctranslate2/marian/shortlist.bin"));
}

// Memory is quadratic in the length of a line.
TEST_F(ShortlistToolTest, LinesThatAreTooLongAreLeftOutAndCounted) {
  std::string words;
  for (int i = 0; i < 2000; ++i) words += "dog ";
  const Outcome outcome = RunProgram({"shortlist", model_}, words + "\t" + words + "\ndog\tHund\n");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("skipped 1 lines with more than 512 tokens on one side"));
  EXPECT_THAT(outcome.output, HasSubstr("learned from 1 lines"));
}

TEST_F(ShortlistToolTest, TheModelsChecksumsKnowTheNewShortlist) {
  for (const auto& entry : fs::directory_iterator(fs::path("models/eng-deu"))) {
    fs::remove(folder_ / entry.path().filename());
    fs::copy(entry.path(), folder_);
  }
  ASSERT_EQ(RunProgram({"shortlist", model_}, "dog\tHund\n").exit_code, 0);
  const Outcome verified = RunProgram({"inspect", "--verify", folder_.string()});
  EXPECT_EQ(verified.exit_code, 0) << verified.error;
}

TEST_F(ShortlistToolTest, DoesNotWriteOverTheTextThatItLearnsFrom) {
  const std::string path = TemporaryPath("corpus");
  WriteTextFile(path, "dog\tHund\n");
  const Outcome outcome = RunProgram({"shortlist", model_, "--input=" + path, "--output=" + path});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("cannot write the output over the input " + path));
  EXPECT_EQ(ReadTextFile(path), "dog\tHund\n");
}

TEST_F(ShortlistToolTest, MistakesAreTold) {
  EXPECT_EQ(RunProgram({"shortlist", model_, "text"}).exit_code, 2);
  EXPECT_THAT(RunProgram({"shortlist", model_}, "").error, HasSubstr("has no lines to learn from"));
  EXPECT_THAT(RunProgram({"shortlist", model_, "--output=/no/such/folder/x"}, "a\tb\n").error,
              HasSubstr("/no/such/folder/x"));
  std::ofstream(folder_ / "shortlist.bin") << "not a shortlist, but long enough for a header of it";
  EXPECT_THAT(RunProgram({"translate", model_, "--shortlist", "a"}).error,
              HasSubstr("shortlist.bin"));
}

}  // namespace
}  // namespace limpid::internal

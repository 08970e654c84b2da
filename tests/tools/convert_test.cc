#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

class ConvertTest : public testing::Test {
 protected:
  void SetUp() override {
    to_ = TemporaryPath("model");
    fs::remove_all(to_);
  }
  void TearDown() override { fs::remove_all(to_); }

  Outcome Convert(const std::vector<std::string>& flags = {}) const {
    std::vector<std::string> arguments = {"convert", "--from=models/eng-deu", "--to=" + to_};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return RunProgram(arguments);
  }

  std::string to_;
};

TEST_F(ConvertTest, WritesAModelThatTranslates) {
  const Outcome outcome = Convert({"--dtype=float32"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(RunProgram({"translate", "--model=" + to_, kEnglish}).output,
            std::string(kGerman) + "\n");
}

TEST_F(ConvertTest, SaysWhatItFoundAndWhatItWrote) {
  const Outcome outcome = Convert({"--dtype=float32"});
  EXPECT_EQ(CountLines(outcome.output), 2);
  EXPECT_TRUE(absl::StartsWith(outcome.output, "read models/eng-deu: Limpid folder, "))
      << outcome.output;
  EXPECT_TRUE(absl::StrContains(outcome.output, " parameters, mostly float16\n")) << outcome.output;
  EXPECT_TRUE(absl::StrContains(outcome.output, "wrote " + to_ + ": float32, ")) << outcome.output;
  EXPECT_TRUE(absl::EndsWith(outcome.output, " MB\n")) << outcome.output;
}

TEST_F(ConvertTest, KeepsTheDTypeUnlessToldOtherwise) {
  EXPECT_EQ(Convert().exit_code, 0);
  EXPECT_EQ(fs::file_size(to_ + "/model.safetensors"),
            fs::file_size("models/eng-deu/model.safetensors"));
  fs::remove_all(to_);
  EXPECT_EQ(Convert({"--dtype=float32"}).exit_code, 0);
  EXPECT_GT(fs::file_size(to_ + "/model.safetensors"),
            fs::file_size("models/eng-deu/model.safetensors") * 3 / 2);
}

TEST_F(ConvertTest, FillsTheEmptyFolderThatItIsIn) {
  fs::create_directory(to_);
  const std::string here = fs::current_path();
  const Outcome outcome = RunProgram(
      {"-C", to_, LIMPID_PROGRAM, "convert", "--from=" + here + "/models/eng-deu", "--to=."}, "",
      {.path = "/usr/bin/env"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_TRUE(fs::exists(to_ + "/config.json"));
  EXPECT_EQ(RunProgram({"translate", "--model=" + to_, kEnglish}).output,
            std::string(kGerman) + "\n");
}

TEST_F(ConvertTest, MakesTheFoldersAboveTheNewOne) {
  const Outcome outcome =
      RunProgram({"convert", "--from=models/eng-deu", "--to=" + to_ + "/new/sub"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_TRUE(fs::exists(to_ + "/new/sub/config.json"));
}

TEST_F(ConvertTest, DoesNotOverwriteAFolder) {
  fs::create_directory(to_);
  WriteTextFile(to_ + "/mine", "precious");
  const Outcome outcome = Convert();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StrContains(outcome.error, to_)) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
  EXPECT_EQ(ReadTextFile(to_ + "/mine"), "precious");
}

TEST_F(ConvertTest, WhatIsNoModelIsAFailure) {
  const Outcome outcome = RunProgram({"convert", "--from=tools", "--to=" + to_});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "tools")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
  EXPECT_FALSE(fs::exists(to_));
}

TEST_F(ConvertTest, BothFoldersAreNeeded) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"convert"},
                                                    {"convert", "--from=models/eng-deu"},
                                                    {"convert", "--to=" + to_},
                                                    {"convert", "models/eng-deu", to_}}) {
    const Outcome outcome = RunProgram(arguments);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_TRUE(absl::StrContains(outcome.error, "--from=PATH --to=DIR")) << outcome.error;
    EXPECT_EQ(CountLines(outcome.error), 1);
  }
}

TEST_F(ConvertTest, WritesHuggingFaceFolders) {
  const Outcome written = Convert({"--to_format=huggingface"});
  EXPECT_EQ(written.exit_code, 0) << written.error;
  EXPECT_TRUE(absl::StrContains(written.output, "left out: the shortlist")) << written.output;
  const Outcome inspected = RunProgram({"inspect", to_});
  EXPECT_TRUE(absl::StrContains(inspected.output, "Hugging Face MarianMT")) << inspected.error;
  const Outcome other = Convert({"--to_format=onnx"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_EQ(other.error, "limpid: --to_format must be limpid or huggingface, not 'onnx'\n");
}

// Only Hugging Face and Argos Translate models name their languages.
TEST_F(ConvertTest, LanguagesAreToldWhereTheFormatDoesNotSay) {
  const Outcome outcome =
      RunProgram({"convert", "--from=tests/golden/ctranslate2/marian", "--to=" + to_,
                  "--source_language=en", "--target_language=pt-BR"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_TRUE(absl::StrContains(RunProgram({"inspect", to_}).output,
                                "languages            \"en\" to \"pt-BR\"\n"));
  for (const char* name : {"English language", "e", "-de", "de-", "12"}) {
    const Outcome refused = Convert({std::string("--source_language=") + name});
    EXPECT_EQ(refused.exit_code, 2) << name;
    EXPECT_TRUE(absl::StrContains(refused.error, "--source_language must be a code such as"));
  }
}

TEST_F(ConvertTest, WithoutATokenizerItSaysWhatItLookedFor) {
  const std::string from = to_ + "_from";
  fs::remove_all(from);
  fs::copy("tests/golden/ctranslate2/marian", from);
  fs::remove(from + "/source.spm");
  fs::remove(from + "/target.spm");
  WriteTextFile(from + "/mine.spm", "pieces");
  const Outcome outcome = RunProgram({"convert", "--from=" + from, "--to=" + to_});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "found no tokenizer, though the vocabulary has"));
  EXPECT_TRUE(absl::StrContains(outcome.error, "looked for source.spm and target.spm, "));
  EXPECT_TRUE(absl::StrContains(outcome.error, "mine.spm")) << outcome.error;
  EXPECT_FALSE(fs::exists(to_));
  const Outcome spaces =
      RunProgram({"convert", "--from=" + from, "--to=" + to_, "--tokenizer=spaces"});
  EXPECT_EQ(spaces.exit_code, 0) << spaces.error;
  EXPECT_EQ(spaces.error, "");
  EXPECT_EQ(RunProgram({"translate", "--model=" + to_, "a m"}).exit_code, 0);
  fs::remove_all(from);
}

TEST_F(ConvertTest, UnknownDTypeNamesTheKnownOnes) {
  const Outcome outcome = Convert({"--dtype=half"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.error,
            "limpid: --dtype must be float32, float16, bfloat16 or int8, not 'half'\n");
  EXPECT_FALSE(fs::exists(to_));
}

}  // namespace
}  // namespace limpid::internal

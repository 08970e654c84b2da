#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

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

// Nothing is converted first. An Argos package is inspected in argos_test.cc, where one is made.
TEST(InspectTest, ReadsEveryFormatOfOthers) {
  const std::vector<std::pair<std::string, std::string>> formats = {
      {"base", "Hugging Face MarianMT"},
      {"pytorch_zip", "Hugging Face MarianMT"},
      {"marian/opus_mt", "Marian .npz"},
      {"marian/float32_bin", "Marian .bin"},
      {"marian/bergamot", "Marian .bin in int8, as of Bergamot and Firefox"},
      {"ctranslate2/version_2", "CTranslate2, format version 2"},
      {"ctranslate2/marian", "CTranslate2, format version 6"},
      {"nn_transformer/model.pt", "PyTorch nn.Transformer"},
  };
  for (const auto& [path, format] : formats) {
    SCOPED_TRACE(path);
    const Outcome outcome = RunProgram({"inspect", "tests/golden/" + path});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    EXPECT_TRUE(absl::StartsWith(outcome.output, "format               " + format + "\n"))
        << outcome.output;
    EXPECT_TRUE(absl::StrContains(outcome.output, "\nparameters ")) << outcome.output;
  }
}

TEST(InspectTest, WhatIsNoModelIsAFailure) {
  const Outcome outcome = RunProgram({"inspect", "tools"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StrContains(outcome.error, "tools")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
}

// To open one waits until somebody writes to it.
TEST(InspectTest, APipeInAFolderIsNotWaitedFor) {
  const std::string folder = TemporaryPath("pipe");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  ASSERT_EQ(mkfifo((folder + "/x.bin").c_str(), 0600), 0);
  const Outcome outcome = RunProgram({"timeout", "10", LIMPID_PROGRAM, "inspect", folder}, "",
                                     {.path = "/usr/bin/env"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, folder)) << outcome.error;
  std::filesystem::remove_all(folder);
}

// A copy of the shipped model with a changed byte in its weights.
std::string DamagedModel() {
  std::string folder = TemporaryPath("damaged");
  std::filesystem::remove_all(folder);
  std::filesystem::copy("models/eng-deu", folder);
  const std::string path = folder + "/model.safetensors";
  std::string bytes = ReadTextFile(path);
  bytes[bytes.size() / 2] ^= 1;
  WriteTextFile(path, bytes);
  return folder;
}

TEST(InspectTest, VerifyFindsTheShippedModelSound) {
  const Outcome outcome = RunProgram({"inspect", "--verify", "models/eng-deu"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.output, "models/eng-deu: the weights match their checksums\n");
}

TEST(InspectTest, VerifyNamesDamage) {
  const std::string folder = DamagedModel();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"inspect", "--verify", folder},
        {"translate", "--verify", "--model=" + folder, kEnglish}}) {
    const Outcome outcome = RunProgram(command);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.output, "");
    EXPECT_TRUE(absl::StrContains(outcome.error, "is damaged: 1 tensor differs")) << outcome.error;
    EXPECT_TRUE(absl::StrContains(outcome.error, "embedding.weight")) << outcome.error;
    EXPECT_EQ(CountLines(outcome.error), 1);
  }
  std::filesystem::remove_all(folder);
}

TEST(InspectTest, TakesOneModel) { EXPECT_EQ(RunProgram({"inspect", "a", "b"}).exit_code, 2); }

}  // namespace
}  // namespace limpid

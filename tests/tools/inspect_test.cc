#include <sys/stat.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/program.h"

namespace limpid::internal {
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

// Inspects foreign formats directly. See argos_test.cc for Argos packages.
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

// Opening a FIFO blocks until it has a writer.
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

// A copy of the shipped model with a changed byte in its embedding.
std::string DamagedModel() {
  std::string folder = TemporaryPath("damaged");
  std::filesystem::remove_all(folder);
  std::filesystem::copy("models/eng-deu", folder);
  const std::string path = folder + "/model.safetensors";
  std::string bytes = ReadTextFile(path);
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), sizeof(header_size));
  const auto header = nlohmann::json::parse(bytes.substr(sizeof(header_size), header_size));
  const size_t offset = header["embedding.weight"]["data_offsets"][0];
  bytes[sizeof(header_size) + header_size + offset + 1000] ^= 1;
  WriteTextFile(path, bytes);
  return folder;
}

TEST(InspectTest, VerifyFindsTheShippedModelSound) {
  const Outcome outcome = RunProgram({"inspect", "--verify", "models/eng-deu"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.output,
            "models/eng-deu: all files match their checksums: config.json, model.safetensors, "
            "vocabulary.json, source.spm, shortlist.bin\n");
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

TEST(InspectTest, OfAnOlderFolderItSaysThatOnlyWeightsWereCompared) {
  const Outcome outcome = RunProgram({"inspect", "--verify", "tests/golden/older_folder"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.output,
                                "the weights match their checksums; the other files have none"))
      << outcome.output;
}

// A copy of the shipped model, for tests to damage.
class SpoiltModelTest : public testing::Test {
 protected:
  SpoiltModelTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::copy("models/eng-deu", folder_);
  }
  ~SpoiltModelTest() override { std::filesystem::remove_all(folder_); }

  // Every command prints the same error, in one line.
  void ExpectFailure(const std::string& message) const {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"translate", "--model=" + folder_, kEnglish},
          {"inspect", folder_},
          {"convert", "--from=" + folder_, "--to=" + folder_ + ".converted"}}) {
      const Outcome outcome = RunProgram(command);
      EXPECT_EQ(outcome.exit_code, 1) << command[0];
      EXPECT_TRUE(absl::StrContains(outcome.error, message)) << command[0] << outcome.error;
      EXPECT_EQ(CountLines(outcome.error), 1) << outcome.error;
      EXPECT_FALSE(std::filesystem::exists(folder_ + ".converted"));
    }
  }
  void WriteSpm(const std::string& text) const {
    // With matching checksums.
    std::filesystem::remove(folder_ + "/checksums.json");
    WriteTextFile(folder_ + "/source.spm", text);
  }

  const std::string folder_ = TemporaryPath("spoilt");
};

TEST_F(SpoiltModelTest, AMissingTokenizerIsNamed) {
  std::filesystem::remove(folder_ + "/source.spm");
  ExpectFailure(folder_ + "/source.spm: is missing");
}

TEST_F(SpoiltModelTest, ATokenizerThatIsJunkOrCutIsNamed) {
  const std::string spm = ReadTextFile(folder_ + "/source.spm");
  for (const std::string& text : {std::string("junk"), spm.substr(0, spm.size() / 2 + 1)}) {
    WriteSpm(text);
    ExpectFailure(folder_ + "/source.spm: ");
  }
}

TEST_F(SpoiltModelTest, AGitLfsPointerIsCalledOne) {
  WriteSpm("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 380137\n");
  ExpectFailure(folder_ + "/source.spm: is a Git LFS pointer");
}

TEST_F(SpoiltModelTest, ATokenizerOfAnotherModelIsCalledOne) {
  // A SentencePiece model is a protocol buffer: pieces (field 1) with text (1) and type (3).
  std::string russian("\x0A\x09\x0A\x05<unk>\x18\x02", 11);
  for (char letter = '\x90'; letter < '\xBF'; ++letter) {  // А to п
    russian += std::string("\x0A\x04\x0A\x02\xD0") + letter;
  }
  WriteSpm(russian);
  ExpectFailure(folder_ + "/source.spm: belongs to another model");
}

// Folders of older versions do not say whether they need a tokenizer.
TEST_F(SpoiltModelTest, PiecesAreNotTakenForWordsInAnOlderFolder) {
  std::filesystem::remove(folder_ + "/checksums.json");
  std::filesystem::remove(folder_ + "/source.spm");
  std::string config = ReadTextFile(folder_ + "/config.json");
  const std::string key = "  \"tokenizer\": \"sentencepiece\",\n";
  ASSERT_TRUE(absl::StrContains(config, key));
  config.erase(config.find(key), key.size());
  WriteTextFile(folder_ + "/config.json", config);
  ExpectFailure(folder_ + ": found no tokenizer, though the vocabulary has pieces such as");
}

TEST(InspectTest, SaysWhereItLookedForATokenizer) {
  const Outcome outcome = RunProgram({"inspect", "tests/golden/ctranslate2/opennmt"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(outcome.error, "found no tokenizer")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "looked for source.spm and target.spm"));
  EXPECT_TRUE(absl::StrContains(outcome.error, "found config.json, golden.json, model.bin"));
}

TEST(InspectTest, AnyNpzFileIsNotAMarianModel) {
  const std::string folder = TemporaryPath("arrays");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  const std::string zip("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);  // no entries
  WriteTextFile(folder + "/arrays.npz", zip);
  const Outcome outcome = RunProgram({"inspect", folder});
  EXPECT_TRUE(absl::StrContains(outcome.error, "has no config.json but arrays.npz"))
      << outcome.error;
  std::filesystem::remove_all(folder);
}

TEST(InspectTest, TakesOneModel) { EXPECT_EQ(RunProgram({"inspect", "a", "b"}).exit_code, 2); }

}  // namespace
}  // namespace limpid::internal

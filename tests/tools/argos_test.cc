// Runs all subcommands on an Argos Translate package with bpe.model.

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/io/zip.h"
#include "nlohmann/json.hpp"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr char kPackage[] = "tests/golden/argos";

class ArgosToolTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(to_);
    std::vector<std::string> texts;
    std::vector<ZipEntry> entries;
    for (const auto& file : fs::recursive_directory_iterator(kPackage)) {
      if (!file.is_regular_file()) continue;
      entries.push_back({"en_de/" + fs::relative(file.path(), kPackage).string(), {}});
      texts.push_back(ReadTextFile(file.path()));
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      entries[i].data = {reinterpret_cast<const std::byte*>(texts[i].data()), texts[i].size()};
    }
    ASSERT_TRUE(WriteZip(package_, entries, {.compress = true}).ok());
    const Outcome outcome = RunProgram({"convert", "--from=" + package_, "--to=" + to_});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
    EXPECT_THAT(outcome.output, HasSubstr("Argos Translate package (CTranslate2"));
  }
  void TearDown() override {
    fs::remove_all(to_);
    fs::remove(package_);
  }

  const std::string package_ = TemporaryPath("package") + ".argosmodel";
  const std::string to_ = TemporaryPath("model");
};

TEST_F(ArgosToolTest, IsInspected) {
  const std::string shown = "\nsubword-nmt          merges of 799 B, after Moses' tokenizer\n";
  EXPECT_THAT(RunProgram({"inspect", package_}).output, HasSubstr(shown));
  EXPECT_THAT(RunProgram({"inspect", to_}).output, HasSubstr(shown));
  EXPECT_EQ(RunProgram({"inspect", "--verify", to_}).exit_code, 0);
}

TEST_F(ArgosToolTest, Translates) {
  const json golden = json::parse(ReadTextFile(std::string(kPackage) + "/golden_argos.json"));
  const int most = golden["max_output_tokens"];
  std::string input;
  std::string output;
  for (const json& sentence : golden["sentences"]) {
    input += sentence["text"].get<std::string>() + "\n";
    output += sentence["translation"].get<std::string>() + "\n";
  }
  const Outcome outcome = RunProgram({"translate", "--model=" + to_, "--compute_type=float32",
                                      "--max_output_tokens=" + std::to_string(most)},
                                     input);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.output, output);
}

TEST_F(ArgosToolTest, TracesWordsOfTheText) {
  const Outcome outcome =
      RunProgram({"trace", "--model=" + to_, "--target=Ich “weiß” es.", "I’m «lazy»…"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.output, HasSubstr("I’m «lazy»…\nIch “weiß” es.\n"));
  EXPECT_THAT(outcome.output, testing::ContainsRegex("\n +I’m +« +lazy +» +… +\\(null\\)\n"));
  for (const char* row : {"\n  Ich ← ", "\n  weiß ← ", "\n  es ← "}) {
    EXPECT_THAT(outcome.output, HasSubstr(row));
  }
}

TEST_F(ArgosToolTest, CannotBecomeAMarianModel) {
  const Outcome outcome =
      RunProgram({"convert", "--from=" + to_, "--to=" + to_ + ".hf", "--to_format=huggingface"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error,
              HasSubstr("subword-nmt and Moses' tokenizer, which Hugging Face's MarianMT cannot"));
}

}  // namespace
}  // namespace limpid::internal

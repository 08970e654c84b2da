// Packages in Argos Translate's layout around a model by CTranslate2.

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/io/zip.h"
#include "models/model/checkpoint.h"
#include "models/model/describe.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

// An unpacked package, which each test changes and packs.
class ArgosTest : public testing::Test {
 protected:
  ArgosTest() {
    fs::create_directories(folder_);
    fs::copy("tests/golden/ctranslate2/opennmt", folder_ + "/model");
    fs::copy("tests/golden/base/source.spm", folder_ + "/sentencepiece.model");
    SetMetadata("from_code", "en");
    SetMetadata("to_code", "es");
  }

  void SetMetadata(const std::string& key, const std::string& value) {
    metadata_[key] = value;
    WriteText(folder_ + "/metadata.json", metadata_.dump());
  }

  // Packs the folder into an archive of one folder and reads that.
  absl::StatusOr<Checkpoint> Read() const {
    Pack();
    return ReadCheckpoint(package_);
  }
  std::string Error() const { return Message(Read()); }
  void Pack() const {
    std::vector<std::string> texts;
    std::vector<ZipEntry> entries;
    for (const auto& file : fs::recursive_directory_iterator(folder_)) {
      if (!file.is_regular_file()) continue;
      entries.push_back({"en_es/" + fs::relative(file.path(), folder_).string(), {}});
      texts.push_back(ReadText(file.path()));
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      entries[i].data = {reinterpret_cast<const std::byte*>(texts[i].data()), texts[i].size()};
    }
    ASSERT_EQ(Message(WriteZip(package_, entries, {.compress = true})), "");
  }

  const std::string folder_ = FreshPath("folder");
  const std::string package_ = FreshPath("package") + ".argosmodel";
  json metadata_ = {{"package_version", "1.9"}, {"type", "translate"}, {"target_prefix", ""}};
};

TEST_F(ArgosTest, ReadsAPackagePackedAndUnpacked) {
  const auto packed = Read();
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ(packed->format, "Argos Translate package (CTranslate2, format version 6)");
  EXPECT_EQ(packed->config.source_language, "en");
  EXPECT_EQ(packed->config.target_language, "es");
  EXPECT_EQ(packed->config.source_eos_id, -1);
  EXPECT_EQ(packed->source_vocabulary.size(), 23U);
  EXPECT_EQ(packed->target_vocabulary.size(), 27U);
  EXPECT_EQ(packed->source_sentencepiece, ReadText("tests/golden/base/source.spm"));
  EXPECT_EQ(packed->target_sentencepiece, packed->source_sentencepiece);

  const auto unpacked = ReadCheckpoint(folder_);
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_EQ(unpacked->config, packed->config);
  const auto& weight = unpacked->tensors.at("output.weight");
  EXPECT_EQ(ReadAll(packed->tensors.at("output.weight")), ReadAll(weight));
}

TEST_F(ArgosTest, ReadsAPackageWithMerges) {
  fs::remove(folder_ + "/sentencepiece.model");
  WriteText(folder_ + "/bpe.model", "#version: 0.2\na b\n");
  const auto found = Read();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->subword_merges, "#version: 0.2\na b\n");
  EXPECT_EQ(found->source_sentencepiece, "");
  EXPECT_EQ(found->config.source_language, "en");
}

// As Argos Translate does.
TEST_F(ArgosTest, SentencePieceTakesPrecedenceOverMerges) {
  WriteText(folder_ + "/bpe.model", "a b\n");
  const auto found = Read();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->subword_merges, "");
}

TEST_F(ArgosTest, NamesWhatLimpidCannotDo) {
  fs::remove(folder_ + "/sentencepiece.model");
  EXPECT_THAT(Error(), HasSubstr(package_ + ": has no sentencepiece.model and no bpe.model"));
  WriteText(folder_ + "/bpe.model", "");
  EXPECT_THAT(Error(), HasSubstr(package_ + "/bpe.model: is empty"));
  SetMetadata("target_prefix", "__es__");
  EXPECT_THAT(Error(), HasSubstr("metadata.json: \"target_prefix\" is \"__es__\""));
  SetMetadata("type", "sbd");
  EXPECT_THAT(Error(), HasSubstr("metadata.json: \"type\" is \"sbd\""));
}

TEST_F(ArgosTest, NamesWhatIsMissing) {
  fs::remove(folder_ + "/model/model.bin");
  EXPECT_THAT(Error(), HasSubstr("en_es/model/model.bin: the archive has no such file"));
  fs::remove(folder_ + "/metadata.json");
  EXPECT_THAT(Error(), HasSubstr("an archive of one folder with metadata.json in it"));
  WriteText(package_, "no archive");
  EXPECT_THAT(Message(ReadCheckpoint(package_)), HasSubstr("cannot be read as a zip archive"));
}

TEST_F(ArgosTest, RejectsTruncatedPackages) {
  Pack();
  const std::string archive = ReadText(package_);
  for (size_t size = archive.size() - 1; size > 0; size -= std::min<size_t>(size, 13)) {
    fs::resize_file(package_, size);
    ASSERT_FALSE(ReadCheckpoint(package_).ok()) << size;
  }
}

TEST_F(ArgosTest, FlippedBitsGiveAStatusOrAValidCheckpoint) {
  Pack();
  const size_t size = fs::file_size(package_);
  std::mt19937 random(5);
  int rejected = 0;
  for (int i = 0; i < 600; ++i) {
    // Half of the flips hit the archive's directory, at its end.
    const size_t byte = i % 2 == 0 ? random() % size : size - 1 - random() % 700;
    const auto bit = static_cast<unsigned>(random() % 8);
    FlipBit(package_, byte, bit);
    const auto found = ReadCheckpoint(package_);
    FlipBit(package_, byte, bit);
    if (found.ok()) {
      EXPECT_EQ(Message(ValidateConfig(found->config)), "");
      EXPECT_FALSE(Describe(*found).empty());
    } else {
      ++rejected;
    }
  }
  EXPECT_TRUE(ReadCheckpoint(package_).ok());
  EXPECT_GT(rejected, 200);
}

}  // namespace
}  // namespace limpid::internal

#include "models/io/zip.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace limpid::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Span<const std::byte> BytesOf(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string TextOf(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ZipTest : public ::testing::Test {
 protected:
  std::string ReadAll() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void WriteAll(const std::string& content) const {
    std::ofstream(path_, std::ios::binary) << content;
  }

  const std::string path_ = TemporaryPath("archive.zip");
  const std::string text_ = std::string(1000, 'x') + "end";
};

TEST_F(ZipTest, ReadsWhatWasWritten) {
  for (const bool compress : {false, true}) {
    ASSERT_TRUE(WriteZip(path_, {{"a/first", BytesOf(text_)}, {"empty", {}}}, {compress}).ok());
    EXPECT_EQ(std::filesystem::file_size(path_) < text_.size(), compress);
    const auto zip = ZipReader::Open(path_);
    ASSERT_TRUE(zip.ok()) << zip.status();
    EXPECT_THAT((*zip)->names(), ElementsAre("a/first", "empty"));
    EXPECT_EQ(TextOf(*(*zip)->Read("a/first")), text_);
    EXPECT_EQ(TextOf(*(*zip)->Read("empty")), "");
  }
}

TEST_F(ZipTest, ReplacesAnArchive) {
  ASSERT_TRUE(WriteZip(path_, {{"old", BytesOf(text_)}}).ok());
  ASSERT_TRUE(WriteZip(path_, {{"new", BytesOf(text_)}}).ok());
  EXPECT_THAT((*ZipReader::Open(path_))->names(), ElementsAre("new"));
}

TEST_F(ZipTest, NamesWhatIsMissing) {
  EXPECT_TRUE(absl::IsNotFound(ZipReader::Open(path_ + "-none").status()));
  ASSERT_TRUE(WriteZip(path_, {{"there", BytesOf(text_)}}).ok());
  const auto missing = (*ZipReader::Open(path_))->Read("missing");
  EXPECT_TRUE(absl::IsNotFound(missing.status()));
  EXPECT_THAT(missing.status().message(), HasSubstr(path_ + ": missing"));
}

TEST_F(ZipTest, RejectsFilesThatAreNotArchives) {
  WriteAll("PK, but not really a zip archive");
  const auto zip = ZipReader::Open(path_);
  EXPECT_TRUE(absl::IsInvalidArgument(zip.status()));
  EXPECT_THAT(zip.status().message(), HasSubstr("cannot be read as a zip archive"));
}

TEST_F(ZipTest, DetectsAFlippedByte) {
  ASSERT_TRUE(WriteZip(path_, {{"a", BytesOf(text_)}}).ok());
  std::string archive = ReadAll();
  archive[archive.find("end")] = 'E';
  WriteAll(archive);
  const auto zip = ZipReader::Open(path_);
  ASSERT_TRUE(zip.ok()) << zip.status();
  EXPECT_TRUE(absl::IsInvalidArgument((*zip)->Read("a").status()));
}

TEST_F(ZipTest, RejectsTheSameNameTwice) {
  ASSERT_TRUE(WriteZip(path_, {{"one", BytesOf(text_)}, {"two", BytesOf(text_)}}).ok());
  std::string archive = ReadAll();
  for (size_t at; (at = archive.find("two")) != std::string::npos;) archive.replace(at, 3, "one");
  WriteAll(archive);
  EXPECT_TRUE(absl::IsInvalidArgument(ZipReader::Open(path_).status()))
      << ZipReader::Open(path_).status();
}

// Zeros shrink a thousandfold; weights and vocabularies do not.
TEST_F(ZipTest, RejectsAZipBomb) {
  const std::string zeros(10'000'000, '\0');
  ASSERT_TRUE(WriteZip(path_, {{"bomb", BytesOf(zeros)}}, {.compress = true}).ok());
  const auto bomb = (*ZipReader::Open(path_))->Read("bomb");
  EXPECT_THAT(bomb.status().message(), HasSubstr("claims to unpack to 10000000 bytes"));
}

// Overlapping entries could each stay below the limit, and exceed it together.
TEST_F(ZipTest, RejectsUnpackingTooMuchInAll) {
  const std::string zeros(10'000, '\0');
  ASSERT_TRUE(WriteZip(path_, {{"a", BytesOf(zeros)}}, {.compress = true}).ok());
  const auto zip = ZipReader::Open(path_);
  const size_t limit = ZipReader::kMaxExpansion * std::filesystem::file_size(path_);
  size_t unpacked = 0;
  auto bytes = (*zip)->Read("a");
  for (; bytes.ok(); bytes = (*zip)->Read("a")) unpacked += bytes->size();
  EXPECT_THAT(bytes.status().message(), HasSubstr("claims to unpack to 10000 bytes"));
  EXPECT_GE(unpacked, limit / 2);
  EXPECT_LE(unpacked, limit + limit / 50);
}

TEST_F(ZipTest, ExplainsWhyItCannotWrite) {
  const std::string path = testing::TempDir() + "/no/such/folder.zip";
  EXPECT_THAT(WriteZip(path, {{"a", BytesOf(text_)}}).message(),
              HasSubstr(path + ": cannot create"));
}

TEST_F(ZipTest, RejectsTruncatedArchives) {
  ASSERT_TRUE(WriteZip(path_, {{"a", BytesOf(text_)}}, {.compress = true}).ok());
  const std::string archive = ReadAll();
  for (size_t size = 0; size < archive.size(); ++size) {
    WriteAll(archive.substr(0, size));
    EXPECT_FALSE(ZipReader::Open(path_).ok()) << size;
  }
}

}  // namespace
}  // namespace limpid::internal

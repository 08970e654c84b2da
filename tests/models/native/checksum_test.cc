#include "models/native/checksum.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/native/native.h"
#include "models/native/safetensors.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string Write(DType dtype) {
  std::string folder = FreshPath("native");
  const auto checkpoint = SmallMarianFolder().Read();
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(Message(WriteNative(*checkpoint, folder, dtype)), "");
  return folder;
}

// The tensor whose data ends the file.
std::string LastTensor(const std::string& path) {
  const std::string bytes = ReadText(path);
  size_t length = 0;
  std::copy_n(bytes.data(), sizeof(length), reinterpret_cast<char*>(&length));
  std::string last;
  size_t last_end = 0;
  const nlohmann::json header = nlohmann::json::parse(bytes.substr(sizeof(length), length));
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    const size_t end = tensor["data_offsets"][1];
    if (end > last_end) last = name;
    last_end = std::max(last_end, end);
  }
  return last;
}

class ChecksumTest : public testing::TestWithParam<DType> {};

TEST_P(ChecksumTest, AFolderJustWrittenMatches) {
  EXPECT_EQ(Message(VerifyChecksums(Write(GetParam()))), "");
}

TEST_P(ChecksumTest, DetectsFlippedBitsInWeights) {
  const std::string folder = Write(GetParam());
  const std::string path = folder + "/model.safetensors";
  const std::string original = ReadText(path);
  size_t header = 0;
  std::copy_n(original.data(), sizeof(header), reinterpret_cast<char*>(&header));
  const size_t data = sizeof(header) + header;
  for (size_t byte = data; byte < original.size(); byte += 7) {
    FlipBit(path, byte, byte % 8);
    EXPECT_EQ(VerifyChecksums(folder).status().code(), absl::StatusCode::kDataLoss) << byte;
    FlipBit(path, byte, byte % 8);
  }
  EXPECT_EQ(Message(VerifyChecksums(folder)), "");
}

TEST_P(ChecksumTest, NamesOnlyTheDamagedTensor) {
  const std::string folder = Write(GetParam());
  const std::string path = folder + "/model.safetensors";
  FlipBit(path, ReadText(path).size() - 1, 0);
  EXPECT_THAT(Message(VerifyChecksums(folder)),
              AllOf(HasSubstr(path), HasSubstr("1 tensor differs"),
                    HasSubstr(absl::StrCat("\"", LastTensor(path), "\""))));
}

INSTANTIATE_TEST_SUITE_P(DTypes, ChecksumTest, testing::Values(DType::kFloat32, DType::kInt8));

TEST(ChecksumsTest, AFileWithoutChecksumsLoadsButDoesNotVerify) {
  const std::string folder = Write(DType::kFloat32);
  const auto checkpoint = ReadNative(folder);
  ASSERT_TRUE(checkpoint.ok());
  const std::string path = folder + "/model.safetensors";
  ASSERT_EQ(Message(WriteSafetensors(path + ".new", checkpoint->tensors, {})), "");
  std::filesystem::rename(path + ".new", path);
  const absl::Status status = VerifyChecksums(folder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), AllOf(HasSubstr("has no checksum for"), Not(HasSubstr("damaged"))));
  EXPECT_TRUE(ReadNative(folder).ok());
}

// Swapped pieces would swap words.
TEST(ChecksumsTest, DetectsSwappedPieces) {
  const std::string folder = Write(DType::kFloat32);
  const std::string path = folder + "/vocabulary.json";
  auto pieces = nlohmann::json::parse(ReadText(path));
  std::swap(pieces[2], pieces[3]);
  WriteText(path, pieces.dump(0) + "\n");
  EXPECT_THAT(Message(VerifyChecksums(folder)),
              HasSubstr(path + ": differs from its checksum in checksums.json"));
  // Small files are verified whenever they are read.
  EXPECT_THAT(Message(ReadNative(folder)), HasSubstr(path + ": differs from its checksum"));
}

TEST(ChecksumsTest, CoverEveryByteOfEveryFile) {
  const std::string folder = Write(DType::kInt8);
  const auto names = VerifyChecksums(folder);
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names, testing::ElementsAre("config.json", "model.safetensors", "vocabulary.json",
                                           "source.spm", "target.spm"));
  for (const std::string& name : *names) {
    const std::string path = folder + "/" + name;
    const size_t size = ReadText(path).size();
    for (size_t byte = 0; byte < size; byte += name == "model.safetensors" ? 97 : 3) {
      FlipBit(path, byte, byte % 8);
      EXPECT_THAT(Message(VerifyChecksums(folder)), HasSubstr(folder)) << path << " " << byte;
      FlipBit(path, byte, byte % 8);
    }
  }
  EXPECT_TRUE(VerifyChecksums(folder).ok());
}

TEST(ChecksumsTest, NamesFilesThatAreMissingOrNew) {
  const std::string folder = Write(DType::kFloat32);
  WriteText(folder + "/shortlist.bin", "new");
  EXPECT_THAT(Message(VerifyChecksums(folder)),
              HasSubstr(folder + "/shortlist.bin: is not in checksums.json"));
  EXPECT_EQ(Message(WriteFileChecksum(folder, "shortlist.bin")), "");
  EXPECT_EQ(Message(VerifyChecksums(folder)), "");
  std::filesystem::remove(folder + "/shortlist.bin");
  EXPECT_THAT(Message(VerifyChecksums(folder)), HasSubstr("shortlist.bin: is missing"));
  std::filesystem::remove(folder + "/checksums.json");
  EXPECT_THAT(Message(VerifyChecksums(folder)), HasSubstr(folder + ": has no checksums.json"));
}

TEST(ChecksumsTest, VerifiesTheWeightsOfOlderFolders) {
  const auto names = VerifyChecksums("tests/golden/older_folder");
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names, testing::ElementsAre("model.safetensors"));
  EXPECT_THAT(Message(VerifyChecksums("tests/golden/base")), HasSubstr("is not a Limpid folder"));
}

TEST(ChecksumsTest, CoverTheScalesOfInt8Tensors) {
  const std::vector<float> scales = {1, 2};
  TensorView tensor = {.dtype = DType::kInt8,
                       .shape = {2, 4},
                       .data = reinterpret_cast<const std::byte*>(scales.data()),
                       .scales = scales.data()};
  EXPECT_EQ(Checksums({{"x", tensor}}).size(), 2U);
  tensor.input_scale = 1;
  const auto checksums = Checksums({{"x", tensor}});
  ASSERT_EQ(checksums.size(), 3U);
  tensor.input_scale = 2;
  EXPECT_NE(Checksums({{"x", tensor}}).at("crc32 x.input_scale"),
            checksums.at("crc32 x.input_scale"));
}

// Standard CRC-32, so that other programs can verify the files.
TEST(ChecksumsTest, AreTheCrc32OfTheBytes) {
  alignas(4) const char digits[] = "123456789abc";
  const TensorMap tensors = {
      {"x", {.shape = {3}, .data = reinterpret_cast<const std::byte*>(digits)}}};
  const auto checksums = Checksums(tensors);
  ASSERT_EQ(checksums.size(), 1U);
  EXPECT_EQ(checksums.at("crc32 x"), "bdb0c0e4");
}

}  // namespace
}  // namespace limpid::internal

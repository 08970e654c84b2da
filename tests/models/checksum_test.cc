#include "models/checksum.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/checkpoint.h"
#include "models/safetensors.h"
#include "tests/models/marian_folder.h"

namespace limpid {
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

// The last tensor in the file, whose bytes end it.
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

TEST_P(ChecksumTest, WhatConvertWritesMatches) {
  EXPECT_EQ(Message(VerifyChecksums(Write(GetParam()))), "");
}

TEST_P(ChecksumTest, EveryFlippedByteOfWeightsIsFound) {
  const std::string folder = Write(GetParam());
  const std::string path = folder + "/model.safetensors";
  const std::string sound = ReadText(path);
  size_t header = 0;
  std::copy_n(sound.data(), sizeof(header), reinterpret_cast<char*>(&header));
  const size_t data = sizeof(header) + header;
  for (size_t byte = data; byte < sound.size(); byte += 7) {
    FlipBit(path, byte, byte % 8);
    EXPECT_EQ(VerifyChecksums(folder).code(), absl::StatusCode::kDataLoss) << byte;
    FlipBit(path, byte, byte % 8);
  }
  EXPECT_EQ(Message(VerifyChecksums(folder)), "");
}

TEST_P(ChecksumTest, TheDamagedTensorIsNamedAndNoOther) {
  const std::string folder = Write(GetParam());
  const std::string path = folder + "/model.safetensors";
  FlipBit(path, ReadText(path).size() - 1, 0);
  EXPECT_THAT(Message(VerifyChecksums(folder)),
              AllOf(HasSubstr(path), HasSubstr("1 tensor differs"),
                    HasSubstr(absl::StrCat("\"", LastTensor(path), "\""))));
}

INSTANTIATE_TEST_SUITE_P(DTypes, ChecksumTest, testing::Values(DType::kFloat32, DType::kInt8));

TEST(ChecksumsTest, FileWithoutThemIsNoMatchAndStillLoads) {
  const std::string folder = Write(DType::kFloat32);
  const auto checkpoint = ReadNative(folder);
  ASSERT_TRUE(checkpoint.ok());
  const std::string path = folder + "/model.safetensors";
  ASSERT_EQ(Message(WriteSafetensors(path + ".new", checkpoint->tensors, {})), "");
  std::filesystem::rename(path + ".new", path);
  const absl::Status status = VerifyChecksums(folder);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), AllOf(HasSubstr("has no checksum of"), Not(HasSubstr("damaged"))));
  EXPECT_TRUE(ReadNative(folder).ok());
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

// The value that the world agrees on for CRC-32, so that other programs can check the files.
TEST(ChecksumsTest, AreTheCrc32OfTheBytes) {
  alignas(4) const char digits[] = "123456789abc";
  const TensorMap tensors = {
      {"x", {.shape = {3}, .data = reinterpret_cast<const std::byte*>(digits)}}};
  const auto checksums = Checksums(tensors);
  ASSERT_EQ(checksums.size(), 1U);
  EXPECT_EQ(checksums.at("crc32 x"), "bdb0c0e4");
}

}  // namespace
}  // namespace limpid

#include "models/native/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/io/file.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A copy of exactly the given bytes, so that a sanitizer sees each read beyond them.
std::vector<std::byte> Bytes(const std::string& text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

std::string FileText(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data;
}

std::string Error(const std::string& header, const std::string& data) {
  return Message(ParseSafetensors(Bytes(FileText(header, data))));
}

// The error for a file with one tensor, "t", and 8 bytes of data.
std::string TensorError(const json& tensor) {
  return Error(json({{"t", tensor}}).dump(), "12345678");
}

json Tensor(const json& dtype, const json& shape, const json& offsets) {
  return {{"dtype", dtype}, {"shape", shape}, {"data_offsets", offsets}};
}

// Tensors of each dtype, of sizes that are and are not a multiple of 64 bytes.
class SafetensorsTest : public testing::Test {
 protected:
  SafetensorsTest() {
    views_["floats"] = View(DType::kFloat32, {3, 1});
    views_["halves"] = View(DType::kFloat16, {32});
    views_["brains"] = View(DType::kBFloat16, {1, 2, 3});
    views_["bytes"] = View(DType::kInt8, {2, 5});
    views_["bytes"].scales = scales_.data();
    views_["other bytes"] = views_["bytes"];
    views_["other bytes"].input_scale = 0.25F;
    views_["empty"] = View(DType::kFloat32, {0, 4});
    views_["scalar"] = View(DType::kFloat16, {});
  }

  TensorView View(DType dtype, std::vector<int64_t> shape) const {
    return {.dtype = dtype, .shape = std::move(shape), .data = data_.data()};
  }

  std::string Write() {
    const std::string path = FreshPath("tensors");
    EXPECT_EQ(Message(WriteSafetensors(path, views_, {{"key", "välue"}})), "");
    return ReadText(path);
  }

  const std::vector<std::byte> data_ = Bytes(std::string(64, '\x3C'));
  const std::vector<float> scales_ = {0.5F, 2};
  TensorMap views_;
};

void ExpectSameTensors(const TensorMap& found, const TensorMap& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    const TensorView& other = found.find(name)->second;
    EXPECT_EQ(other.dtype, tensor.dtype) << name;
    EXPECT_EQ(other.shape, tensor.shape) << name;
    EXPECT_TRUE(std::equal(tensor.data, tensor.data + tensor.bytes(), other.data)) << name;
    EXPECT_EQ(ReadAll(other), ReadAll(tensor)) << name;
    EXPECT_EQ(other.input_scale, tensor.input_scale) << name;
  }
}

TEST_F(SafetensorsTest, TensorsAndMetadataRoundTrip) {
  const std::vector<std::byte> bytes = Bytes(Write());
  const auto file = ParseSafetensors(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  ExpectSameTensors(file->tensors, views_);
  EXPECT_EQ(file->metadata, (std::map<std::string, std::string>{{"key", "välue"}}));
}

TEST_F(SafetensorsTest, WritesTheSameFileEachTime) { EXPECT_EQ(Write(), Write()); }

TEST_F(SafetensorsTest, WritesAlignedDataWithoutGaps) {
  const std::string text = Write();
  uint64_t length = 0;
  std::memcpy(&length, text.data(), sizeof(length));
  EXPECT_EQ((length + 8) % 64, 0);
  const json header = json::parse(text.substr(8, length));
  std::map<size_t, size_t> ranges;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    const size_t begin = tensor["data_offsets"][0];
    const size_t end = tensor["data_offsets"][1];
    if (end > begin) ranges[begin] = end;
    const size_t width = tensor["dtype"] == "F32" ? 4 : tensor["dtype"] == "I8" ? 1 : 2;
    EXPECT_EQ(begin % ((end - begin) % 64 == 0 ? 64 : width), 0) << name;
  }
  size_t reached = 0;
  for (const auto& [begin, end] : ranges) {
    EXPECT_EQ(begin, reached);
    reached = end;
  }
  EXPECT_EQ(8 + length + reached, text.size());
}

TEST_F(SafetensorsTest, TensorsAreAlignedForTheirDTypeWhereverTheFileLies) {
  const std::string text = Write();
  for (size_t shift : {0, 1, 2, 3}) {
    const std::vector<std::byte> bytes = Bytes(std::string(shift, ' ') + text);
    const auto file = ParseSafetensors(absl::MakeConstSpan(bytes).subspan(shift));
    ASSERT_TRUE(file.ok()) << file.status();
    ExpectSameTensors(file->tensors, views_);
    for (const auto& [name, tensor] : file->tensors) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % SizeOf(tensor.dtype), 0) << name;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.scales) % sizeof(float), 0) << name;
    }
  }
}

TEST_F(SafetensorsTest, RejectsTruncatedFiles) {
  const std::string text = Write();
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(Message(ParseSafetensors(Bytes(text.substr(0, size)))), "") << size;
  }
}

TEST_F(SafetensorsTest, AFileWithAFlippedBitIsRejectedOrReadInBounds) {
  const std::string text = Write();
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const std::vector<std::byte> bytes = Bytes(flipped);
    const auto file = ParseSafetensors(bytes);
    if (!file.ok()) continue;
    for (const auto& [name, tensor] : file->tensors) {
      EXPECT_EQ(ReadAll(tensor).size(), tensor.elements()) << bit;
    }
  }
}

TEST_F(SafetensorsTest, AFailedWriteLeavesNothing) {
  const std::string path = FreshPath("tensors");
  const FileSizeLimit limit(100);
  EXPECT_THAT(Message(WriteSafetensors(path, views_, {})), HasSubstr(path + ": cannot write"));
  EXPECT_FALSE(Exists(path));
}

TEST(SafetensorsErrorTest, HeaderLength) {
  EXPECT_THAT(Message(ParseSafetensors({})), HasSubstr("found 0 bytes"));
  EXPECT_THAT(Message(ParseSafetensors(Bytes("1234567"))), HasSubstr("found 7 bytes"));
  EXPECT_THAT(Message(ParseSafetensors(Bytes(std::string("\x03\0\0\0\0\0\0\0{}", 10)))),
              HasSubstr("the header has 3 bytes; a safetensors header has at most 100000000, and 2 "
                        "follow here"));
  EXPECT_THAT(Message(ParseSafetensors(Bytes(std::string(100, '\xFF')))),
              HasSubstr("the header has 18446744073709551615 bytes"));
  std::string huge(8 + 100'000'001, ' ');
  const uint64_t length = 100'000'001;
  std::memcpy(huge.data(), &length, sizeof(length));
  EXPECT_THAT(Message(ParseSafetensors(Bytes(huge))), HasSubstr("has at most 100000000"));
}

TEST(SafetensorsErrorTest, HeaderJson) {
  EXPECT_THAT(Error("", ""), HasSubstr("header: is not valid JSON"));
  EXPECT_THAT(Error("[]", ""), HasSubstr("header: expected a JSON object, found an array"));
  EXPECT_THAT(Error(R"({"t": 1, "t": 2})", ""), HasSubstr("has the key \"t\" twice"));
  EXPECT_THAT(Error(std::string(100'000, '['), ""), HasSubstr("nested deeper than 16 levels"));
  EXPECT_THAT(Error(R"({"__metadata__": {"a": 1}})", ""), HasSubstr("not an object of strings"));
  EXPECT_THAT(Error(R"({"__metadata__": "a"})", ""), HasSubstr("not an object of strings"));
  EXPECT_EQ(Error("{}  ", ""), "");
}

TEST(SafetensorsErrorTest, TensorEntries) {
  EXPECT_THAT(TensorError(7), HasSubstr("tensor \"t\" is not described by an object"));
  EXPECT_THAT(TensorError(json::object()), HasSubstr("tensor \"t\" lacks \"dtype\""));
  EXPECT_THAT(TensorError(Tensor("I64", {1}, {0, 8})),
              HasSubstr("tensor \"t\": has dtype \"I64\"; expected F32, F16, BF16 or I8"));
  EXPECT_THAT(TensorError(Tensor(1, {1}, {0, 8})), HasSubstr("has dtype 1"));
  for (const json& shape : {json(2), json(nullptr), json({-2, -1}), json({2.0}), json({"2"}),
                            json({18446744073709551615U})}) {
    EXPECT_THAT(TensorError(Tensor("F32", shape, {0, 8})),
                HasSubstr("tensor \"t\": needs \"shape\", an array of integers from 0 up"));
  }
  for (const json& offsets : {json(8), json({-8, 0}), json({0.0, 8.0}), json({0, 1e3})}) {
    EXPECT_THAT(TensorError(Tensor("F32", {2}, offsets)),
                HasSubstr("tensor \"t\": needs \"data_offsets\", an array of integers"));
  }
  for (const json& offsets : {json::array(), json({8}), json({8, 0}), json({0, 4, 8})}) {
    EXPECT_THAT(TensorError(Tensor("F32", {2}, offsets)),
                HasSubstr("needs \"data_offsets\" of a begin and an end not before it"));
  }
}

TEST(SafetensorsErrorTest, SizesThatDoNotMatchShapeAndDType) {
  EXPECT_THAT(TensorError(Tensor("F32", {3}, {0, 8})),
              HasSubstr("of shape [3] and dtype float32 has 8 bytes of data; expected 12"));
  EXPECT_THAT(TensorError(Tensor("F16", {1000000, 1000000}, {0, 8})),
              HasSubstr("expected 2000000000000"));
}

TEST(SafetensorsErrorTest, ShapesWhoseProductOverflows) {
  const int64_t big = int64_t{1} << 62;
  EXPECT_THAT(TensorError(Tensor("F32", {big, 4}, {0, 0})), HasSubstr("expected more than 2^63"));
  // 2^32 * 2^32 * 2 is 0 in 64 bits.
  EXPECT_THAT(TensorError(Tensor("F16", {4294967296, 4294967296}, {0, 0})),
              HasSubstr("expected more than 2^63"));
}

// A tensor of no elements but many rows must not cost time or memory for each row.
TEST(SafetensorsErrorTest, ManyRowsOfNothing) {
  const json header = {{"t", Tensor("F32", {1152921504606846976, 0}, {0, 0})}};
  const std::vector<std::byte> bytes = Bytes(FileText(header.dump(), ""));
  const auto file = ParseSafetensors(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(ReadAll(file->tensors.at("t")).empty());
}

TEST(SafetensorsErrorTest, LayoutsWithGapsOverlapsAndLeftovers) {
  const auto two = [](const json& first, const json& second) {
    const auto count = [](const json& range) { return range[1].get<int>() - range[0].get<int>(); };
    const json header = {{"a", Tensor("BF16", {count(first) / 2}, first)},
                         {"b", Tensor("BF16", {count(second) / 2}, second)}};
    return Error(header.dump(), "12345678");
  };
  EXPECT_EQ(two({0, 4}, {4, 8}), "");
  EXPECT_EQ(two({2, 8}, {0, 2}), "");
  EXPECT_EQ(two({0, 0}, {0, 8}), "");
  EXPECT_THAT(two({0, 4}, {2, 8}),
              HasSubstr("tensor \"b\" begins at 2 though the data before it ends at 4"));
  EXPECT_THAT(two({0, 2}, {4, 8}),
              HasSubstr("tensor \"b\" begins at 4 though the data before it ends at 2"));
  EXPECT_THAT(two({2, 4}, {4, 8}), HasSubstr("tensor \"a\" begins at 2"));
  EXPECT_THAT(two({0, 4}, {4, 6}),
              HasSubstr("the tensors take 6 bytes, but the file has 8 after its header"));
  EXPECT_THAT(two({0, 4}, {4, 80}), HasSubstr("the tensors take 80 bytes, but the file has 8"));
}

TEST(SafetensorsErrorTest, Int8WithoutItsScales) {
  const json bytes = Tensor("I8", {2, 2}, {0, 4});
  EXPECT_THAT(Error(json({{"t", bytes}}).dump(), "1234"),
              HasSubstr("tensor \"t\" is int8 and needs a tensor \"t.scale\""));
  EXPECT_THAT(
      Error(json({{"t", bytes}, {"t.scale", Tensor("F32", {1}, {4, 8})}}).dump(), "12345678"),
      HasSubstr("tensor \"t.scale\" has dtype float32 and shape [1]; expected float32 and "
                "[2]"));
  EXPECT_THAT(
      Error(json({{"t", bytes}, {"t.scale", Tensor("F16", {2}, {4, 8})}}).dump(), "12345678"),
      HasSubstr("tensor \"t.scale\" has dtype float16"));
}

TEST(SafetensorsErrorTest, InvalidInputScales) {
  const auto error = [](const json& input_scale, float value) {
    const json header = {{"t", Tensor("I8", {1, 4}, {0, 4})},
                         {"t.scale", Tensor("F32", {1}, {4, 8})},
                         {"t.input_scale", input_scale}};
    const std::string bytes(reinterpret_cast<const char*>(&value), sizeof(value));
    return Error(header.dump(), absl::StrCat("12345678", bytes));
  };
  const json one = Tensor("F32", {1}, {8, 12});
  EXPECT_EQ(error(one, 0.5F), "");
  EXPECT_THAT(error(Tensor("F16", {2}, {8, 12}), 0.5F),
              HasSubstr("tensor \"t.input_scale\" has dtype float16 and shape [2]; expected "
                        "float32 and [1]"));
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float wrong : {0.0F, -0.5F, 1e-45F, infinity, infinity - infinity}) {
    EXPECT_THAT(error(one, wrong), AllOf(HasSubstr("tensor \"t.input_scale\" holds "),
                                         HasSubstr("; expected a number above 0")));
  }
  // Only int8 tensors have one.
  const json header = {{"t", Tensor("F32", {1}, {0, 4})},
                       {"t.input_scale", Tensor("F32", {1}, {4, 8})}};
  const std::vector<std::byte> bytes = Bytes(FileText(header.dump(), "12345678"));
  const auto file = ParseSafetensors(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->tensors.contains("t.input_scale"));
}

}  // namespace
}  // namespace limpid::internal

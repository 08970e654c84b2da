// Files written by torch.save (tests/golden/make_torch_files.py), intact and damaged.

#include "models/formats/torch_file.h"

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/io/zip.h"
#include "nlohmann/json.hpp"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kFiles = "tests/golden/torch_files/";

std::string Error(const std::string& file) { return Message(ReadTorchFile(kFiles + file)); }

TEST(TorchFileTest, TensorsEqualPyTorchs) {
  const auto expected = nlohmann::json::parse(ReadText(kFiles + "expected.json"));
  const auto file = ReadTorchFile(kFiles + "state.pt");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tensors.size(), expected.size());
  for (const auto& [name, tensor] : expected.items()) {
    SCOPED_TRACE(name);
    ASSERT_EQ(file->tensors.count(name), 1);
    const TensorView& found = file->tensors.at(name);
    EXPECT_EQ(DTypeName(found.dtype), tensor["dtype"].get<std::string>());
    EXPECT_EQ(found.shape, tensor["shape"].get<std::vector<int64_t>>());
    EXPECT_EQ(ReadAll(found), tensor["values"].get<std::vector<float>>());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(found.data) % SizeOf(found.dtype), 0);
  }
}

TEST(TorchFileTest, RejectsTruncatedFiles) {
  const std::string text = ReadText(kFiles + "state.pt");
  const std::string path = FreshPath("cut.pt");
  WriteText(path, text);
  for (size_t size = text.size(); size-- > 0;) {
    std::filesystem::resize_file(path, size);
    EXPECT_THAT(Message(ReadTorchFile(path)), HasSubstr(path)) << size;
  }
}

TEST(TorchFileTest, FlippedBitsGiveAStatusOrTensors) {
  const std::string path = FreshPath("flipped.pt");
  WriteText(path, ReadText(kFiles + "state.pt"));
  const size_t size = std::filesystem::file_size(path);
  std::mt19937 random(3);
  int rejected = 0;
  for (int i = 0; i < 3000; ++i) {
    const size_t byte = random() % size;
    const auto bit = static_cast<unsigned>(random() % 8);
    FlipBit(path, byte, bit);
    const auto file = ReadTorchFile(path);
    FlipBit(path, byte, bit);
    if (!file.ok()) {
      EXPECT_THAT(Message(file), HasSubstr(path));
      ++rejected;
      continue;
    }
    for (const auto& [name, tensor] : file->tensors) ReadAll(tensor);
  }
  EXPECT_GT(rejected, 100);
  EXPECT_EQ(Message(ReadTorchFile(path)), "");
}

TEST(TorchFileTest, RejectsFilesBeforePyTorch16WithAdvice) {
  EXPECT_THAT(Error("state_legacy.pt"),
              AllOf(HasSubstr("state_legacy.pt: is in the format of PyTorch before 1.6; save it"),
                    HasSubstr("torch.save(torch.load(path")));
}

TEST(ReadTorchFileTest, FindsTheStateInATrainingCheckpoint) {
  const auto file = ReadTorchFile(kFiles + "training.pt");
  ASSERT_TRUE(file.ok()) << file.status();
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file->tensors) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("bias", "weight"));
}

TEST(ReadTorchFileTest, NamesObjectsThatAreNotTensors) {
  EXPECT_THAT(Error("whole_model.pt"),
              AllOf(HasSubstr("whole_model.pt: pickle, byte "),
                    HasSubstr("refers to \"torch.nn.modules.linear.Linear\", which is neither a "
                              "tensor nor plain data, and is not run"),
                    HasSubstr("torch.save(model.state_dict(), path)")));
  EXPECT_THAT(Error("harmful.pt"), HasSubstr("refers to \"posix.system\""));
  EXPECT_FALSE(std::filesystem::exists("harm"));
  EXPECT_THAT(Error("protocol_4.pt"),
              HasSubstr("expected pickle protocol 2, torch.save's default, found 4"));
}

TEST(ReadTorchFileTest, RejectsTensorsThatCannotBeWeights) {
  EXPECT_THAT(Error("float64.pt"), HasSubstr("tensor \"weight\" is float64; save the model in "
                                             "float32: model.float()"));
  EXPECT_THAT(
      Error("expanded.pt"),
      HasSubstr("tensor \"weight\": of shape [1000] with strides [0] from element 0 on does "
                "not lie in its storage of 1 elements, or has some of them twice"));
  EXPECT_THAT(Error("overlapping.pt"),
              HasSubstr("has tensors that take more than 4 times the bytes of their storages"));
  EXPECT_THAT(Error("long_name.pt"), HasSubstr("has a name of 1001 bytes; expected at most 1000"));
  EXPECT_THAT(Error("list.pt"), HasSubstr("list.pt: holds no dict of tensors"));
}

TEST(ReadTorchFileTest, RejectsOtherArchivesAndFiles) {
  EXPECT_THAT(Error("expected.json"), HasSubstr("cannot be read as a zip archive"));
  const std::string path = FreshPath("other.zip");
  const std::vector<std::byte> data(3);
  ASSERT_EQ(Message(WriteZip(path, {{"data.pkl", data}})), "");
  EXPECT_THAT(Message(ReadTorchFile(path)), HasSubstr("none of PyTorch's: it has no FOLDER/data"));
}

TEST(ReadTorchFileTest, RejectsBigEndianFiles) {
  const std::string path = FreshPath("big.pt");
  auto zip = ZipReader::Open(kFiles + "state.pt");
  const auto pickle = (*zip)->Read("state/data.pkl");
  const std::vector<std::byte> big(3);
  ASSERT_EQ(Message(WriteZip(path, {{"state/data.pkl", *pickle}, {"state/byteorder", big}})), "");
  EXPECT_THAT(Message(ReadTorchFile(path)), HasSubstr("big-endian"));
  ASSERT_EQ(Message(WriteZip(path, {{"state/data.pkl", *pickle}})), "");
  EXPECT_THAT(Message(ReadTorchFile(path)), HasSubstr("state/data/"));
}

}  // namespace
}  // namespace limpid::internal

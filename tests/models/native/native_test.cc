// Limpid folders: round trips, failing writes and invalid folders.

#include "models/native/native.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/io/file.h"
#include "models/model/checkpoint.h"
#include "models/model/describe.h"
#include "models/model/weights.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Checkpoint SmallCheckpoint() {
  auto checkpoint = SmallMarianFolder().Read();
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return *checkpoint;
}

std::string WriteSmall(DType dtype = DType::kFloat32) {
  std::string folder = FreshPath("native");
  EXPECT_EQ(Message(WriteNative(SmallCheckpoint(), folder, dtype)), "");
  return folder;
}

void ExpectSame(const Checkpoint& found, const Checkpoint& expected) {
  ModelConfig config = expected.config;
  config.tokenizer = TokenizerKindOf(expected);  // only Limpid folders state it
  EXPECT_EQ(found.config, config);
  EXPECT_EQ(found.source_vocabulary, expected.source_vocabulary);
  EXPECT_EQ(found.target_vocabulary, expected.target_vocabulary);
  EXPECT_EQ(found.source_sentencepiece, expected.source_sentencepiece);
  EXPECT_EQ(found.target_sentencepiece, expected.target_sentencepiece);
  EXPECT_EQ(found.subword_merges, expected.subword_merges);
  ASSERT_EQ(found.tensors.size(), expected.tensors.size());
  for (const auto& [name, tensor] : expected.tensors) {
    const TensorView& other = found.tensors.find(name)->second;
    EXPECT_EQ(other.dtype, tensor.dtype) << name;
    EXPECT_EQ(other.shape, tensor.shape) << name;
    EXPECT_TRUE(std::equal(tensor.data, tensor.data + tensor.bytes(), other.data)) << name;
  }
}

TEST(NativeTest, Float32RoundTripsBitForBit) {
  const Checkpoint expected = SmallCheckpoint();
  const auto found = ReadNative(WriteSmall());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->format, "Limpid folder");
  ExpectSame(*found, expected);
}

TEST(NativeTest, MatricesTakeTheDTypeAndVectorsStayFloat32) {
  const Checkpoint original = SmallCheckpoint();
  for (const auto& [dtype, tolerance] :
       {std::pair{DType::kFloat16, 0x1p-11F}, std::pair{DType::kBFloat16, 0x1p-8F},
        std::pair{DType::kInt8, 1.0F / 254}}) {
    const auto found = ReadNative(WriteSmall(dtype));
    ASSERT_TRUE(found.ok()) << found.status();
    for (const auto& [name, tensor] : original.tensors) {
      const TensorView& other = found->tensors.find(name)->second;
      const bool matrix = tensor.shape.size() == 2;
      EXPECT_EQ(other.dtype, matrix ? dtype : DType::kFloat32) << name;
      const std::vector<float> expected = ReadAll(tensor);
      const std::vector<float> values = ReadAll(other);
      for (size_t i = 0; i < values.size(); ++i) {
        const auto row =
            expected.begin() + static_cast<int64_t>(i) / tensor.columns() * tensor.columns();
        const float largest = *std::max_element(row, row + tensor.columns(), [](float a, float b) {
          return std::abs(a) < std::abs(b);
        });
        EXPECT_NEAR(values[i], expected[i], matrix ? std::abs(largest) * tolerance * 1.001F : 0)
            << name;
      }
    }
  }
}

// Tensors that already have the dtype are copied: int8 is not quantized a second time.
TEST(NativeTest, EveryDTypeRoundTripsBitForBit) {
  for (DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kInt8}) {
    const auto once = ReadNative(WriteSmall(dtype));
    ASSERT_TRUE(once.ok()) << once.status();
    const std::string again = FreshPath("again");
    ASSERT_EQ(Message(WriteNative(*once, again, dtype)), "");
    const auto twice = ReadNative(again);
    ASSERT_TRUE(twice.ok()) << twice.status();
    ExpectSame(*twice, *once);
    EXPECT_EQ(ReadAll(twice->tensors.at("embedding.weight")),
              ReadAll(once->tensors.at("embedding.weight")));
  }
}

TEST(NativeTest, SidesThatDifferHaveSeparateFiles) {
  EXPECT_THAT(FilesIn(WriteSmall()),
              UnorderedElementsAre("config.json", "model.safetensors", "vocabulary.json",
                                   "source.spm", "target.spm", "checksums.json"));
  Checkpoint checkpoint = SmallCheckpoint();
  checkpoint.target_vocabulary[2] = "▁b";
  checkpoint.target_sentencepiece = checkpoint.source_sentencepiece;
  const std::string folder = FreshPath("native");
  ASSERT_EQ(Message(WriteNative(checkpoint, folder, DType::kFloat32)), "");
  EXPECT_THAT(FilesIn(folder),
              UnorderedElementsAre("config.json", "model.safetensors", "source_vocabulary.json",
                                   "target_vocabulary.json", "source.spm", "checksums.json"));
  ExpectSame(*ReadNative(folder), checkpoint);
}

TEST(NativeTest, AModelWithoutSentencePieceHasNoSuchFiles) {
  Checkpoint checkpoint = SmallCheckpoint();
  checkpoint.source_sentencepiece = checkpoint.target_sentencepiece = "";
  const std::string folder = FreshPath("native");
  ASSERT_EQ(Message(WriteNative(checkpoint, folder, DType::kFloat32)), "");
  EXPECT_THAT(FilesIn(folder), UnorderedElementsAre("config.json", "model.safetensors",
                                                    "vocabulary.json", "checksums.json"));
  ExpectSame(*ReadNative(folder), checkpoint);
}

TEST(NativeTest, MergesReplaceSentencePiece) {
  Checkpoint checkpoint = SmallCheckpoint();
  checkpoint.source_sentencepiece = checkpoint.target_sentencepiece = "";
  checkpoint.subword_merges = "#version: 0.2\na b\n";
  const std::string folder = FreshPath("native");
  ASSERT_EQ(Message(WriteNative(checkpoint, folder, DType::kFloat32)), "");
  EXPECT_THAT(FilesIn(folder),
              UnorderedElementsAre("config.json", "model.safetensors", "vocabulary.json",
                                   "subword.bpe", "checksums.json"));
  ExpectSame(*ReadNative(folder), checkpoint);
}

// --- Writing ---

// Writes within a folder of its own, to see what a failure leaves.
class FailingWriteTest : public testing::Test {
 protected:
  FailingWriteTest() : parent_(FreshPath("parent")) { fs::create_directory(parent_); }

  std::string Write(const Checkpoint& checkpoint, DType dtype) const {
    return Message(WriteNative(checkpoint, parent_ + "/native", dtype));
  }

  const std::string parent_;
  Checkpoint checkpoint_ = SmallCheckpoint();
};

TEST_F(FailingWriteTest, AFullDiskLeavesNothing) {
  const FileSizeLimit limit(1000);
  EXPECT_THAT(Write(checkpoint_, DType::kFloat32), HasSubstr("cannot write: File too large"));
  EXPECT_THAT(FilesIn(parent_), IsEmpty());
}

TEST_F(FailingWriteTest, AWeightThatIsTooLargeLeavesNothing) {
  std::vector<float> values = ReadAll(checkpoint_.tensors["embedding.weight"]);
  values[6] = 1e5F;
  checkpoint_.tensors["embedding.weight"].data = reinterpret_cast<const std::byte*>(values.data());
  EXPECT_THAT(Write(checkpoint_, DType::kFloat16),
              HasSubstr("tensor \"embedding.weight\": row 1 holds 100000, which float16 cannot"));
  EXPECT_THAT(FilesIn(parent_), IsEmpty());
}

TEST_F(FailingWriteTest, APieceThatIsNotUtf8LeavesNothing) {
  checkpoint_.source_vocabulary[2] = "\xFF";
  EXPECT_THAT(Write(checkpoint_, DType::kFloat32),
              HasSubstr("vocabulary.json: a string is not valid UTF-8"));
  EXPECT_THAT(FilesIn(parent_), IsEmpty());
}

// --- Reading ---

// A valid folder in which each test changes a file.
class ReadNativeTest : public testing::Test {
 protected:
  ReadNativeTest() : folder_(WriteSmall()) {}

  std::string Path(const std::string& file) const { return folder_ + "/" + file; }
  std::string Error() const { return Message(ReadNative(folder_)); }
  std::string ErrorWith(const std::string& file, const std::string& text) const {
    WriteText(Path(file), text);
    return Error();
  }

  const std::string folder_;
};

TEST_F(ReadNativeTest, NamesMissingFiles) {
  for (const char* file : {"config.json", "model.safetensors", "vocabulary.json"}) {
    fs::rename(Path(file), Path("away"));
    const auto found = ReadNative(folder_);
    EXPECT_TRUE(absl::IsNotFound(found.status())) << file;
    EXPECT_THAT(Message(found), HasSubstr(Path(file)));
    fs::rename(Path("away"), Path(file));
  }
  EXPECT_EQ(Error(), "");
}

TEST_F(ReadNativeTest, NamesTheInvalidFile) {
  const std::string config = ReadText(Path("config.json"));
  EXPECT_THAT(ErrorWith("config.json", "{"), HasSubstr(Path("config.json: is not valid JSON")));
  json other = json::parse(config);
  other["encoder_layers"] = 3;
  EXPECT_THAT(ErrorWith("config.json", other.dump()),
              HasSubstr(Path("model.safetensors: tensor \"encoder.layers.2.")));
  WriteText(Path("config.json"), config);
  EXPECT_THAT(ErrorWith("model.safetensors", "x"), HasSubstr(Path("model.safetensors: expected")));
}

TEST_F(ReadNativeTest, RejectsVocabulariesThatDoNotFit) {
  const auto error = [&](const json& vocabulary) {
    return ErrorWith("vocabulary.json", vocabulary.dump());
  };
  EXPECT_THAT(ErrorWith("vocabulary.json", "[\"\xFF\"]"),
              HasSubstr(Path("vocabulary.json: is not valid JSON")));
  EXPECT_THAT(error({{"a", 0}}), HasSubstr("expected an array of pieces, found an object"));
  EXPECT_THAT(error({"a", "b"}), HasSubstr("config.json asks for 5 pieces, found 2"));
  EXPECT_THAT(error({"a", "b", "c", 3, "e"}), HasSubstr("expected a piece for id 3, found 3"));
}

TEST_F(ReadNativeTest, RejectsVocabulariesOfBothKinds) {
  fs::copy_file(Path("vocabulary.json"), Path("source_vocabulary.json"));
  EXPECT_THAT(Error(), HasSubstr("expected vocabulary.json or source_vocabulary.json, found both"));
  fs::remove(Path("vocabulary.json"));
  EXPECT_THAT(Error(), HasSubstr(Path("target_vocabulary.json")));
}

// config.json states the tokenizer, and with it the files that it needs.
TEST_F(ReadNativeTest, NamesAMissingTokenizerFile) {
  for (const char* file : {"source.spm", "target.spm"}) {
    fs::rename(Path(file), Path("away"));
    const auto found = ReadNative(folder_);
    EXPECT_TRUE(absl::IsNotFound(found.status()));
    EXPECT_THAT(Message(found), HasSubstr(Path(file) + ": is missing; the tokenizer that"));
    fs::rename(Path("away"), Path(file));
  }
  EXPECT_EQ(Error(), "");
}

TEST_F(ReadNativeTest, DetectsATokenizerFileOfAnotherModelByItsChecksum) {
  EXPECT_THAT(ErrorWith("target.spm", "other pieces"),
              HasSubstr(Path("target.spm: differs from its checksum in checksums.json")));
  EXPECT_THAT(ErrorWith("target.spm", ""), HasSubstr(Path("target.spm: is empty")));
  EXPECT_THAT(ErrorWith("target.spm",
                        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n"),
              HasSubstr(Path("target.spm: is a Git LFS pointer")));
}

TEST_F(ReadNativeTest, RejectsFilesOfAnotherTokenizer) {
  EXPECT_THAT(ErrorWith("subword.bpe", "a b\n"),
              HasSubstr(Path("subword.bpe: does not belong to a model whose tokenizer is "
                             "\"sentencepiece_per_side\"")));
}

// tests/golden/older_folder was written before config.json stated the tokenizer.
TEST(OlderFolderTest, StillLoads) {
  const auto found = ReadCheckpoint("tests/golden/older_folder");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->config.tokenizer, std::nullopt);
  EXPECT_EQ(TokenizerKindOf(*found), TokenizerKind::kSentencePiece);
  EXPECT_EQ(found->source_sentencepiece, ReadText("tests/golden/base/source.spm"));
  EXPECT_EQ(found->target_sentencepiece, found->source_sentencepiece);
}

TEST(OlderFolderTest, ItsFilesDetermineTheTokenizer) {
  const std::string folder = FreshPath("older");
  fs::copy("tests/golden/older_folder", folder);
  fs::rename(folder + "/source.spm", folder + "/target.spm");
  EXPECT_THAT(Message(ReadCheckpoint(folder)), HasSubstr("has target.spm but no source.spm"));
  fs::rename(folder + "/target.spm", folder + "/subword.bpe");
  EXPECT_EQ(TokenizerKindOf(*ReadCheckpoint(folder)), TokenizerKind::kMosesSubwordNmt);
  WriteText(folder + "/source.spm", "pieces");
  EXPECT_THAT(Message(ReadCheckpoint(folder)), HasSubstr("source.spm: does not belong to a model"));
}

TEST_F(ReadNativeTest, RejectsTruncatedFiles) {
  for (const char* file : {"config.json", "model.safetensors", "vocabulary.json"}) {
    const std::string text = ReadText(Path(file));
    // Starts without the last byte, or the last two if the file ends with a line break.
    for (size_t size = text.size() - (text.back() == '\n' ? 2 : 1); size > 0;
         size -= std::min<size_t>(size, 11)) {
      fs::resize_file(Path(file), size);
      EXPECT_THAT(Error(), HasSubstr(file)) << size;
    }
    WriteText(Path(file), text);
  }
}

TEST_F(ReadNativeTest, FlippedBitsGiveAStatusOrAValidCheckpoint) {
  std::mt19937 random(2);
  int rejected = 0;
  for (const char* file : {"config.json", "model.safetensors", "vocabulary.json"}) {
    const size_t size = fs::file_size(Path(file));
    for (int i = 0; i < 300; ++i) {
      // Half of the flips hit the beginning, where headers are.
      const size_t byte = random() % (i % 2 == 0 ? size : std::min<size_t>(size, 2000));
      const auto bit = static_cast<unsigned>(random() % 8);
      FlipBit(Path(file), byte, bit);
      const auto found = ReadNative(folder_);
      FlipBit(Path(file), byte, bit);
      if (!found.ok()) {
        EXPECT_THAT(Message(found), HasSubstr(folder_));
        ++rejected;
        continue;
      }
      EXPECT_EQ(Message(ValidateConfig(found->config)), "");
      EXPECT_EQ(Message(BindWeights(found->config, found->tensors)), "");
      for (const auto& [name, tensor] : found->tensors) ReadAll(tensor);
      EXPECT_FALSE(Describe(*found).empty());
    }
  }
  EXPECT_EQ(Error(), "");
  EXPECT_GT(rejected, 200);
}

}  // namespace
}  // namespace limpid::internal

// Loading a model from memory, a translator's info(), and moving a translator.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "limpid/translator.h"
#include "limpid/version.h"
#include "models/native/native.h"
#include "tests/reference/random_model.h"
#include "tests/temporary_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr char kModel[] = "models/eng-deu";
constexpr char kText[] = "I love you very much.";

// A folder's files in memory, as in a program that embeds a model.
class FilesInMemory {
 public:
  explicit FilesInMemory(const std::string& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      std::ifstream in(entry.path(), std::ios::binary);
      bytes_[entry.path().filename()] = {std::istreambuf_iterator<char>(in), {}};
    }
    for (const auto& [name, bytes] : bytes_) views_[name] = bytes;
  }

  std::map<std::string, std::string_view>& views() { return views_; }
  std::string& bytes(const std::string& name) { return bytes_.at(name); }

 private:
  std::map<std::string, std::string> bytes_;
  std::map<std::string, std::string_view> views_;
};

TEST(LoadFromMemoryTest, TranslatesAsTheFolderDoes) {
  FilesInMemory files(kModel);
  for (const bool shortlist : {false, true}) {
    for (const ComputeType type : {ComputeType::kAuto, ComputeType::kFloat32}) {
      const TranslatorOptions options = {
          .compute_type = type, .shortlist = shortlist, .verify = true};
      const auto from_memory = Translator::LoadFromMemory(files.views(), options);
      ASSERT_TRUE(from_memory.ok()) << from_memory.status();
      const auto from_folder = Translator::Load(kModel, options);
      const auto expected = *(*from_folder)->Translate(kText);
      const auto translation = *(*from_memory)->Translate(kText);
      EXPECT_EQ(translation.text, "Ich liebe dich sehr.");
      EXPECT_EQ(translation.text, expected.text);
      EXPECT_EQ(translation.score, expected.score);
    }
  }
}

// Resources embedded by a linker may begin at any byte.
TEST(LoadFromMemoryTest, BytesNeedNoAlignment) {
  FilesInMemory files(kModel);
  std::map<std::string, std::string> shifted;
  for (auto& [name, view] : files.views()) {
    view = std::string_view(shifted[name] = "#" + std::string(view)).substr(1);
  }
  const auto translator = Translator::LoadFromMemory(files.views());
  ASSERT_TRUE(translator.ok()) << translator.status();
  EXPECT_EQ((*translator)->Translate(kText)->text, "Ich liebe dich sehr.");
}

TEST(LoadFromMemoryTest, ErrorsNameTheFile) {
  const auto message = [](const std::map<std::string, std::string_view>& files,
                          const TranslatorOptions& options = {}) {
    return std::string(Translator::LoadFromMemory(files, options).status().message());
  };
  EXPECT_THAT(message({}), HasSubstr("<memory>/config.json: no such file"));
  FilesInMemory files(kModel);
  files.bytes("model.safetensors").back() ^= 1;
  EXPECT_THAT(message(files.views(), {.verify = true}), HasSubstr("<memory>/model.safetensors"));
  files.views().erase("source.spm");
  EXPECT_THAT(message(files.views()), HasSubstr("<memory>/source.spm: is missing"));
  files.views().erase("model.safetensors");
  EXPECT_THAT(message(files.views()), HasSubstr("<memory>/model.safetensors: no such file"));
}

TEST(LoadFromMemoryTest, EveryTruncatedFileIsAnError) {
  const std::string folder = TemporaryPath("model");
  ModelConfig config = reference::SmallConfig();
  config.encoder_layers = config.decoder_layers = 1;
  ASSERT_TRUE(WriteNative(reference::RandomModel(config, 1), folder, DType::kFloat16).ok());
  FilesInMemory files(folder);
  fs::remove_all(folder);
  for (auto& [name, view] : files.views()) {
    const std::string_view whole = view;
    for (size_t size = 0; size < whole.size(); size += 1 + size / 8) {
      view = whole.substr(0, size);
      const auto translator = Translator::LoadFromMemory(files.views(), {.threads = 1});
      EXPECT_FALSE(translator.ok()) << name << " cut to " << size << " of " << whole.size();
    }
    view = whole;
  }
  EXPECT_TRUE(Translator::LoadFromMemory(files.views())->get()->Translate("w2 w3").ok());
}

TEST(InfoTest, DescribesTheShippedModel) {
  const auto translator = *Translator::Load(kModel, {.compute_type = ComputeType::kFloat32});
  const ModelInfo& info = translator->info();
  EXPECT_EQ(info.source_language, "eng");
  EXPECT_EQ(info.target_language, "deu");
  EXPECT_EQ(info.source_vocab_size, 8001);
  EXPECT_EQ(info.target_vocab_size, 8001);
  EXPECT_EQ(info.tokenizer, "sentencepiece");
  EXPECT_TRUE(info.has_shortlist);
  EXPECT_EQ(info.max_positions, 512);
  EXPECT_EQ(info.max_source_tokens, 48);
  EXPECT_EQ(info.model_dim, 256);
  EXPECT_EQ(info.encoder_layers, 6);
  EXPECT_EQ(info.decoder_layers, 2);
  EXPECT_EQ(info.encoder_heads, 4);
  EXPECT_EQ(info.decoder_heads, 4);
  EXPECT_EQ(info.stored_type, "float16");
  EXPECT_EQ(info.compute_type, ComputeType::kFloat32);
}

TEST(InfoTest, TheComputeTypeIsTheOneInUse) {
  const auto translator = *Translator::Load(kModel);
  EXPECT_EQ(translator->info().compute_type,
            IsSupported(ComputeType::kInt8) ? ComputeType::kInt8 : ComputeType::kFloat32);
}

TEST(InfoTest, ReportsTheStoredType) {
  for (const DType type : {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8}) {
    const std::string folder = TemporaryPath("model");
    fs::remove_all(folder);
    ASSERT_TRUE(
        WriteNative(reference::RandomModel(reference::SmallConfig(), 1), folder, type).ok());
    const auto translator = *Translator::Load(folder);
    fs::remove_all(folder);
    EXPECT_EQ(translator->info().stored_type, DTypeName(type));
    EXPECT_EQ(translator->info().tokenizer, "spaces");
    EXPECT_FALSE(translator->info().has_shortlist);
  }
}

TEST(TranslatorMoveTest, TheNewOwnerTranslates) {
  Translator first = std::move(**Translator::Load(kModel, {.threads = 2}));
  Translator second = std::move(first);
  EXPECT_EQ(second.Translate(kText)->text, "Ich liebe dich sehr.");
  first = std::move(second);
  EXPECT_EQ(first.TranslateBatch({kText, "I am here."})->at(1).text, "Ich bin hier.");
}

TEST(VersionTest, TheNumbersAreThoseOfTheText) {
  EXPECT_EQ(LIMPID_VERSION, std::to_string(LIMPID_VERSION_MAJOR) + "." +
                                std::to_string(LIMPID_VERSION_MINOR) + "." +
                                std::to_string(LIMPID_VERSION_PATCH));
}

}  // namespace
}  // namespace limpid::internal

// A truncated model, or one with a flipped bit, either fails to load with a message or translates.
//
// Uses a small model; with LIMPID_FULL_SWEEP=1, models/eng-deu, which takes minutes.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "limpid/translator.h"
#include "models/native/native.h"
#include "tests/reference/random_model.h"
#include "tests/temporary_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

bool IsFullSweep() { return std::getenv("LIMPID_FULL_SWEEP") != nullptr; }

class DamagedModelTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = TemporaryPath("model");
    fs::remove_all(folder_);
    if (IsFullSweep()) {
      fs::copy("models/eng-deu", folder_);
      text_ = "I love you very much.";
    } else {
      ModelConfig config = reference::SmallConfig();
      config.encoder_layers = config.decoder_layers = 1;
      ASSERT_TRUE(WriteNative(reference::RandomModel(config, 1), folder_, DType::kFloat16).ok());
      text_ = "w2 w3 w9";
    }
    tensors_ = folder_ + "/model.safetensors";
    ASSERT_EQ(LoadAndTranslate(), "");
    undamaged_translation_ = translation_;
  }
  void TearDown() override {
    std::cout << rejected_ << " of " << tried_ << " rejected, the others translated\n";
    fs::remove_all(folder_);
  }

  // Loads the model and translates. Returns the error of loading, empty if there is none.
  std::string LoadAndTranslate(bool verify = false) {
    ++tried_;
    const auto translator = Translator::Load(folder_, {.threads = 1, .verify = verify});
    if (!translator.ok()) {
      ++rejected_;
      return std::string(translator.status().message());
    }
    const auto translation = (*translator)->Translate(text_, {.search = {.max_output_tokens = 8}});
    EXPECT_TRUE(translation.ok()) << translation.status();
    if (translation.ok()) translation_ = translation->text;
    return "";
  }

  // The size of the header, which describes the tensors.
  uint64_t HeaderSize() const {
    uint64_t size = 0;
    std::ifstream(tensors_, std::ios::binary).read(reinterpret_cast<char*>(&size), sizeof(size));
    return sizeof(size) + size;
  }

  static void FlipBit(const std::string& path, uint64_t byte, int bit) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(byte));
    const int flipped = file.get() ^ (1 << bit);
    file.seekp(static_cast<std::streamoff>(byte));
    file.put(static_cast<char>(flipped));
  }

  std::string folder_;
  std::string tensors_;
  std::string text_;
  std::string translation_;  // the last one
  std::string undamaged_translation_;
  int tried_ = 0;
  int rejected_ = 0;
};

TEST_F(DamagedModelTest, CutAtEveryBlockAndEveryByteOfItsHeader) {
  constexpr uint64_t kBlock = 4096;
  const uint64_t header = HeaderSize();
  const uint64_t size = fs::file_size(tensors_);
  for (uint64_t cut = (size - 1) / kBlock * kBlock; cut > header; cut -= kBlock) {
    fs::resize_file(tensors_, cut);
    EXPECT_NE(LoadAndTranslate(), "") << "cut to " << cut << " of " << size << " bytes";
  }
  for (uint64_t cut = header + 1; cut-- > 0;) {
    fs::resize_file(tensors_, cut);
    EXPECT_NE(LoadAndTranslate(), "") << "cut to " << cut << " bytes; the header has " << header;
  }
}

TEST_F(DamagedModelTest, BitsFlippedAtTwoThousandPlaces) {
  std::mt19937_64 random(5);
  const uint64_t header = HeaderSize();
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() != ".md" && entry.path().extension() != ".html") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  int harmless = 0;
  for (int i = 0; i < 2000; ++i) {
    // Half of the flips hit the tensor file, and half of those its header.
    const std::string& file = i % 2 == 0 ? tensors_ : files[random() % files.size()];
    const uint64_t byte = random() % (i % 4 == 0 ? header : fs::file_size(file));
    const int bit = static_cast<int>(random() % 8);
    SCOPED_TRACE(file + ": bit " + std::to_string(bit) + " of byte " + std::to_string(byte));
    FlipBit(file, byte, bit);
    LoadAndTranslate();
    // With `verify`, damage is found unless it is harmless, in white space of JSON.
    if (LoadAndTranslate(/*verify=*/true).empty()) {
      EXPECT_EQ(translation_, undamaged_translation_);
      ++harmless;
    }
    FlipBit(file, byte, bit);
  }
  EXPECT_EQ(LoadAndTranslate(/*verify=*/true), "");
  EXPECT_LT(harmless, 20);  // all in checksums.json
  EXPECT_GT(rejected_, 2000);
}

}  // namespace
}  // namespace limpid::internal

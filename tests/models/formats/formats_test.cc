#include "models/formats/formats.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/native/native.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TEST(FormatsTest, RecognizesFormats) {
  const std::string marian = SmallMarianFolder().Write();
  auto from_marian = ReadCheckpoint(marian);
  ASSERT_TRUE(from_marian.ok()) << from_marian.status();
  EXPECT_EQ(from_marian->format, "Hugging Face MarianMT");

  const std::string native = FreshPath("native");
  ASSERT_EQ(Message(WriteNative(*from_marian, native, DType::kFloat16)), "");
  const auto from_native = ReadCheckpoint(native);
  ASSERT_TRUE(from_native.ok()) << from_native.status();
  EXPECT_EQ(from_native->format, "Limpid folder");
  from_marian->config.tokenizer = TokenizerKindOf(*from_marian);  // only Limpid folders state it
  EXPECT_EQ(from_native->config, from_marian->config);
}

TEST(FormatsTest, ReadsTheShippedModel) {
  const auto checkpoint = ReadCheckpoint("models/eng-deu");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->config.source_language, "eng");
  EXPECT_EQ(checkpoint->config.target_language, "deu");
}

TEST(FormatsTest, ReportsAMissingPath) {
  const std::string path = FreshPath("missing");
  const auto found = ReadCheckpoint(path);
  EXPECT_TRUE(absl::IsNotFound(found.status()));
  EXPECT_EQ(Message(found), path + ": no such file or folder");
}

TEST(FormatsTest, ReportsWhatItFoundAndWhatItCanRead) {
  const auto knows =
      AllOf(HasSubstr("these can be read: Limpid folder (\"limpid_format\" in config.json"),
            HasSubstr(", Hugging Face MarianMT folder (\"model_type\": \"marian\""));
  const std::string folder = FreshPath("folder");
  fs::create_directory(folder);
  EXPECT_THAT(Message(ReadCheckpoint(folder)),
              AllOf(HasSubstr(folder + ": has no config.json but nothing"), knows));
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    WriteText(folder + "/" + name, "");
  }
  EXPECT_THAT(Message(ReadCheckpoint(folder)),
              AllOf(HasSubstr("but a, b, c, d, e, f, g, h;"), knows));
  WriteText(folder + "/i", "");
  EXPECT_THAT(Message(ReadCheckpoint(folder)),
              AllOf(HasSubstr("but a, b, c, d, e, f, g, h, …;"), knows));
  EXPECT_THAT(Message(ReadCheckpoint(folder + "/a")),
              AllOf(HasSubstr("/a: is a file of an unknown kind; "), knows));
  WriteText(folder + "/config.json", "{}");
  EXPECT_THAT(Message(ReadCheckpoint(folder)),
              AllOf(HasSubstr("has a config.json of an unknown kind, with a, b, c"), knows));
  WriteText(folder + "/config.json", "{");
  EXPECT_THAT(Message(ReadCheckpoint(folder)), HasSubstr("config.json: is not valid JSON"));
}

TEST(FormatsTest, AFileInAModelsFolderPointsToTheFolder) {
  EXPECT_THAT(
      Message(ReadCheckpoint(SmallMarianFolder().Write() + "/source.spm")),
      HasSubstr("source.spm: is a file in a Hugging Face MarianMT folder; give the folder"));
}

}  // namespace
}  // namespace limpid::internal

#include "models/file.h"

#include <sys/stat.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid {
namespace {

using testing::HasSubstr;

absl::Span<const std::byte> Bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

TEST(FileTest, ReadsWhatWasWritten) {
  const std::string path = FreshPath("file");
  const std::string first("a\0b", 3);
  const std::string second = "cd";
  ASSERT_EQ(Message(WriteFile(path, {Bytes(first), Bytes(""), Bytes(second)})), "");
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->text(), first + second);
  EXPECT_EQ((*file)->bytes().size(), 5);
}

TEST(FileTest, AnEmptyFileIsEmpty) {
  const std::string path = FreshPath("file");
  ASSERT_EQ(Message(WriteFile(path, "")), "");
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->text(), "");
  EXPECT_TRUE((*file)->bytes().empty());
}

TEST(FileTest, NamesWhatCannotBeOpened) {
  const std::string path = FreshPath("missing");
  const auto file = MappedFile::Open(path);
  EXPECT_TRUE(absl::IsNotFound(file.status())) << file.status();
  EXPECT_THAT(Message(file), HasSubstr(path + ": cannot open"));
}

TEST(FileTest, RefusesFoldersAndPipesWithoutWaiting) {
  EXPECT_THAT(Message(MappedFile::Open(testing::TempDir())),
              HasSubstr("expected a file, found a folder"));
  const std::string pipe = FreshPath("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(Message(MappedFile::Open(pipe)), HasSubstr("expected a file, found a device, pipe"));
}

TEST(FileTest, AFullDiskIsAnErrorEvenForABufferedByte) {
  EXPECT_THAT(Message(WriteFile("/dev/full", "x")), HasSubstr("/dev/full: cannot write: No space"));
}

TEST(FileTest, LeavesNothingOfAFileThatCouldNotBeWritten) {
  const std::string path = FreshPath("file");
  const FileSizeLimit limit(100);
  EXPECT_THAT(Message(WriteFile(path, std::string(1'000'000, 'x'))),
              HasSubstr(path + ": cannot write: File too large"));
  EXPECT_FALSE(Exists(path));
}

TEST(FileTest, NamesTheFolderThatIsNotThere) {
  const std::string path = FreshPath("missing") + "/file";
  EXPECT_THAT(Message(WriteFile(path, "x")), HasSubstr(path + ": cannot create"));
}

}  // namespace
}  // namespace limpid

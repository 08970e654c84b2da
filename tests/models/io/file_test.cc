#include "models/io/file.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
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

TEST(FileTest, RejectsFoldersAndPipesWithoutWaiting) {
  EXPECT_THAT(Message(MappedFile::Open(testing::TempDir())),
              HasSubstr("expected a file, found a folder"));
  const std::string pipe = FreshPath("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(Message(MappedFile::Open(pipe)), HasSubstr("expected a file, found a device, pipe"));
}

TEST(FileTest, AFullDiskIsAnErrorEvenForABufferedByte) {
  EXPECT_THAT(Message(WriteFile("/dev/full", "x")), HasSubstr("/dev/full: cannot write: No space"));
}

TEST(FileTest, AFailedWriteLeavesNothing) {
  const std::string path = FreshPath("file");
  const FileSizeLimit limit(100);
  EXPECT_THAT(Message(WriteFile(path, std::string(1'000'000, 'x'))),
              HasSubstr(path + ": cannot write: File too large"));
  EXPECT_FALSE(Exists(path));
}

// A reader, or a crash, sees either the old file or the new one.
TEST(FileTest, ReplacesAFileInOneStep) {
  const std::string path = FreshPath("file");
  ASSERT_EQ(Message(WriteFile(path, "old")), "");
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  const auto old = MappedFile::Open(path);
  ASSERT_TRUE(old.ok());
  ASSERT_EQ(Message(WriteFile(path, "new, and longer")), "");
  EXPECT_EQ((*old)->text(), "old");
  EXPECT_EQ(ReadText(path), "new, and longer");
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
}

TEST(FileTest, AFullDiskLeavesTheOldFile) {
  const std::string folder = FreshPath("folder");
  std::filesystem::create_directory(folder);
  ASSERT_EQ(Message(WriteFile(folder + "/file", "old")), "");
  const FileSizeLimit limit(100);
  EXPECT_THAT(Message(WriteFile(folder + "/file", std::string(1'000'000, 'x'))),
              HasSubstr("/file: cannot write: File too large"));
  EXPECT_EQ(ReadText(folder + "/file"), "old");
  EXPECT_EQ(FilesIn(folder).size(), 1U);
}

TEST(FileTest, ALinkStaysALinkAndItsTargetIsReplaced) {
  const std::string folder = FreshPath("folder");
  std::filesystem::create_directory(folder);
  ASSERT_EQ(Message(WriteFile(folder + "/file", "old")), "");
  std::filesystem::create_symlink("file", folder + "/link");
  ASSERT_EQ(Message(WriteFile(folder + "/link", "new")), "");
  EXPECT_TRUE(std::filesystem::is_symlink(folder + "/link"));
  EXPECT_EQ(ReadText(folder + "/file"), "new");
}

TEST(FileTest, ReportsAGitLfsPointer) {
  const std::string path = FreshPath("source.spm");
  WriteText(path,
            "version https://git-lfs.github.com/spec/v1\n"
            "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
            "size 789244\n");
  EXPECT_THAT(Message(MappedFile::Open(path)),
              HasSubstr(path + ": is a Git LFS pointer instead of the file"));
}

TEST(FileTest, NamesAMissingFolder) {
  const std::string path = FreshPath("missing") + "/file";
  EXPECT_THAT(Message(WriteFile(path, "x")), HasSubstr(path + ": cannot create"));
}

TEST(FolderTest, AGitLfsPointerIsNamedOnDiskAndInMemory) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  const std::string path = FreshPath("folder");
  std::filesystem::create_directory(path);
  ASSERT_EQ(Message(WriteFile(path + "/a", pointer)), "");
  for (const Folder& folder : {Folder(path), Folder({{"a", pointer}})}) {
    EXPECT_TRUE(folder.Has("a"));
    EXPECT_FALSE(folder.Has("b"));
    EXPECT_THAT(Message(folder.Open("a")), HasSubstr("/a: is a Git LFS pointer"));
    EXPECT_THAT(Message(folder.Open("b")), HasSubstr(folder.path() + "/b: "));
  }
}

}  // namespace
}  // namespace limpid::internal

#include "models/io/new_folder.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Writes within a folder of its own, to see what a failure leaves.
class NewFolderTest : public testing::Test {
 protected:
  NewFolderTest() : parent_(FreshPath("parent")) { fs::create_directory(parent_); }

  std::string Path(const std::string& name) const { return parent_ + "/" + name; }

  const std::string parent_;
};

absl::Status WriteTwoFiles(const std::string& folder) {
  WriteText(folder + "/one", "1");
  WriteText(folder + "/two", "2");
  return absl::OkStatus();
}

TEST_F(NewFolderTest, AppearsOnlyWhenComplete) {
  const absl::Status status = WriteNewFolder(Path("new"), [&](const std::string& folder) {
    EXPECT_EQ(fs::path(folder).parent_path(), parent_);  // so that the rename is one step
    absl::Status written = WriteTwoFiles(folder);
    EXPECT_FALSE(fs::exists(Path("new")));
    return written;
  });
  EXPECT_EQ(Message(status), "");
  EXPECT_THAT(FilesIn(parent_), UnorderedElementsAre("new"));
  EXPECT_THAT(FilesIn(Path("new")), UnorderedElementsAre("one", "two"));
}

TEST_F(NewFolderTest, AFailureIsReturnedAndLeavesNothing) {
  const absl::Status status = WriteNewFolder(Path("new"), [](const std::string& folder) {
    WriteText(folder + "/one", "1");
    return absl::DataLossError("no more of it");
  });
  EXPECT_EQ(status, absl::DataLossError("no more of it"));
  EXPECT_THAT(FilesIn(parent_), IsEmpty());
}

TEST_F(NewFolderTest, AcceptsAnEmptyFolderAndTrailingSlashes) {
  fs::create_directory(Path("empty"));
  EXPECT_EQ(Message(WriteNewFolder(Path("empty") + "//", WriteTwoFiles)), "");
  EXPECT_THAT(FilesIn(parent_), UnorderedElementsAre("empty"));
  EXPECT_THAT(FilesIn(Path("empty")), UnorderedElementsAre("one", "two"));
}

TEST_F(NewFolderTest, DoesNotTouchWhatExists) {
  fs::create_directory(Path("full"));
  WriteText(Path("full/precious"), "text");
  fs::create_symlink("nowhere", Path("link"));
  for (const char* taken : {"full", "full/precious", "link"}) {
    bool called = false;
    const absl::Status status = WriteNewFolder(Path(taken), [&](const std::string&) {
      called = true;
      return absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
    EXPECT_THAT(Message(status), HasSubstr(Path(taken) + ": exists; choose another folder"));
    EXPECT_FALSE(called) << taken;
  }
  EXPECT_EQ(ReadText(Path("full/precious")), "text");
  EXPECT_THAT(FilesIn(parent_), UnorderedElementsAre("full", "link"));
}

// Another process may create it first.
TEST_F(NewFolderTest, DoesNotReplaceWhatAppearsMeanwhile) {
  const absl::Status status = WriteNewFolder(Path("new"), [&](const std::string& folder) {
    fs::create_directory(Path("new"));
    WriteText(Path("new/precious"), "text");
    return WriteTwoFiles(folder);
  });
  EXPECT_THAT(Message(status),
              AllOf(HasSubstr(Path("new") + ": cannot rename"), HasSubstr("Directory not empty")));
  EXPECT_THAT(FilesIn(parent_), UnorderedElementsAre("new"));
  EXPECT_THAT(FilesIn(Path("new")), UnorderedElementsAre("precious"));
}

TEST_F(NewFolderTest, CreatesParentFolders) {
  EXPECT_EQ(Message(WriteNewFolder(Path("a/b/new"), WriteTwoFiles)), "");
  EXPECT_THAT(FilesIn(Path("a/b/new")), UnorderedElementsAre("one", "two"));
}

TEST_F(NewFolderTest, AFailureLeavesNoParentFolders) {
  const auto fail = [](const std::string&) { return absl::DataLossError("no more of it"); };
  EXPECT_EQ(WriteNewFolder(Path("a/b/new"), fail), absl::DataLossError("no more of it"));
  EXPECT_THAT(FilesIn(parent_), IsEmpty());
}

TEST_F(NewFolderTest, AParentThatIsAFileIsNamed) {
  WriteText(Path("file"), "text");
  EXPECT_THAT(Message(WriteNewFolder(Path("file/new"), WriteTwoFiles)),
              HasSubstr(Path("file/new.partial-0: cannot create this folder: Not a directory")));
}

// It may be a mount point, or its parent may not be writable.
TEST_F(NewFolderTest, AnEmptyFolderStaysTheSameFolder) {
  fs::create_directory(Path("empty"));
  struct stat before = {};
  struct stat after = {};
  ASSERT_EQ(stat(Path("empty").c_str(), &before), 0);
  EXPECT_EQ(Message(WriteNewFolder(Path("empty"), WriteTwoFiles)), "");
  ASSERT_EQ(stat(Path("empty").c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_THAT(FilesIn(Path("empty")), UnorderedElementsAre("one", "two"));
}

TEST_F(NewFolderTest, TheCurrentFolderIsFilledIfItIsEmpty) {
  const fs::path before = fs::current_path();
  fs::current_path(parent_);
  EXPECT_EQ(Message(WriteNewFolder(".", WriteTwoFiles)), "");
  fs::current_path(before);
  EXPECT_THAT(FilesIn(parent_), UnorderedElementsAre("one", "two"));
}

TEST_F(NewFolderTest, AFailureLeavesAnEmptyFolderEmpty) {
  fs::create_directory(Path("empty"));
  const absl::Status status = WriteNewFolder(Path("empty"), [&](const std::string& folder) {
    WriteText(Path("empty/two"), "precious");  // another process was quicker
    return WriteTwoFiles(folder);
  });
  EXPECT_THAT(Message(status), HasSubstr(Path("empty/two: exists by now")));
  EXPECT_THAT(FilesIn(Path("empty")), UnorderedElementsAre("two"));
  EXPECT_EQ(ReadText(Path("empty/two")), "precious");
}

// Leftovers of a killed run do not matter, and may belong to a run in progress.
TEST_F(NewFolderTest, LeftoversOfOtherRunsStay) {
  fs::create_directory(Path("new.partial-0"));
  WriteText(Path("new.partial-0/half"), "a model");
  EXPECT_EQ(Message(WriteNewFolder(Path("new"), WriteTwoFiles)), "");
  EXPECT_THAT(FilesIn(parent_), UnorderedElementsAre("new", "new.partial-0"));
  EXPECT_THAT(FilesIn(Path("new.partial-0")), UnorderedElementsAre("half"));
}

TEST_F(NewFolderTest, TooManyLeftoversAreAnError) {
  for (int i = 0; i < 100; ++i) fs::create_directory(Path("new.partial-" + std::to_string(i)));
  EXPECT_THAT(Message(WriteNewFolder(Path("new"), WriteTwoFiles)),
              HasSubstr("remove what earlier runs left"));
  EXPECT_FALSE(fs::exists(Path("new")));
}

}  // namespace
}  // namespace limpid::internal

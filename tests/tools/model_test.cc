// Finding the default model.

#include "tools/model.h"

#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

// A copy of the program in its own folder, without $LIMPID_MODEL.
class DefaultModelTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = TemporaryPath("root");
    fs::remove_all(root_);
    fs::create_directories(root_ + "/bin");
    options_.path = root_ + "/bin/limpid";
    options_.environment.clear();
    fs::copy_file(LIMPID_PROGRAM, options_.path);
  }
  void TearDown() override { fs::remove_all(root_); }

  void PutModelAt(const std::string& place) const {
    fs::create_directories(root_ + "/" + place);
    fs::create_directory_symlink(fs::absolute("models/eng-deu"), root_ + "/" + place + "/eng-deu");
  }
  Outcome Translate() const { return RunProgram({"translate", kEnglish}, "", options_); }
  void ExpectFound() const {
    const Outcome outcome = Translate();
    EXPECT_EQ(outcome.output, std::string(kGerman) + "\n") << outcome.error;
    EXPECT_EQ(outcome.exit_code, 0);
  }

  std::string root_;
  ProgramOptions options_;
};

TEST_F(DefaultModelTest, IsFoundInTheSourceTree) {
  PutModelAt("models");
  ExpectFound();
}

TEST_F(DefaultModelTest, IsFoundBesideTheProgram) {
  PutModelAt("bin/models");
  ExpectFound();
}

TEST_F(DefaultModelTest, IsFoundWhereItIsInstalled) {
  PutModelAt("share/limpid/models");
  ExpectFound();
}

TEST_F(DefaultModelTest, IsFoundThroughALinkToTheProgram) {
  PutModelAt("share/limpid/models");
  fs::create_symlink(options_.path, root_ + "/link");
  options_.path = root_ + "/link";
  ExpectFound();
}

TEST_F(DefaultModelTest, IsTakenFromTheEnvironment) {
  options_.environment = {"LIMPID_MODEL=models/eng-deu"};
  ExpectFound();
}

TEST_F(DefaultModelTest, EnvironmentIsNotPassedOver) {
  PutModelAt("models");
  options_.environment = {"LIMPID_MODEL=/no/such"};
  const Outcome outcome = Translate();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "'/no/such'")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "LIMPID_MODEL")) << outcome.error;
}

TEST_F(DefaultModelTest, WithoutOneItSaysWhatToDo) {
  const Outcome outcome = Translate();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StrContains(outcome.error, "--model=DIR")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
}

}  // namespace
}  // namespace limpid::internal

// Runs tools/setup in a copy of a source tree, with fakes for the system's tools that log their
// arguments.

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

class SetupTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = TemporaryPath("a folder with spaces");
    fs::remove_all(root_);
    fs::create_directories(root_ + "/tree/tools");
    fs::create_directories(root_ + "/bin");
    fs::copy_file("tools/setup", root_ + "/tree/tools/setup");
    for (const char* tool : {"dirname", "mkdir", "env"}) {
      fs::create_symlink(absl::StrCat("/usr/bin/", tool), root_ + "/bin/" + tool);
    }
    Recorder("cmake", "");
    Recorder("sudo", "exec \"$@\"");
    Recorder("apt-get", "");
    StandIn("dpkg-query", "printf installed");
  }
  void TearDown() override { fs::remove_all(root_); }

  void StandIn(const std::string& tool, const std::string& action) const {
    const std::string path = root_ + "/bin/" + tool;
    WriteTextFile(path, absl::StrCat("#!/bin/bash\n", action, "\n"));
    fs::permissions(path, fs::perms::owner_all);
  }
  // A fake that also logs its arguments.
  void Recorder(const std::string& tool, const std::string& action) const {
    StandIn(tool, absl::StrCat("echo \"", tool, " $*\" >> '", log(), "'\n", action));
  }
  void Remove(const std::string& tool) const { fs::remove(root_ + "/bin/" + tool); }

  std::string log() const { return root_ + "/log"; }
  std::string Log() const { return ReadTextFile(log()); }

  Outcome RunSetup(const std::vector<std::string>& arguments = {}) const {
    ProgramOptions options;
    options.path = "/bin/bash";
    options.environment = {"PATH=" + root_ + "/bin", "CMAKE_BUILD_TYPE=" + build_type_};
    std::vector<std::string> all = {root_ + "/tree/tools/setup"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return RunProgram(all, "", options);
  }

  std::string root_;
  std::string build_type_;
};

TEST_F(SetupTest, WithAllPackagesItOnlyBuilds) {
  const Outcome outcome = RunSetup();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(Log(),
            "cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release\n"
            "cmake --build build --target limpid\n");
}

TEST_F(SetupTest, BuildsAsTheEnvironmentSays) {
  build_type_ = "RelWithDebInfo";
  EXPECT_EQ(RunSetup().exit_code, 0);
  EXPECT_TRUE(absl::StrContains(Log(), "-DCMAKE_BUILD_TYPE=RelWithDebInfo\n")) << Log();
}

TEST_F(SetupTest, ItsLastLineSaysWhatToType) {
  const Outcome outcome = RunSetup();
  EXPECT_TRUE(absl::EndsWith(outcome.output, "/build/limpid translate \"I love you very much.\"\n"))
      << outcome.output;
}

TEST_F(SetupTest, InstallsOnlyWhatIsMissing) {
  StandIn(
      "dpkg-query",
      R"(case "$*" in *libabsl-dev) exit 1;; *libicu-dev) printf not-installed;; *) printf installed;; esac)");
  const Outcome outcome = RunSetup();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  const std::string install =
      "apt-get install -q -y --no-install-recommends libabsl-dev libicu-dev\n";
  EXPECT_TRUE(absl::StrContains(Log(), install)) << Log();
  EXPECT_EQ(absl::StrContains(Log(), "sudo env "), geteuid() != 0) << Log();
}

TEST_F(SetupTest, GoesOnWhenListsOfPackagesCannotBeUpdated) {
  StandIn("dpkg-query", "exit 1");
  Recorder("apt-get", "[[ $1 != update ]]");
  EXPECT_EQ(RunSetup().exit_code, 0);
}

TEST_F(SetupTest, PackagesThatCannotBeInstalledAreNamed) {
  StandIn("dpkg-query", R"(case "$*" in *libabsl-dev) exit 1;; *) printf installed;; esac)");
  Recorder("apt-get", "exit 100");
  const Outcome outcome = RunSetup();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "libabsl-dev")) << outcome.error;
  EXPECT_FALSE(absl::StrContains(Log(), "cmake")) << Log();
}

TEST_F(SetupTest, ElsewhereThanDebianItNamesThePackages) {
  Remove("apt-get");
  const Outcome outcome = RunSetup();
  EXPECT_EQ(outcome.exit_code, 1);
  for (const char* package : {"libdnnl-dev", "libsentencepiece-dev", "cmake -S . -B build"}) {
    EXPECT_TRUE(absl::StrContains(outcome.error, package)) << outcome.error;
  }
}

TEST_F(SetupTest, KeepsTheGeneratorOfAnEarlierBuild) {
  fs::create_directories(root_ + "/tree/build");
  WriteTextFile(root_ + "/tree/build/CMakeCache.txt", "");
  EXPECT_EQ(RunSetup().exit_code, 0);
  EXPECT_FALSE(absl::StrContains(Log(), "-G")) << Log();
}

TEST_F(SetupTest, FailedBuildIsAFailure) {
  Recorder("cmake", "[[ $1 != --build ]]");
  const Outcome outcome = RunSetup();
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_FALSE(absl::StrContains(outcome.output, "Ready")) << outcome.output;
}

TEST_F(SetupTest, ExplainsItself) {
  EXPECT_EQ(RunSetup({"--help"}).exit_code, 0);
  EXPECT_EQ(RunSetup({"--no-such-flag"}).exit_code, 2);
  EXPECT_EQ(Log(), "") << "nothing may be done";
}

}  // namespace
}  // namespace limpid::internal

// Injects faults: too little memory, read-only folders, SIGKILL.

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/sanitized.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

// Runs limpid in a shell with a memory limit in kilobytes.
Outcome RunWithMemory(int64_t kilobytes, const std::vector<std::string>& arguments,
                      const std::string& input) {
  ProgramOptions options;
  options.path = "/bin/sh";
  std::vector<std::string> shell = {"-c", "ulimit -v \"$1\"; shift; exec \"$@\"", "sh",
                                    std::to_string(kilobytes), LIMPID_PROGRAM};
  shell.insert(shell.end(), arguments.begin(), arguments.end());
  return RunProgram(shell, input, options);
}

// Tries many limits, because the required memory differs between machines: from too little for the
// libraries to enough for compiling kernels.
TEST(FaultsTest, OutOfMemoryIsSaidInALine) {
  if (kSanitized) GTEST_SKIP() << "sanitizers need all addresses";
  int refused = 0;
  for (int64_t megabytes = 100; megabytes < 600; megabytes += 7) {
    const Outcome outcome =
        RunWithMemory(megabytes << 10, {"translate", "--threads=1", kEnglish}, "");
    if (outcome.exit_code == 0 || outcome.exit_code == 127) continue;  // all fits, or no library
    SCOPED_TRACE(absl::StrCat(megabytes, " MB"));
    ++refused;
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_TRUE(absl::StrContains(outcome.error, "out of memory") ||
                absl::StrContains(outcome.error, "Cannot allocate memory"))
        << outcome.error;
    EXPECT_EQ(CountLines(outcome.error), 1) << outcome.error;
    EXPECT_EQ(outcome.output, "");
  }
  EXPECT_GT(refused, 20);
}

TEST(FaultsTest, DataThatIcuLacksIsNotSaidToBeMemory) {
  if (kSanitized) GTEST_SKIP() << "sanitizers have to be loaded first";
  ProgramOptions options;
  options.environment.emplace_back("LD_PRELOAD=" ICU_WITHOUT_DATA);
  const Outcome outcome = RunProgram({"translate", kEnglish}, "", options);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StrContains(outcome.error, "ICU cannot split text")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "its data is missing")) << outcome.error;
  EXPECT_FALSE(absl::StrContains(outcome.error, "memory")) << outcome.error;
}

// A folder that is read-only even for root, as which CI runs.
class ReadOnlyFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = TemporaryPath("folder");
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  }
  void TearDown() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }

  static Outcome Run(std::vector<std::string> arguments) {
    ProgramOptions options;
    if (geteuid() == 0) {
      options.path = "/usr/bin/setpriv";
      arguments.insert(arguments.begin(), {"--bounding-set=-dac_override", LIMPID_PROGRAM});
    }
    return RunProgram(arguments, "", options);
  }

  std::string folder_;
};

TEST_F(ReadOnlyFolderTest, ConvertFailsInWords) {
  const std::string to = folder_ + "/model";
  const Outcome outcome = Run({"convert", "--from=models/eng-deu", "--to=" + to});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, to)) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "Permission denied")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(ReadOnlyFolderTest, TranslateFailsInWords) {
  const std::string output = folder_ + "/out";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"translate", "--output=" + output, kEnglish},
        {"translate", "--resume", "--input=README.md", "--output=" + output}}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.error,
              absl::StrCat("limpid: cannot write ", output, ": Permission denied\n"));
  }
}

TEST(FaultsTest, ConvertThatIsKilledLeavesNoHalfModel) {
  const std::string parent = TemporaryPath("parent");
  fs::remove_all(parent);
  const std::string to = parent + "/model";
  const std::vector<std::string> arguments = {"convert", "--from=models/eng-deu", "--to=" + to,
                                              "--dtype=float32"};
  for (const char* sign : {"/config.json", "/vocabulary.json", "/model.safetensors"}) {
    fs::create_directories(parent);
    Program program(arguments);
    EXPECT_TRUE(
        program.WaitUntil([&] { return fs::exists(to + ".partial-0" + sign) || fs::exists(to); }));
    program.Kill(SIGKILL);
    program.Wait();
    if (!fs::exists(to)) {
      EXPECT_EQ(RunProgram(arguments).exit_code, 0);  // what is left is not in the way
    }
    EXPECT_EQ(RunProgram({"inspect", "--verify", to}).exit_code, 0);
    fs::remove_all(parent);
  }
}

}  // namespace
}  // namespace limpid::internal

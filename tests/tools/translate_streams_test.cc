// Runs `limpid translate` as a filter: pipes that stay open, signals.

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

TEST(TranslateTest, LineThatArrivesAloneIsAnsweredAtOnce) {
  Program program({"translate"});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(program.Send(EnglishLine()));
    ASSERT_EQ(program.ReadLine(), GermanLine());  // would wait for ever
  }
  program.CloseInput();
  EXPECT_EQ(program.ReadLine(), "");
  EXPECT_EQ(program.Wait(), 0);
}

TEST(TranslateTest, EndlessStreamIsAnsweredAlong) {
  Program program({"translate"});
  std::jthread sender([&program] {
    while (program.Send(EnglishLine())) {
    }
  });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(program.ReadLine(), GermanLine());
  program.Kill(SIGTERM);
  program.ReadOutput();
  EXPECT_EQ(program.Wait(), 128 + SIGTERM);
}

TEST(TranslateTest, MemoryDoesNotGrowWithTheInput) {
  ProgramOptions options;
  // AddressSanitizer's quarantine of freed memory would look like growth.
  options.environment.emplace_back("ASAN_OPTIONS=quarantine_size_mb=1");
  const std::string line = std::string(999, ' ') + "\n";
  std::string large;
  for (int i = 0; i < 96 << 10; ++i) large += line;  // 96 MB
  const Outcome little = Translate({"--threads=1"}, large.substr(0, 2 << 20), options);
  const Outcome much = Translate({"--threads=1"}, large, options);
  EXPECT_TRUE(much.output == large);
  EXPECT_LT(much.peak_kilobytes - little.peak_kilobytes, 16 << 10);
}

TEST(TranslateTest, ClosedPipeEndsItQuietly) {
  Program program({"translate"});
  std::jthread sender([&program] {
    while (program.Send(EnglishLine())) {
    }
  });
  EXPECT_EQ(program.ReadLine(), GermanLine());
  program.CloseOutput();
  EXPECT_EQ(program.ReadError(), "");
  EXPECT_EQ(program.Wait(), 128 + SIGPIPE);
}

class SignalTest : public testing::TestWithParam<int> {};

TEST_P(SignalTest, EndsInMidCorpusBetweenLines) {
  Program program({"translate"});
  std::jthread sender([&program] {
    while (program.Send(EnglishLine())) {
    }
  });
  EXPECT_EQ(program.ReadLine(), GermanLine());
  program.Kill(GetParam());
  const std::string rest = program.ReadOutput();
  EXPECT_TRUE(rest.empty() || rest.back() == '\n') << rest;
  EXPECT_EQ(program.ReadError(), "");
  EXPECT_EQ(program.Wait(), 128 + GetParam());
}

TEST_P(SignalTest, WaitsForALongLineToBeWhole) {
  const std::string line = std::string(1 << 20, ' ') + "\n";
  Program program({"translate"});
  ASSERT_TRUE(program.Send(line));
  program.WaitUntilOutputIsFull();
  program.Kill(GetParam());
  EXPECT_TRUE(program.ReadOutput() == line);
  EXPECT_EQ(program.Wait(), 128 + GetParam());
}

TEST_P(SignalTest, EndsWhileItWaitsForInput) {
  Program program({"translate"});
  ASSERT_TRUE(program.Send(EnglishLine() + "half a li"));
  EXPECT_EQ(program.ReadLine(), GermanLine());
  program.Kill(GetParam());
  EXPECT_EQ(program.ReadOutput(), "");
  EXPECT_EQ(program.Wait(), 128 + GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, SignalTest, testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST(TranslateTest, SignalEndsItThoughNobodyReadsItsOutput) {
  Program program({"translate"});
  ASSERT_TRUE(program.Send(std::string(1 << 20, ' ') + "\n"));
  program.WaitUntilOutputIsFull();
  program.Kill(SIGTERM);
  EXPECT_EQ(program.Wait(), 128 + SIGTERM);
}

TEST(TranslateTest, SignalThatItsCallerIgnoresStaysIgnored) {
  std::signal(SIGHUP, SIG_IGN);  // as nohup does
  Program program({"translate"});
  std::signal(SIGHUP, SIG_DFL);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(program.Send(EnglishLine()));
    ASSERT_EQ(program.ReadLine(), GermanLine());
    program.Kill(SIGHUP);
  }
  program.Kill(SIGTERM);  // is not
  EXPECT_EQ(program.Wait(), 128 + SIGTERM);
}

}  // namespace
}  // namespace limpid::internal

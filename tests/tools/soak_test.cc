// Long inputs of any content: one output line per input line, and constant memory.
// $LIMPID_SOAK_LINES sets the number of lines.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/sanitized.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

class Junk {
 public:
  std::string Line(int64_t number) {
    if (number % 10000 == 7) return LongLine();
    switch (random_() % 8) {
      case 0:
        return "";
      case 1:
        return Some({" ", "\t", "\u00a0", "\r", "\v", "\u2028"}, 6);
      case 2:
        return Some({"😀", "👩‍👩‍👧", "🇩🇪", "❤️", "ok ", "\u200d"}, 12);
      case 3:
        return Some({"שלום ", "مرحبا ", "\u202e", "\u2067", "\u2069", "abc "}, 10);
      case 4:
        return Some({"\x01", "\x1b[31m", "\x7f", "\b", "a", std::string(1, '\0')}, 20);
      case 5:
        return Bytes();
      default:
        return Some({"I ", "love ", "you", ". ", "The ", "station ", "Where is ", "Tom ", "? "},
                    20);
    }
  }

 private:
  std::string Some(const std::vector<std::string>& parts, size_t most) {
    std::string line;
    for (size_t count = 1 + random_() % most; count > 0; --count) {
      line += parts[random_() % parts.size()];
    }
    return line;
  }

  // Almost never valid UTF-8.
  std::string Bytes() {
    std::string line(1 + random_() % 60, ' ');
    for (char& byte : line) byte = static_cast<char>(random_());
    for (char& byte : line) byte = byte == '\n' ? 'n' : byte;
    return line;
  }

  std::string LongLine() {
    std::string line;
    const bool of_words = random_() % 2 == 0;
    while (line.size() < 100000) line += of_words ? "I saw Tom in the garden. " : "xyz";
    return line;
  }

  std::mt19937 random_{1};
};

int64_t ResidentKilobytes(const Program& program) {
  std::ifstream status(absl::StrCat("/proc/", program.process(), "/status"));
  for (std::string line; std::getline(status, line);) {
    if (absl::StartsWith(line, "VmRSS:")) return std::atoll(line.c_str() + sizeof("VmRSS:"));
  }
  ADD_FAILURE() << "the program has ended";
  return 0;
}

// Sends lines to a program and reads one for each; empty lines must stay empty.
void Translate(const std::vector<std::string>& lines, Program& program) {
  const std::jthread sender([&] {
    for (const std::string& line : lines) program.Send(line + "\n");
  });
  for (const std::string& line : lines) {
    const std::string answer = program.ReadLine();
    ASSERT_TRUE(absl::EndsWith(answer, "\n")) << "no answer to: " << line;
    ASSERT_TRUE(!line.empty() || answer == "\n") << answer;
  }
}

// Repeats the same lines: memory that keeps growing is a leak.
TEST(SoakTest, AsManyLinesOutAsInAndFlatMemory) {
  constexpr int64_t kRounds = 12;
  constexpr int64_t kRoundsToWarmUp = 4;
  const char* asked = std::getenv("LIMPID_SOAK_LINES");
  const int64_t lines_a_round =
      std::max<int64_t>(300, (asked != nullptr ? std::atoll(asked) : 0) / kRounds);
  constexpr int64_t kFirst = 8;  // after the first long line, which would take all the time
  Junk junk;
  std::vector<std::string> lines;
  for (int64_t i = 0; i < lines_a_round; ++i) lines.push_back(junk.Line(i + kFirst));
  Program program({"translate", "--threads=2"});
  Translate({junk.Line(kFirst - 1)}, program);
  int64_t warm = 0;
  for (int64_t round = 0; round < kRounds; ++round) {
    if (round == kRoundsToWarmUp) warm = ResidentKilobytes(program);
    Translate(lines, program);
  }
  const int64_t grown = ResidentKilobytes(program) - warm;
  const int64_t passed = (kRounds - kRoundsToWarmUp) * lines_a_round;
  std::cout << passed << " lines more: " << grown << " kB more than " << warm << " kB\n";
  program.CloseInput();
  EXPECT_EQ(program.ReadOutput(), "");
  EXPECT_EQ(program.Wait(), 0);
  // Allows the allocator's rounding and half a kilobyte per line. Sanitizers keep freed memory.
  if (kSanitized) return;
  EXPECT_LT(grown, 1000);
}

}  // namespace
}  // namespace limpid::internal

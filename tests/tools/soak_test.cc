// Whatever is in a long input: as many lines out as in, and memory that does not grow. With
// LIMPID_SOAK_LINES=1000000 in the environment, so many lines.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

namespace limpid {
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

  // Hardly ever valid UTF-8.
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

// Translates so many lines; returns the peak of memory.
int64_t Translate(int64_t lines) {
  Junk junk;
  std::string input;
  std::vector<bool> is_empty;
  for (int64_t i = 0; i < lines; ++i) {
    const std::string line = junk.Line(i);
    is_empty.push_back(line.empty());
    input += line + "\n";
  }
  const Outcome outcome = RunProgram({"translate"}, input);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(CountLines(outcome.output), lines);
  int64_t number = 0;
  for (const absl::string_view line : absl::StrSplit(outcome.output, '\n')) {
    if (number == lines) break;
    const bool must_be_empty = is_empty[number++];
    EXPECT_TRUE(!must_be_empty || line.empty()) << "line " << number;
  }
  std::cout << lines << " lines, " << outcome.peak_kilobytes / 1000 << " MB\n";
  return outcome.peak_kilobytes;
}

TEST(SoakTest, AsManyLinesOutAsInAndFlatMemory) {
  const char* asked = std::getenv("LIMPID_SOAK_LINES");
  const int64_t lines = asked != nullptr ? std::atoll(asked) : 400;
  const int64_t peak = Translate(lines);
  if (kSanitized) return;  // what was freed is kept back
  EXPECT_LT(static_cast<double>(peak), 1.25 * static_cast<double>(Translate(lines / 10)));
}

}  // namespace
}  // namespace limpid

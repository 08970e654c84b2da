// `limpid translate` on a terminal.

#include <pty.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

// A terminal, for one or more of a program's streams.
class Terminal {
 public:
  Terminal() { EXPECT_EQ(openpty(&screen_, &line_, nullptr, nullptr, nullptr), 0); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    Hide();
    close(screen_);
  }
  int line() const { return line_; }
  // Closes our copy of the program's end, so that reading ends with the program.
  void Hide() {
    if (line_ >= 0) close(line_);
    line_ = -1;
  }
  void Type(std::string_view text) const {
    EXPECT_EQ(write(screen_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // Reads until `text` or the end of the program; returns everything read.
  std::string ReadUntil(std::string_view text) const {
    std::string shown;
    char c = 0;
    while (!absl::EndsWith(shown, absl::string_view(text.data(), text.size())) &&
           read(screen_, &c, 1) == 1) {
      shown += c;
    }
    return shown;
  }

 private:
  int screen_ = -1;
  int line_ = -1;
};

TEST(TerminalTest, LongWorkShowsItsSpeed) {
  Terminal terminal;
  ProgramOptions options;
  options.error = terminal.line();
  Program program({"translate"}, options);
  terminal.Hide();
  std::atomic<bool> enough = false;
  std::jthread user([&] {
    while (!enough && program.Send(EnglishLine())) EXPECT_EQ(program.ReadLine(), GermanLine());
    program.CloseInput();
  });
  EXPECT_TRUE(absl::StrContains(terminal.ReadUntil(" sentences/s"), " lines, "));
  enough = true;
  EXPECT_TRUE(absl::EndsWith(terminal.ReadUntil("\n"), " sentences/s\r\n"));
  user.join();
  EXPECT_EQ(program.Wait(), 0);
}

// Files and pipes get every byte unchanged.
TEST(TerminalTest, ControlCharactersDoNotReachIt) {
  // The model copies scripts that it does not know.
  const std::string hostile = "你\x1b好\x07\xc2\x9b\x7f\b你";
  EXPECT_TRUE(absl::StrContains(Translate({}, hostile + "\n").output, "\x1b"));
  for (const char* flag : {"--noscores", "--scores", "--json"}) {
    Terminal terminal;
    ProgramOptions options;
    options.output = terminal.line();
    Program program({"translate", flag, hostile}, options);
    terminal.Hide();
    const std::string shown = terminal.ReadUntil("\n");
    EXPECT_TRUE(absl::StrContains(shown, "好")) << shown;
    for (const char* control : {"\x1b", "\x07", "\xc2\x9b", "\x7f", "\b"}) {
      EXPECT_FALSE(absl::StrContains(shown, control)) << flag;
    }
    EXPECT_EQ(program.Wait(), 0);
  }
}

TEST(TerminalTest, ShortWorkShowsNothing) {
  Terminal terminal;
  ProgramOptions options;
  options.error = terminal.line();
  Program program({"translate", kEnglish}, options);
  terminal.Hide();
  EXPECT_EQ(terminal.ReadUntil("\n"), "");
  EXPECT_EQ(program.Wait(), 0);
}

TEST(TerminalTest, TellsThatItWaitsForLines) {
  Terminal terminal;
  ProgramOptions options;
  options.input = options.error = terminal.line();
  Program program({"translate"}, options);
  terminal.Hide();
  EXPECT_EQ(terminal.ReadUntil("\n"), "Type lines to translate; press Ctrl-D to end.\r\n");
  terminal.Type(EnglishLine());
  EXPECT_EQ(program.ReadLine(), GermanLine());
  terminal.Type("\x04");
  EXPECT_EQ(program.Wait(), 0);
}

}  // namespace
}  // namespace limpid::internal

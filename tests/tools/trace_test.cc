#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(TraceToolTest, ShowsWhereEachWordComesFrom) {
  const Outcome outcome = RunProgram({"trace", "I love you very much."});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.output, StartsWith("I love you very much.\nIch liebe dich "
                                         "sehr.\n\nCross-attention, alignment heads"));
  EXPECT_THAT(outcome.output, HasSubstr("\n          I   love   you  very  much    .   (null)\n"));
  EXPECT_THAT(outcome.output, HasSubstr("\n\n  Ich ← I "));
  EXPECT_THAT(outcome.output, HasSubstr("  liebe ← love "));
  EXPECT_THAT(outcome.output, HasSubstr("  dich ← you "));
  EXPECT_THAT(outcome.output, HasSubstr("\n0-0 1-1 2-2 "));
}

TEST(TraceToolTest, SeveralSentencesAreTracedOneByOne) {
  const Outcome outcome = RunProgram({"trace", "I love you. Where is the station?"});
  EXPECT_THAT(outcome.output, HasSubstr("I love you.\nIch liebe dich.\n"));
  EXPECT_THAT(outcome.output, HasSubstr("\n\nWhere is the station?\n"));
}

TEST(TraceToolTest, LooksAtAGivenTranslation) {
  const Outcome outcome = RunProgram({"trace", "--target=Ich mag dich.", "I love you."});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.output, StartsWith("I love you.\nIch mag dich.\n"));
  EXPECT_THAT(outcome.output, HasSubstr("  mag ← love "));
}

TEST(TraceToolTest, FollowsWhatASearchFinds) {
  const auto translate = [](const std::string& text, const char* flag) {
    return RunProgram({"translate", "--compute_type=float32", flag, text}).output;
  };
  std::string text;
  std::string found;
  for (const std::string each : {"I read a book as I walked.", "I had no idea what to expect.",
                                 "Tom and I were up all night talking.",
                                 "Stay and have a drink with us.", "I left my umbrella at home."}) {
    text = each;
    found = translate(text, "--beam_size=4");
    if (found != translate(text, "--beam_size=1")) break;  // the beam finds what greedy does not
  }
  ASSERT_NE(found, translate(text, "--beam_size=1"));
  EXPECT_THAT(RunProgram({"trace", "--compute_type=float32", "--beam_size=4", text}).output,
              HasSubstr("\n" + found + "\n"));
  EXPECT_THAT(RunProgram({"trace", "--prefix=Heute", text}).output, HasSubstr("\nHeute "));
  const Outcome wrong = RunProgram({"trace", "--beam_size=4", "--temperature=1", text});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.error, HasSubstr("use one of them"));
}

TEST(TraceToolTest, RowLayerAndHeadChooseOtherWeights) {
  const std::string by_default = RunProgram({"trace", "I love you."}).output;
  for (const char* flag : {"--row=input", "--layer=0", "--head=2"}) {
    const Outcome outcome = RunProgram({"trace", flag, "I love you."});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    EXPECT_NE(outcome.output, by_default) << flag;
  }
}

TEST(TraceToolTest, MistakesAreToldInOneLine) {
  const Outcome no_text = RunProgram({"trace"});
  EXPECT_EQ(no_text.exit_code, 2);
  EXPECT_THAT(no_text.error, HasSubstr("no TEXT to trace"));
  const Outcome row = RunProgram({"trace", "--row=both", "a"});
  EXPECT_EQ(row.exit_code, 2);
  EXPECT_THAT(row.error, HasSubstr("--row must be output or input, not 'both'"));
  const Outcome layer = RunProgram({"trace", "--layer=5", "I love you."});
  EXPECT_EQ(layer.exit_code, 1);
  EXPECT_THAT(layer.error, HasSubstr("layer 5"));
  EXPECT_EQ(CountLines(no_text.error + row.error + layer.error), 3);
}

std::string Traced(std::vector<std::string> flags) {
  flags.insert(flags.begin(), "trace");
  flags.emplace_back("I love you.");
  const Outcome outcome = RunProgram(flags);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  return outcome.output;
}

TEST(TraceToolTest, ColourIsForTerminalsUnlessAskedFor) {
  EXPECT_THAT(Traced({}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(Traced({"--color=always"}), HasSubstr("\x1b[48;5;"));
}

// Returns what the program prints on a terminal of 40 columns.
std::string OnATerminal(const std::vector<std::string>& environment) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  EXPECT_GE(terminal, 0);
  EXPECT_EQ(grantpt(terminal), 0);
  EXPECT_EQ(unlockpt(terminal), 0);
  const winsize size = {.ws_row = 24, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
  EXPECT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
  ProgramOptions options;
  options.environment.insert(options.environment.end(), environment.begin(), environment.end());
  options.output = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  Program program({"trace", "Where is the nearest train station?"}, options);
  close(options.output);
  std::string text;
  std::array<char, 4096> buffer = {};
  ssize_t count = 0;
  while ((count = read(terminal, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<size_t>(count));
  }
  EXPECT_EQ(program.Wait(), 0) << program.ReadError();
  close(terminal);
  return text;
}

TEST(TraceToolTest, ATerminalHasColourAndItsOwnWidth) {
  const std::string text = OnATerminal({"TERM=xterm-256color", "NO_COLOR=", "COLUMNS=200"});
  EXPECT_THAT(text, HasSubstr("\x1b[48;5;"));
  EXPECT_THAT(text, HasSubstr("\n          Where  is    the  nearest\r\n"));
}

TEST(TraceToolTest, NoColorAndDumbTerminalsHaveNone) {
  EXPECT_THAT(OnATerminal({"TERM=xterm-256color", "NO_COLOR=1"}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(OnATerminal({"TERM=dumb", "NO_COLOR="}), Not(HasSubstr("\x1b")));
}

TEST(TraceToolTest, ColumnsSaysHowWideAPipeIs) {
  ProgramOptions options;
  options.environment.emplace_back("COLUMNS=30");
  const std::string narrow = RunProgram({"trace", "I love you very much."}, "", options).output;
  EXPECT_THAT(narrow, HasSubstr("\n          I   love   you\n"));
}

TEST(TraceToolTest, AttentionLevelAndHeadChooseTheMap) {
  const std::string encoder = Traced({"--attention=encoder"});
  EXPECT_THAT(encoder, HasSubstr("Encoder self-attention, layer 5, mean of all heads"));
  EXPECT_THAT(encoder, HasSubstr("\n          I   love   you    .   (end)\n"));
  EXPECT_THAT(encoder, HasSubstr("\n  love "));
  const std::string decoder = Traced({"--attention=decoder", "--layer=0", "--head=1"});
  EXPECT_THAT(decoder, HasSubstr("Decoder self-attention, layer 0, head 1"));
  EXPECT_THAT(decoder, HasSubstr(" (start)  Ich  liebe dich    .\n"));
  const std::string pieces = Traced({"--level=piece"});
  EXPECT_THAT(pieces, HasSubstr("▁love"));
  EXPECT_THAT(pieces, HasSubstr("\n  ▁Ich "));
  const std::string digits =
      RunProgram({"trace", "--level=piece", "--target=Ich bin 42.", "I am 42."}).output;
  EXPECT_THAT(digits, HasSubstr("\n  2 "));  // a piece within a word
  EXPECT_THAT(Traced({"--head=mean"}), HasSubstr("layer 1, mean of all heads"));
}

// The first row of decoder self-attention sees only the start.
TEST(TraceToolTest, TheDecoderBeginsWithTheStart) {
  for (const char* row : {"--row=output", "--row=input"}) {
    const std::string text = Traced({"--attention=decoder", "--level=piece", row});
    EXPECT_THAT(text, HasSubstr(row[6] == 'o' ? "\n  ▁Ich   @@100\n" : "\n  <pad>  @@100\n"));
  }
}

TEST(TraceToolTest, ExplainsOneRow) {
  const std::string text = Traced({"--explain=liebe", "--head=0"});
  EXPECT_THAT(text, StartsWith("I love you.\nIch liebe dich.\n\nHow \"liebe\" is predicted: "));
  EXPECT_THAT(text, HasSubstr("\n4. The heads, combined\n"));
  const Outcome missing = RunProgram({"trace", "--explain=mag", "I love you."});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_EQ(missing.output, "");
  EXPECT_THAT(missing.error, HasSubstr("its words are: Ich liebe dich ."));
}

TEST(TraceToolTest, WritesFilesBesideTheText) {
  const std::string svg = TemporaryPath("map.svg");
  const std::string json = TemporaryPath("trace.json");
  const std::string npz = TemporaryPath("trace.npz");
  EXPECT_EQ(Traced({"--svg=" + svg, "--json=" + json, "--npz=" + npz}), Traced({}));
  EXPECT_THAT(ReadTextFile(svg), StartsWith("<svg "));
  EXPECT_THAT(ReadTextFile(json), StartsWith("{\"limpid_trace\":1,"));
  EXPECT_THAT(ReadTextFile(npz), StartsWith("PK"));
  EXPECT_EQ(Traced({"--svg=-"}), ReadTextFile(svg));
  EXPECT_EQ(Traced({"--json=-"}), ReadTextFile(json));
  const Outcome bad = RunProgram({"trace", "--json=no/such/folder/a.json", "I love you."});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.error, HasSubstr("no/such/folder/a.json: cannot create"));
}

TEST(TraceToolTest, FlagsThatMakeNoSenseAreRefused) {
  const auto error = [](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments = {"trace", "I love you."};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const Outcome outcome = RunProgram(arguments);
    EXPECT_NE(outcome.exit_code, 0);
    return outcome.error;
  };
  EXPECT_THAT(error({"--head=some"}), HasSubstr("--head must be a number from 0, or mean"));
  EXPECT_THAT(error({"--head=9"}), HasSubstr("each layer's heads are 0 to 3"));
  EXPECT_THAT(error({"--attention=encoder", "--layer=6"}), HasSubstr("its layers are 0 to 5"));
  EXPECT_THAT(error({"--attention=self"}), HasSubstr("must be cross, encoder or decoder"));
  EXPECT_THAT(error({"--explain=dich", "--head=mean"}), HasSubstr("needs a single head"));
  EXPECT_THAT(error({"--target=Ich", "--beam_size=2"}), HasSubstr("--target cannot be combined"));
  EXPECT_THAT(error({"--npz=-"}), HasSubstr("--npz must be a file"));
  EXPECT_THAT(error({"--svg=-", "--json=-"}), HasSubstr("cannot both"));
}

TEST(TraceToolTest, ControlCharactersOfTheTextAreNotPrintedRaw) {
  const std::string text = "I \x1b[31mlove\x07 you\x7f \xc2\x9b.";
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{}, {"--level=piece"}, {"--explain=dich"}}) {
    std::vector<std::string> arguments = {"trace", "--target=Ich liebe\x1b[2J dich.", text};
    arguments.insert(arguments.end() - 1, flags.begin(), flags.end());
    const std::string printed = RunProgram(arguments).output;
    EXPECT_THAT(printed, HasSubstr("[31m"));
    EXPECT_THAT(printed, Not(HasSubstr("\x1b")));
    EXPECT_THAT(printed, Not(HasSubstr("\x07")));
    EXPECT_THAT(printed, Not(HasSubstr("\x7f")));
    EXPECT_THAT(printed, Not(HasSubstr("\xc2\x9b")));
  }
  const Outcome wrong = RunProgram({"trace", "--explain=\x1b[2J\r\nx", text});
  EXPECT_THAT(wrong.error, Not(HasSubstr("\x1b")));
  EXPECT_EQ(CountLines(wrong.error), 1);
}

TEST(TraceToolTest, OutputsHaveAFileEach) {
  const std::string path = TemporaryPath("both");
  const Outcome same = RunProgram({"trace", "--svg=" + path, "--html=" + path, "I love you."});
  EXPECT_EQ(same.exit_code, 2);
  EXPECT_THAT(same.error, HasSubstr("--svg and --html cannot both go to " + path));
  ProgramOptions options;
  WriteTextFile(path, "");
  options.output = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const Outcome printed = RunProgram({"trace", "--svg=" + path, "I love you."}, "", options);
  close(options.output);
  EXPECT_EQ(printed.exit_code, 2);
  EXPECT_THAT(printed.error, HasSubstr("cannot both go to"));
  for (const char* other : {"--check", "--explain=liebe", "--json=-"}) {
    EXPECT_EQ(RunProgram({"trace", "--svg=-", other, "I love you."}).exit_code, 2) << other;
  }
}

TEST(TraceToolTest, ADashIsStandardOutputForThePageToo) {
  const std::string html = TemporaryPath("trace.html");
  Traced({"--html=" + html});
  EXPECT_THAT(ReadTextFile(html), StartsWith("<!"));
  EXPECT_EQ(Traced({"--html=-"}), ReadTextFile(html));
}

TEST(TraceToolTest, ADashIsTheTextOfStandardInput) {
  EXPECT_EQ(RunProgram({"trace", "-"}, "I love you.\n").output, Traced({}));
}

TEST(TraceToolTest, CheckWritesTheFilesThatWereAskedFor) {
  const std::string html = TemporaryPath("trace.html");
  EXPECT_THAT(Traced({"--check", "--html=" + html}), StartsWith("holds   weights"));
  EXPECT_THAT(ReadTextFile(html), StartsWith("<!"));
  EXPECT_EQ(RunProgram({"trace", "--check", "--explain=liebe", "I love you."}).exit_code, 2);
}

}  // namespace
}  // namespace limpid::internal

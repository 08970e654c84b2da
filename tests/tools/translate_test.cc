// Runs `limpid translate` as its users do, on the shipped model.

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using namespace std::string_literals;

std::string EnglishLine() { return absl::StrCat(kEnglish, "\n"); }
std::string GermanLine() { return absl::StrCat(kGerman, "\n"); }

Outcome Translate(std::vector<std::string> arguments, const std::string& input = "",
                  const ProgramOptions& options = ProgramOptions()) {
  arguments.insert(arguments.begin(), "translate");
  return RunProgram(arguments, input, options);
}

// --- What goes in and what comes out.

TEST(TranslateTest, TranslatesItsArguments) {
  const Outcome outcome = Translate({kEnglish});
  EXPECT_EQ(outcome.output, GermanLine());
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.exit_code, 0);
}

TEST(TranslateTest, WordsAreOneText) {
  const Outcome outcome =
      Translate({"The", "old", "man", "bought", "a", "red", "car", "yesterday."});
  EXPECT_EQ(outcome.output, GermanLine());
}

TEST(TranslateTest, EachLineOfAnArgumentIsALine) {
  EXPECT_EQ(Translate({EnglishLine() + "\n" + kEnglish}).output,
            GermanLine() + "\n" + GermanLine());
}

TEST(TranslateTest, EmptyArgumentIsAnEmptyLine) { EXPECT_EQ(Translate({""}).output, "\n"); }

TEST(TranslateTest, TranslatesLinesOfStandardInput) {
  EXPECT_EQ(Translate({}, EnglishLine() + EnglishLine()).output, GermanLine() + GermanLine());
}

TEST(TranslateTest, NoInputGivesNoOutput) {
  const Outcome outcome = Translate({});
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.exit_code, 0);
}

TEST(TranslateTest, EmptyLinesStayEmpty) {
  EXPECT_EQ(Translate({}, absl::StrCat("\n\n", EnglishLine(), "\n")).output,
            absl::StrCat("\n\n", GermanLine(), "\n"));
}

TEST(TranslateTest, LinesEndAsTheyCame) {
  EXPECT_EQ(Translate({}, absl::StrCat(kEnglish, "\r\n\r\n\n", kEnglish, "\r\n")).output,
            absl::StrCat(kGerman, "\r\n\r\n\n", kGerman, "\r\n"));
}

TEST(TranslateTest, MissingLastLineEndIsAdded) {
  EXPECT_EQ(Translate({}, EnglishLine() + kEnglish).output, GermanLine() + GermanLine());
}

// Lines with anything in them; each must give one line and leave its neighbours alone.
class OddLineTest : public testing::TestWithParam<std::string> {};

TEST_P(OddLineTest, GivesOneLine) {
  const std::string& odd = GetParam();
  const Outcome outcome = Translate({}, EnglishLine() + odd + "\n" + EnglishLine());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(CountLines(outcome.output), 3);
  EXPECT_TRUE(absl::StartsWith(outcome.output, GermanLine())) << outcome.output;
  EXPECT_TRUE(absl::EndsWith(outcome.output, absl::StrCat("\n", GermanLine()))) << outcome.output;
}

INSTANTIATE_TEST_SUITE_P(All, OddLineTest,
                         testing::Values("I\0love you."s, "\0"s, "\x01\x02\x1b[31m\x7f",
                                         "I am\rhere.", "One.\u2028Two.",
                                         "One.\u2029Two.\u0085Three.", "\v\f", "\xff\xfe",
                                         "caf\xe9", "\xed\xa0\x80", "\xf4\x90\x80\x80", "   ", "\t",
                                         "\u00a0", "\ufeffHello.", "😀👨‍👩‍👧",
                                         "مرحبا", "\u202eabc", "<0x0A>", "</s>", "<unk>", "▁",
                                         ">>deu<<"));

TEST(TranslateTest, LongLineIsOneLine) {
  std::string line;
  while (line.size() < 20000) line += std::string(kEnglish) + " ";
  const Outcome outcome = Translate({}, line + "\n" + EnglishLine());
  EXPECT_EQ(CountLines(outcome.output), 2);
  EXPECT_GT(outcome.output.size(), line.size() / 2);
  EXPECT_TRUE(absl::EndsWith(outcome.output, absl::StrCat("\n", GermanLine())));
}

TEST(TranslateTest, ReadsAndWritesFiles) {
  const std::string input = TemporaryPath("in");
  const std::string output = TemporaryPath("out");
  WriteTextFile(input, EnglishLine() + "\n");
  WriteTextFile(output, std::string(10000, 'x'));
  const Outcome outcome = Translate({"--input=" + input, "--output", output});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(ReadTextFile(output), GermanLine() + "\n");
}

TEST(TranslateTest, DashIsAStandardStream) {
  EXPECT_EQ(Translate({"--input=-", "--output=-"}, EnglishLine()).output, GermanLine());
  EXPECT_EQ(Translate({"-"}, EnglishLine()).output, GermanLine());
}

// --- Flags.

TEST(TranslateTest, ScoreStandsBeforeATab) {
  const Outcome outcome = Translate({"--scores"}, EnglishLine() + "\n");
  const std::vector<std::string> lines = absl::StrSplit(outcome.output, '\n');
  ASSERT_EQ(lines.size(), 3U) << outcome.output;
  const std::vector<std::string> columns = absl::StrSplit(lines[0], '\t');
  ASSERT_EQ(columns.size(), 2U) << lines[0];
  EXPECT_LT(std::stod(columns[0]), 0);
  EXPECT_GT(std::stod(columns[0]), -20);
  EXPECT_EQ(columns[1], kGerman);
  EXPECT_EQ(lines[1], "0.0000\t");
}

TEST(TranslateTest, JsonHasTextScoreAndTokens) {
  const Outcome outcome = Translate({"--json"}, EnglishLine() + "\n");
  const std::vector<std::string> lines = absl::StrSplit(outcome.output, '\n');
  ASSERT_EQ(lines.size(), 3U) << outcome.output;
  const auto json = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(json.size(), 3U);
  EXPECT_EQ(json.at("text"), kGerman);
  double sum = 0;
  for (const auto& token : json.at("tokens")) {
    EXPECT_EQ(token.size(), 3U);
    EXPECT_TRUE(token.at("piece").is_string());
    EXPECT_TRUE(token.at("id").is_number_integer());
    EXPECT_LE(token.at("log_probability").get<double>(), 0);
    sum += token.at("log_probability").get<double>();
  }
  EXPECT_EQ(json.at("tokens").back().at("piece"), "</s>");
  EXPECT_NEAR(json.at("score").get<double>(), sum, 1e-4);

  const auto empty = nlohmann::json::parse(lines[1]);
  EXPECT_EQ(empty,
            nlohmann::json({{"text", ""}, {"score", 0.0}, {"tokens", nlohmann::json::array()}}));
}

TEST(TranslateTest, JsonIsOneValidLineForAnyText) {
  const Outcome outcome = Translate({"--json"}, "a\0b\r\xff\xfe \"q\" \\ \u2028 \x1b\n"s);
  EXPECT_EQ(CountLines(outcome.output), 1);
  EXPECT_FALSE(
      nlohmann::json::parse(outcome.output, nullptr, /*allow_exceptions=*/false).is_discarded())
      << outcome.output;
}

int64_t SentenceEnds(const Outcome& outcome) {
  int64_t ends = 0;
  const auto json = nlohmann::json::parse(outcome.output);
  for (const auto& token : json.at("tokens")) {
    if (token.at("piece") == "</s>") ++ends;
  }
  return ends;
}

TEST(TranslateTest, SentencesAreSplitUnlessToldNotTo) {
  EXPECT_EQ(SentenceEnds(Translate({"--json", "I am tired. She is here."})), 2);
  EXPECT_EQ(SentenceEnds(Translate({"--json", "--nosplit_sentences", "I am tired. She is here."})),
            1);
}

TEST(TranslateTest, MaxOutputTokensCutsAndWarnsOnce) {
  const Outcome outcome = Translate({"--json", "--max_output_tokens=1"},
                                    absl::StrCat("\n", EnglishLine(), EnglishLine()));
  const std::vector<std::string> lines = absl::StrSplit(outcome.output, '\n');
  EXPECT_EQ(nlohmann::json::parse(lines[1]).at("tokens").size(), 1U);
  EXPECT_TRUE(absl::StartsWith(outcome.error, "limpid: warning: line 2 ")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "--max_output_tokens")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "limpid: 2 lines in all ")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 2);
}

TEST(TranslateTest, BatchSizeAndThreadsDoNotChangeTheText) {
  std::string input;
  for (const char* line : {"Hello!", "I love you very much.", "", "Where is the station?", "Run!",
                           "She wants to buy a new house next year.", "Tom is not here today."}) {
    absl::StrAppend(&input, line, "\n", EnglishLine());
  }
  const std::string expected = Translate({"--batch_size=1", "--threads=1"}, input).output;
  EXPECT_EQ(CountLines(expected), CountLines(input));
  EXPECT_EQ(Translate({"--batch_size=3", "--threads=2"}, input).output, expected);
  EXPECT_EQ(Translate({"--batch_size=1000", "--threads=1"}, input).output, expected);
}

TEST(TranslateTest, ComputeTypesGiveAboutTheSameScore) {
  const auto score = [](const std::string& type) {
    return std::atof(Translate({"--scores", "--compute_type=" + type, kEnglish}).output.c_str());
  };
  EXPECT_LT(score("float32"), 0);
  EXPECT_NEAR(score("int8"), score("float32"), 0.2);
}

// --- Warnings.

TEST(TranslateTest, InvalidUtf8IsWarnedOfOnce) {
  const Outcome one = Translate({}, EnglishLine() + "caf\xe9.\n" + EnglishLine());
  EXPECT_EQ(one.error,
            "limpid: warning: line 2 is not valid UTF-8; what is invalid is read as U+FFFD\n");
  EXPECT_EQ(one.exit_code, 0);

  const Outcome many = Translate({}, absl::StrCat("a\xff\n", EnglishLine(), "\xff\n\xff\n"));
  EXPECT_EQ(many.error,
            "limpid: warning: line 1 is not valid UTF-8; what is invalid is read as U+FFFD\n"
            "limpid: 3 lines in all were not valid UTF-8\n");
}

TEST(TranslateTest, ALanguageThatTheModelDoesNotHaveIsWarnedOf) {
  const Outcome outcome = RunProgram({"translate", ">>fra<< I love you."});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.error.find("line 1 begins with the code of a language that the model does not "
                               "have; it is translated as text"),
            std::string::npos);
  EXPECT_EQ(RunProgram({"translate", "I love you."}).error, "");
}

TEST(TranslateTest, ATemperatureNearZeroIsGreedy) {
  EXPECT_EQ(RunProgram({"translate", "--temperature=1e-310", kEnglish}).output,
            std::string(kGerman) + "\n");
}

TEST(TranslateTest, SentenceThatIsCutIsWarnedOf) {
  std::string line;
  for (int i = 0; i < 600; ++i) line += "house ";
  const Outcome outcome = Translate({"--max_output_tokens=5"}, EnglishLine() + line + "\n");
  EXPECT_TRUE(absl::StrContains(outcome.error, "limpid: warning: line 2 has a sentence longer"))
      << outcome.error;
}

// --- Streams.

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
  // AddressSanitizer keeps freed memory for a while, which here looks like growth.
  options.environment.emplace_back("ASAN_OPTIONS=quarantine_size_mb=1");
  const std::string line = std::string(999, ' ') + "\n";
  std::string large;
  for (int i = 0; i < 96 << 10; ++i) large += line;  // 96 MB
  const Outcome little = Translate({"--threads=1"}, large.substr(0, 2 << 20), options);
  const Outcome much = Translate({"--threads=1"}, large, options);
  EXPECT_TRUE(much.output == large);
  EXPECT_LT(much.peak_kilobytes - little.peak_kilobytes, 16 << 10);
}

// --- How it ends.

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

// --- What goes wrong.

TEST(TranslateTest, FullDiskIsAFailure) {
  ProgramOptions options;
  options.output = open("/dev/full", O_WRONLY | O_CLOEXEC);
  const Outcome outcome = Translate({}, EnglishLine(), options);
  close(options.output);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error, "limpid: cannot write standard output: No space left on device\n");

  const Outcome file = Translate({"--output=/dev/full", kEnglish});
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_EQ(file.error, "limpid: cannot write /dev/full: No space left on device\n");
}

TEST(TranslateTest, MissingInputIsAFailureAndLeavesTheOutputAlone) {
  const std::string output = TemporaryPath("out");
  WriteTextFile(output, "precious");
  const Outcome outcome = Translate({"--input=no/such.txt", "--output=" + output});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error, "limpid: cannot read no/such.txt: No such file or directory\n");
  EXPECT_EQ(ReadTextFile(output), "precious");
}

TEST(TranslateTest, MissingModelIsAFailureAndLeavesTheOutputAlone) {
  const std::string output = TemporaryPath("out");
  WriteTextFile(output, "precious");
  const Outcome outcome = Translate({"--model=no/such", "--output=" + output, kEnglish});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "no/such")) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.error, "--model")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
  EXPECT_EQ(ReadTextFile(output), "precious");
}

TEST(TranslateTest, FolderWithoutAModelIsAFailure) {
  const Outcome outcome = Translate({"--model=tools", kEnglish});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StartsWith(outcome.error, "limpid: cannot load the model: tools"))
      << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1);
}

TEST(TranslateTest, FolderIsNoInputAndNoOutput) {
  const Outcome input = Translate({"--input=tools"});
  EXPECT_EQ(input.exit_code, 1);
  EXPECT_EQ(input.error, "limpid: cannot read tools: Is a directory\n");
  const Outcome output = Translate({"--output=tools", kEnglish});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_EQ(output.error, "limpid: cannot write tools: Is a directory\n");
}

TEST(TranslateTest, DoesNotOverwriteItsInput) {
  const std::string path = TemporaryPath("text");
  WriteTextFile(path, EnglishLine());
  const Outcome outcome = Translate({"--input=" + path, "--output=" + path});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.error, "--output")) << outcome.error;
  EXPECT_EQ(ReadTextFile(path), EnglishLine());
}

// Runs limpid in a shell that redirects its streams. What is older fed itself for ever here.
Outcome InAShell(const std::string& redirected, const std::string& path) {
  ProgramOptions options;
  options.path = "/bin/sh";
  return RunProgram(
      {"-c", "ulimit -f 100; exec timeout 60 \"$0\" translate " + redirected, LIMPID_PROGRAM, path},
      "", options);
}

TEST(TranslateTest, DoesNotFeedOnItsOwnOutput) {
  const std::string path = TemporaryPath("text");
  for (const char* redirected :
       {"--input=\"$1\" >> \"$1\"", "< \"$1\" >> \"$1\"", "- < \"$1\" >> \"$1\"",
        "--output=\"$1\" < \"$1\"", "--input=\"$1\" --resume --output=\"$1\""}) {
    WriteTextFile(path, EnglishLine());
    const Outcome outcome = InAShell(redirected, path);
    EXPECT_EQ(outcome.exit_code, 1) << redirected;
    EXPECT_TRUE(absl::StrContains(outcome.error, "cannot write the output over the input"))
        << redirected << ": " << outcome.error;
    EXPECT_EQ(ReadTextFile(path), EnglishLine()) << redirected;
  }
}

// What is not read cannot be written over.
TEST(TranslateTest, StandardInputDoesNotMatterWhereThereIsText) {
  const std::string path = TemporaryPath("text");
  WriteTextFile(path, "");
  const Outcome outcome = InAShell("--output=\"$1\" 'I love you.' < \"$1\"", path);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(ReadTextFile(path), "Ich liebe dich.\n");
}

TEST(TranslateTest, AClosedStreamIsNotTakenForAFile) {
  const std::string path = TemporaryPath("text");
  WriteTextFile(path, "");
  const Outcome input = InAShell("--output=\"$1\" 'I love you.' <&-", path);
  EXPECT_EQ(input.exit_code, 0) << input.error;
  EXPECT_EQ(ReadTextFile(path), "Ich liebe dich.\n");
  // Its first warning would go into the output.
  const Outcome error = InAShell("--output=\"$1\" \"$(printf 'I love you.\\377')\" 2>&-", path);
  EXPECT_EQ(error.exit_code, 0);
  EXPECT_EQ(CountLines(ReadTextFile(path)), 1) << ReadTextFile(path);
  EXPECT_FALSE(absl::StrContains(ReadTextFile(path), "limpid")) << ReadTextFile(path);
  // What cannot be read or written is said as before.
  const Outcome read = InAShell("<&-", path);
  EXPECT_EQ(read.exit_code, 1);
  EXPECT_EQ(read.error, "limpid: cannot read standard input: Bad file descriptor\n");
  const Outcome write = InAShell("'I love you.' >&-", path);
  EXPECT_EQ(write.exit_code, 1);
  EXPECT_EQ(write.error, "limpid: cannot write standard output: Bad file descriptor\n");
}

class UsageErrorTest : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(UsageErrorTest, IsOneLineAndExitCode2) {
  const Outcome outcome = Translate(GetParam());
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StartsWith(outcome.error, "limpid: ")) << outcome.error;
  EXPECT_EQ(CountLines(outcome.error), 1) << outcome.error;
}

INSTANTIATE_TEST_SUITE_P(All, UsageErrorTest,
                         testing::Values(std::vector<std::string>{"--no_such_flag", "x"},
                                         std::vector<std::string>{"--batch_size=0", "x"},
                                         std::vector<std::string>{"--batch_size=many", "x"},
                                         std::vector<std::string>{"--threads=-1", "x"},
                                         std::vector<std::string>{"--max_output_tokens=-1", "x"},
                                         std::vector<std::string>{"x", "--model"},
                                         std::vector<std::string>{"--scores=perhaps", "x"},
                                         std::vector<std::string>{"--compute_type=int3", "x"},
                                         std::vector<std::string>{"--resume", "--output=file"},
                                         std::vector<std::string>{"--resume", "--input=file"},
                                         std::vector<std::string>{"--resume", "--input=a",
                                                                  "--output=b", "--beam_size=2",
                                                                  "--nbest=2"},
                                         std::vector<std::string>{"--input=file", "-"},
                                         std::vector<std::string>{"--input=file", "x"}));

// --- On a terminal.

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
  // Closes our copy of the program's end, so that reading ends when the program does.
  void Hide() {
    if (line_ >= 0) close(line_);
    line_ = -1;
  }
  void Type(std::string_view text) const {
    EXPECT_EQ(write(screen_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // Reads until `text` was shown, or the program ended; returns all that was.
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

// As a file or a pipe gets it byte for byte, so that it can be gone on with.
TEST(TerminalTest, ControlCharactersDoNotReachIt) {
  // Of a script that the model does not know, so that it comes back as it is.
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
  EXPECT_EQ(terminal.ReadUntil("\n"), "Type lines to translate; Ctrl-D ends.\r\n");
  terminal.Type(EnglishLine());
  EXPECT_EQ(program.ReadLine(), GermanLine());
  terminal.Type("\x04");
  EXPECT_EQ(program.Wait(), 0);
}

}  // namespace
}  // namespace limpid::internal

#include "tools/lines.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "limpid/translator.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using Texts = std::vector<std::string>;

class LinesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(pipe_.data()), 0); }
  void TearDown() override {
    close(pipe_[0]);
    CloseInput();
  }

  int out() const { return pipe_[0]; }
  int in() const { return pipe_[1]; }
  void Send(std::string_view text) const {
    ASSERT_EQ(write(in(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void CloseInput() {
    if (pipe_[1] >= 0) close(pipe_[1]);
    pipe_[1] = -1;
  }

 private:
  std::array<int, 2> pipe_ = {-1, -1};
};

Lines ReadOk(LineReader& reader, size_t max_lines) {
  absl::StatusOr<Lines> lines = reader.Read(max_lines);
  EXPECT_TRUE(lines.ok()) << lines.status();
  return lines.ok() ? *std::move(lines) : Lines();
}

Texts TextsOf(std::string text) {
  LineReader reader(std::move(text));
  return ReadOk(reader, 1000).texts;
}

TEST(LineReaderTest, OnlyLineFeedEndsALine) {
  using namespace std::string_literals;
  EXPECT_EQ(TextsOf("a\nb\n"), (Texts{"a", "b"}));
  EXPECT_EQ(TextsOf("a\n\n\nb\n"), (Texts{"a", "", "", "b"}));
  EXPECT_EQ(TextsOf("a\rb\n"), (Texts{"a\rb"}));
  EXPECT_EQ(TextsOf("a\0b\n"s), (Texts{"a\0b"s}));
  EXPECT_EQ(TextsOf("a\u2028b\u0085c\vd\fe\n"), (Texts{"a\u2028b\u0085c\vd\fe"}));
  EXPECT_EQ(TextsOf(""), Texts{});
}

TEST(LineReaderTest, LastLineNeedsNoEnd) {
  EXPECT_EQ(TextsOf("a\nb"), (Texts{"a", "b"}));
  EXPECT_EQ(TextsOf("a\nb\r"), (Texts{"a", "b\r"}));
}

TEST(LineReaderTest, RemembersHowLinesEnd) {
  LineReader reader("a\r\nb\nc\r\r\n\r\nd");
  const Lines lines = ReadOk(reader, 10);
  EXPECT_EQ(lines.texts, (Texts{"a", "b", "c\r", "", "d"}));
  EXPECT_EQ(lines.endings, (std::vector<std::string_view>{"\r\n", "\n", "\r\n", "\r\n", "\n"}));
}

TEST(LineReaderTest, TakesNoMoreLinesThanAsked) {
  LineReader reader("a\nb\nc\n");
  EXPECT_EQ(ReadOk(reader, 2).texts, (Texts{"a", "b"}));
  EXPECT_EQ(ReadOk(reader, 2).texts, (Texts{"c"}));
  EXPECT_TRUE(ReadOk(reader, 2).empty());
  EXPECT_TRUE(ReadOk(reader, 2).empty());
}

TEST(LineReaderTest, TakesABoundedAmountOfText) {
  std::string text;
  while (text.size() < 3 * LineReader::kMaxBytes) text += std::string(1000, 'x') + "\n";
  LineReader reader(text);
  const Lines lines = ReadOk(reader, 1000000);
  EXPECT_GE(lines.size(), LineReader::kMaxBytes / 1000);
  EXPECT_LE(lines.size(), LineReader::kMaxBytes / 1000 + 1);
}

// Like /dev/zero.
TEST(LineReaderTest, ALineWithoutEndIsRefusedBeforeItFillsTheMemory) {
  const std::string path = TemporaryPath("zeros");
  WriteTextFile(path, "a\n");
  std::filesystem::resize_file(path, 3 * kMaxTextBytes);
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  LineReader reader(file, "zeros");
  EXPECT_EQ(ReadOk(reader, 1).texts, (Texts{"a"}));
  const absl::StatusOr<Lines> lines = reader.Read(1);
  close(file);
  EXPECT_TRUE(absl::IsInvalidArgument(lines.status()));
  EXPECT_EQ(lines.status().message(),
            "line 2 of zeros is longer than the limit of 100000000 bytes; split it");
}

TEST_F(LinesTest, TakesWhatIsThereWithoutWaitingForMore) {
  LineReader reader(out(), "pipe");
  Send("a\n");
  EXPECT_EQ(ReadOk(reader, 100).texts, (Texts{"a"}));
  Send("b\nc\nhalf");
  EXPECT_EQ(ReadOk(reader, 100).texts, (Texts{"b", "c"}));
  Send(" done\n");
  EXPECT_EQ(ReadOk(reader, 100).texts, (Texts{"half done"}));
  CloseInput();
  EXPECT_TRUE(ReadOk(reader, 100).empty());
}

TEST_F(LinesTest, WaitsForTheEndOfALine) {
  LineReader reader(out(), "pipe");
  const std::string longer_than_a_pipe(3 << 20, 'x');
  std::jthread sender([&] {
    std::string_view rest = longer_than_a_pipe;
    while (!rest.empty()) {
      const ssize_t count = write(in(), rest.data(), rest.size());
      ASSERT_GT(count, 0);
      rest.remove_prefix(static_cast<size_t>(count));
    }
    CloseInput();
  });
  EXPECT_EQ(ReadOk(reader, 100).texts, (Texts{longer_than_a_pipe}));
}

TEST_F(LinesTest, ReadsAFileThatDoesNotBlock) {
  ASSERT_EQ(fcntl(out(), F_SETFL, O_NONBLOCK), 0);
  LineReader reader(out(), "pipe");
  std::jthread sender([&] { Send("a\n"); });
  EXPECT_EQ(ReadOk(reader, 100).texts, (Texts{"a"}));
}

TEST(LineReaderTest, FailureNamesFileAndReason) {
  const int folder = open(".", O_RDONLY);
  LineReader reader(folder, "some/folder");
  const absl::StatusOr<Lines> lines = reader.Read(1);
  close(folder);
  EXPECT_EQ(lines.status().message(), "cannot read some/folder: Is a directory");
}

TEST_F(LinesTest, WritesAll) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::string(i % 100, 'x') + "\n";
  text += std::string(200000, 'y') + "\n" + "z\n";
  LineWriter writer(in(), "pipe");
  std::string received;
  std::jthread receiver([&] {
    std::array<char, 5000> buffer = {};
    ssize_t count = 0;
    while ((count = read(out(), buffer.data(), buffer.size())) > 0) {
      received.append(buffer.data(), static_cast<size_t>(count));
    }
  });
  EXPECT_TRUE(writer.Write(text).ok());
  CloseInput();
  receiver.join();
  EXPECT_TRUE(received == text);
}

// A pipe with O_DIRECT keeps writes apart: each read returns one of them.
TEST(LineWriterTest, ProgramsThatShareAPipeDoNotMixTheirLines) {
  std::array<int, 2> ends = {-1, -1};
  ASSERT_EQ(pipe2(ends.data(), O_DIRECT | O_CLOEXEC), 0);
  LineWriter writer(ends[1], "pipe");
  std::string text;
  for (int i = 0; i < 300; ++i) text += std::string(i % 100, 'x') + "\n";
  ASSERT_TRUE(writer.Write(text).ok());
  ASSERT_TRUE(writer.Close().ok());
  std::string received;
  std::array<char, 2 * PIPE_BUF> buffer = {};
  ssize_t count = 0;
  while ((count = read(ends[0], buffer.data(), buffer.size())) > 0) {
    EXPECT_LE(count, PIPE_BUF) << "may be split by other writers";
    EXPECT_EQ(buffer[count - 1], '\n');
    received.append(buffer.data(), static_cast<size_t>(count));
  }
  close(ends[0]);
  EXPECT_EQ(received, text);
}

TEST_F(LinesTest, WritesToAFileThatDoesNotBlock) {
  ASSERT_EQ(fcntl(in(), F_SETFL, O_NONBLOCK), 0);
  const std::string line = std::string(3 << 20, 'x') + "\n";
  LineWriter writer(in(), "pipe");
  LineReader reader(out(), "pipe");
  Lines lines;
  std::jthread receiver([&] { lines = ReadOk(reader, 1); });
  EXPECT_TRUE(writer.Write(line).ok());
  receiver.join();
  EXPECT_TRUE(lines.size() == 1 && lines.texts[0] + "\n" == line);
}

TEST(LineWriterTest, FullDiskIsAnError) {
  const int full = open("/dev/full", O_WRONLY);
  LineWriter writer(full, "out.txt");
  EXPECT_EQ(writer.Write("a\n").message(), "cannot write out.txt: No space left on device");
  EXPECT_TRUE(writer.Close().ok());
  EXPECT_FALSE(writer.Close().ok()) << "closed twice";
}

TEST(AsFieldTest, KeepsTabsAndLineEndsOutOfALine) {
  EXPECT_EQ(AsField("a\tb\nc\rd\\"), "a\\tb\\nc\\rd\\\\");
  EXPECT_EQ(AsField("▁Straße"), "▁Straße");
}

}  // namespace
}  // namespace limpid::internal

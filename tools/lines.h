// Lines of text from a file descriptor and to one: without waiting longer than needed, and in
// memory that depends on the longest line only, which is bounded, so that an endless stream can be
// worked through.

#ifndef LIMPID_TOOLS_LINES_H_
#define LIMPID_TOOLS_LINES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace limpid::internal {

// Consecutive lines. The two vectors run in parallel.
struct Lines {
  std::vector<std::string> texts;         // without their ends
  std::vector<std::string_view> endings;  // "\n" or "\r\n": how to end the line that answers
  size_t size() const { return texts.size(); }
  bool empty() const { return texts.empty(); }
};

// Splits a stream into lines at LF or CR LF. Every other byte, NUL and a lone CR included, is part
// of a line. A last line without an end counts as a line that ends with LF.
class LineReader {
 public:
  // Reads from `file`, which stays the caller's. `name` is used in messages.
  LineReader(int file, std::string name);
  // Reads from memory.
  explicit LineReader(std::string text);

  // Waits for at least one line; then takes those that are there already, up to `max_lines` lines
  // or about kMaxBytes of text. No lines: the stream has ended. Fails with InvalidArgument at a
  // line of more than kMaxTextBytes (translator.h), before there is memory for all of it.
  absl::StatusOr<Lines> Read(size_t max_lines);

  static constexpr size_t kMaxBytes = size_t{1} << 20;

 private:
  // Moves the next line from the buffer to `lines`; returns false if there is no whole one.
  bool TakeLine(Lines* lines);
  // Reads more of the file into the buffer, waiting if there is nothing.
  absl::Status Fill();
  bool ReadyNow() const;

  int file_ = -1;
  std::string name_;
  std::string buffer_;
  size_t begin_ = 0;    // of what is not taken yet, in the buffer
  int64_t lines_ = 0;   // taken so far
  size_t scanned_ = 0;  // up to here there is no line end after begin_
  bool ended_ = false;
};

// Writes text at once, unbuffered; to a terminal, what is Printable of it (terminal.h). A signal
// never ends the program in the middle of a line; see signals.h.
class LineWriter {
 public:
  LineWriter(int file, std::string name);

  // `lines` must be whole lines. Fails with the system's reason; a closed pipe ends the program by
  // SIGPIPE instead.
  absl::Status Write(std::string_view lines);

  // The same of bytes that are meant for a terminal as they are, such as colours.
  absl::Status WriteAsIs(std::string_view lines);

  // Closes the file: some file systems only then say that they are full.
  absl::Status Close();

 private:
  int file_;
  std::string name_;
  bool is_terminal_;
};

// Text as a field of a line that tabs separate: tabs, line ends and backslashes become "\t", "\n",
// "\r" and "\\".
std::string AsField(std::string_view text);

// What went wrong in the system's words: "cannot read text.txt: Is a directory". Reads errno.
absl::Status SystemError(std::string_view action, std::string_view name);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_LINES_H_

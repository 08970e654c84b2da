// Reading and writing lines: without waiting longer than needed, and in memory bounded by the
// longest line, so that endless streams work.

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

// Consecutive lines. Both vectors have one element per line.
struct Lines {
  std::vector<std::string> texts;         // without line ends
  std::vector<std::string_view> endings;  // "\n" or "\r\n": how to end the output line
  size_t size() const { return texts.size(); }
  bool empty() const { return texts.empty(); }
};

// Splits a stream into lines at LF or CR LF. Every other byte is part of a line, including NUL and
// a lone CR. A last line without an end counts as ending with LF.
class LineReader {
 public:
  // Reads from `file`, which the caller closes. `name` is used in messages.
  LineReader(int file, std::string name);
  // Reads from memory.
  explicit LineReader(std::string text);

  // Waits for at least one line; then also takes those already available, up to `max_lines` lines
  // or about kMaxBytes of text. No lines: the stream has ended. Fails with InvalidArgument at a
  // line of more than kMaxTextBytes (translator.h), before reading all of it.
  absl::StatusOr<Lines> Read(size_t max_lines);

  static constexpr size_t kMaxBytes = size_t{1} << 20;

 private:
  // Moves the next line from the buffer to `lines`; returns false if none is complete.
  bool TakeLine(Lines* lines);
  // Reads more of the file into the buffer, waiting if necessary.
  absl::Status Fill();
  bool ReadyNow() const;

  int file_ = -1;
  std::string name_;
  std::string buffer_;
  size_t begin_ = 0;    // of the next line in the buffer
  int64_t lines_ = 0;   // returned so far
  size_t scanned_ = 0;  // no line end between begin_ and here
  bool ended_ = false;
};

// Writes text unbuffered; to a terminal, makes it Printable first (terminal.h). A signal never ends
// the program in the middle of a line; see signals.h.
class LineWriter {
 public:
  LineWriter(int file, std::string name);

  // `lines` must be complete lines. Fails with the system's error; a closed pipe ends the program
  // by SIGPIPE instead.
  absl::Status Write(std::string_view lines);

  // Writes bytes unchanged even to a terminal, such as colours.
  absl::Status WriteAsIs(std::string_view lines);

  // Closes the file: some file systems report errors only then.
  absl::Status Close();

 private:
  int file_;
  std::string name_;
  bool is_terminal_;
};

// Escapes a field of a tab-separated line: tabs, line ends and backslashes become "\t", "\n", "\r"
// and "\\".
std::string AsField(std::string_view text);

// Returns an error from errno: "cannot read text.txt: Is a directory".
absl::Status SystemError(std::string_view action, std::string_view name);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_LINES_H_

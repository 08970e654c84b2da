#include "tools/lines.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "limpid/translator.h"
#include "tools/signals.h"
#include "tools/terminal.h"

namespace limpid::internal {
namespace {

constexpr size_t kReadSize = size_t{1} << 16;

// Waits until `file` can be read or written, in case it is non-blocking.
void WaitFor(int file, int16_t events) {
  pollfd request = {file, events, 0};
  poll(&request, 1, -1);
}

// Returns the part of `lines` to write at once: as many complete lines as a pipe takes atomically,
// but at least one.
std::string_view FirstPart(std::string_view lines) {
  if (lines.size() <= PIPE_BUF) return lines;
  size_t end = lines.rfind('\n', PIPE_BUF - 1);
  if (end == std::string_view::npos) end = lines.find('\n');
  return end == std::string_view::npos ? lines : lines.substr(0, end + 1);
}

}  // namespace

std::string AsField(std::string_view text) {
  return absl::StrReplaceAll({text.data(), text.size()},
                             {{"\\", "\\\\"}, {"\t", "\\t"}, {"\n", "\\n"}, {"\r", "\\r"}});
}

absl::Status SystemError(std::string_view action, std::string_view name) {
  const int error = errno;
  const std::string message =
      absl::StrCat("cannot ", std::string(action), " ", std::string(name), ": ", strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

LineReader::LineReader(int file, std::string name) : file_(file), name_(std::move(name)) {
#ifdef F_SETPIPE_SZ
  // Lets the writer continue while we translate. Failure does not matter.
  fcntl(file, F_SETPIPE_SZ, static_cast<int>(kMaxBytes));
#endif
}

LineReader::LineReader(std::string text) : buffer_(std::move(text)), ended_(true) {}

bool LineReader::TakeLine(Lines* lines) {
  size_t end = buffer_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    if (!ended_ || begin_ == buffer_.size()) return false;
    end = buffer_.size();
  }
  const bool has_cr = end < buffer_.size() && end > begin_ && buffer_[end - 1] == '\r';
  lines->texts.push_back(buffer_.substr(begin_, end - begin_ - (has_cr ? 1 : 0)));
  lines->endings.emplace_back(has_cr ? "\r\n" : "\n");
  begin_ = scanned_ = std::min(end + 1, buffer_.size());
  ++lines_;
  return true;
}

bool LineReader::ReadyNow() const {
  pollfd request = {file_, POLLIN, 0};
  return poll(&request, 1, /*timeout=*/0) > 0;
}

absl::Status LineReader::Fill() {
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  const size_t old_size = buffer_.size();
  if (old_size > kMaxTextBytes) {
    return absl::InvalidArgumentError(absl::StrCat("line ", lines_ + 1, " of ", name_,
                                                   " is longer than the limit of ", kMaxTextBytes,
                                                   " bytes; split it"));
  }
  buffer_.resize(old_size + kReadSize);
  ssize_t count = -1;
  while ((count = read(file_, &buffer_[old_size], kReadSize)) < 0) {
    if (errno == EAGAIN) {
      WaitFor(file_, POLLIN);
    } else if (errno != EINTR) {
      return SystemError("read", name_);
    }
  }
  buffer_.resize(old_size + static_cast<size_t>(count));
  ended_ = count == 0;
  return absl::OkStatus();
}

absl::StatusOr<Lines> LineReader::Read(size_t max_lines) {
  Lines lines;
  size_t bytes = 0;
  while (lines.size() < max_lines && bytes < kMaxBytes) {
    if (TakeLine(&lines)) {
      bytes += lines.texts.back().size();
      continue;
    }
    if (ended_ || (!lines.empty() && !ReadyNow())) break;
    if (absl::Status status = Fill(); !status.ok()) return status;
  }
  return lines;
}

LineWriter::LineWriter(int file, std::string name)
    : file_(file), name_(std::move(name)), is_terminal_(isatty(file) != 0) {}

absl::Status LineWriter::Write(std::string_view lines) {
  return is_terminal_ ? WriteAsIs(Printable(lines)) : WriteAsIs(lines);
}

absl::Status LineWriter::WriteAsIs(std::string_view lines) {
  while (!lines.empty()) {
    std::string_view part = FirstPart(lines);
    lines.remove_prefix(part.size());
    const std::lock_guard<std::timed_mutex> lock(WritingMutex());
    while (!part.empty()) {
      const ssize_t count = write(file_, part.data(), part.size());
      if (count >= 0) {
        part.remove_prefix(static_cast<size_t>(count));
      } else if (errno == EAGAIN) {
        WaitFor(file_, POLLOUT);
      } else if (errno != EINTR) {
        return SystemError("write", name_);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status LineWriter::Close() {
  if (close(file_) != 0) return SystemError("write", name_);
  return absl::OkStatus();
}

}  // namespace limpid::internal

#include "tools/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

constexpr int kMinWidth = 20;
constexpr int kMaxWidth = 10000;
constexpr std::string_view kEllipsis = "...";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int Width() {
  int width = 0;
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
  if (width == 0 && !absl::SimpleAtoi(Environment("COLUMNS"), &width)) width = 0;
  return width <= 0 ? Terminal().width : std::clamp(width, kMinWidth, kMaxWidth);
}

// Returns the longest prefix of `text` that fits into `width` columns.
std::string_view Prefix(std::string_view text, int width) {
  size_t end = 0;
  for (const ByteRange& character : SplitCharacters(text)) {
    width -= DisplayWidth(character.In(text));
    if (width < 0) break;
    end = character.end;
  }
  return text.substr(0, end);
}

}  // namespace

Terminal StandardOutput(Color color) {
  Terminal terminal;
  terminal.width = Width();
  const std::string type = Environment("TERM");
  const bool has_color = isatty(STDOUT_FILENO) == 1 && !type.empty() && type != "dumb" &&
                         Environment("NO_COLOR").empty();
  terminal.color = color == Color::kAlways || (color == Color::kAuto && has_color);
  return terminal;
}

std::string Printable(std::string_view text) {
  std::string printable;
  const std::string valid = ReplaceInvalidUtf8(text);
  for (size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    const bool ends_line = byte == '\n' || (byte == '\r' && valid.substr(i + 1, 1) == "\n");
    const bool is_c0 = byte < 0x20 || byte == 0x7F;
    // U+0080 to U+009F, which some terminals interpret too.
    const bool is_c1 = byte == 0xC2 && static_cast<unsigned char>(valid[i + 1]) < 0xA0;
    if ((is_c0 && byte != '\t' && !ends_line) || is_c1) {
      printable += "\uFFFD";
      if (is_c1) ++i;
    } else {
      printable += valid[i];
    }
  }
  return printable;
}

std::string Cell(std::string_view text, int width, Justify justify) {
  width = std::max<int>(width, kEllipsis.size());
  std::string cell = IsolatedForDisplay(text);
  if (DisplayWidth(cell) > width) {
    const std::string_view prefix = Prefix(text, width - static_cast<int>(kEllipsis.size()));
    cell = IsolatedForDisplay(prefix).append(kEllipsis);
  }
  const auto room = static_cast<size_t>(std::max(0, width - DisplayWidth(cell)));
  const size_t before = justify == Justify::kLeft    ? 0
                        : justify == Justify::kRight ? room
                                                     : room / 2;
  return std::string(before, ' ') + cell + std::string(room - before, ' ');
}

std::string Wrap(std::string_view text, int width, int indent) {
  const std::string margin(static_cast<size_t>(indent), ' ');
  std::string lines = margin;
  int column = indent;
  for (const absl::string_view word :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ' ', absl::SkipEmpty())) {
    const int columns = DisplayWidth({word.data(), word.size()});
    if (column > indent && column + 1 + columns > width) {
      absl::StrAppend(&lines, "\n", margin);
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    absl::StrAppend(&lines, word);
    column += columns;
  }
  return lines + "\n";
}

}  // namespace limpid::internal

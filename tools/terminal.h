// The terminal: width, colours, and text that is safe to print.

#ifndef LIMPID_TOOLS_TERMINAL_H_
#define LIMPID_TOOLS_TERMINAL_H_

#include <string>
#include <string_view>

namespace limpid::internal {

enum class Color { kAuto, kAlways, kNever };

struct Terminal {
  int width = 80;  // columns
  bool color = false;
};

// Describes standard output. The width is the terminal's, else $COLUMNS, else 80. kAuto enables
// colour on terminals that support it, unless $NO_COLOR is set (no-color.org).
Terminal StandardOutput(Color color);

// Makes text safe for a terminal: replaces invalid UTF-8, and control characters other than tabs
// and line ends, with U+FFFD. So no text, file name or model can move the cursor, hide other text
// or reconfigure the terminal.
std::string Printable(std::string_view text);

// Fits `text`, made safe to show (IsolatedForDisplay), into `width` columns: truncates it with
// "..." or pads it with spaces. The minimum `width` is 3.
enum class Justify { kLeft, kRight, kCenter };
std::string Cell(std::string_view text, int width, Justify justify);

// Wraps `text` into lines of at most `width` columns, each indented by `indent` spaces. A longer
// word gets a line of its own. The result ends with a line end.
std::string Wrap(std::string_view text, int width, int indent);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TERMINAL_H_

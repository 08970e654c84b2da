// What text is shown on: a terminal of some width, with colours or without, or a file.

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

// What standard output goes to. The width is the terminal's, else $COLUMNS, else 80. Automatic
// colour is for terminals that have it, unless $NO_COLOR is set (no-color.org).
Terminal StandardOutput(Color color);

// Lines of `text` as a terminal may get them: control characters but tabs and line ends, and what
// is not UTF-8, are U+FFFD. So nothing in a text, the name of a file or a model can move the
// cursor, hide what stands before it, or change how the terminal works.
std::string Printable(std::string_view text);

// `text`, made safe to show (IsolatedForDisplay), in `width` columns: cut with "..." where it is
// wider, else filled with spaces. A `width` below 3 is taken for 3.
enum class Justify { kLeft, kRight, kCenter };
std::string Cell(std::string_view text, int width, Justify justify);

// Words of `text` in lines of at most `width` columns, each after `indent` spaces; longer words
// stand alone. Ends with a line end.
std::string Wrap(std::string_view text, int width, int indent);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TERMINAL_H_

#include "tools/trace/heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

constexpr int kMargin = 2;        // before the row labels
constexpr int kMinCellWidth = 5;  // two marks and a number up to 100
constexpr int kMaxLabelWidth = 24;

// From share 0 to 1, dark to bright: viridis in the 256 colours of terminals. Its lightness grows
// evenly, and people with colour blindness can distinguish its colours.
struct Shade {
  int background;
  int text;
};
constexpr std::array<Shade, 10> kShades = {{{234, 244},
                                            {17, 250},
                                            {18, 252},
                                            {24, 255},
                                            {30, 255},
                                            {36, 16},
                                            {71, 16},
                                            {113, 16},
                                            {191, 16},
                                            {227, 16}}};
// The same scale without colour.
constexpr std::string_view kMarks = " .:-=+*#%@";
static_assert(kMarks.size() == kShades.size());

int Percent(float share) {
  return static_cast<int>(std::lround(100 * std::clamp(share, 0.0F, 1.0F)));
}

size_t ShadeOf(int percent) { return (static_cast<size_t>(percent) * 9 + 50) / 100; }

std::string FormatCell(float share, int width, bool color) {
  const int percent = Percent(share);
  const std::string number = percent == 0 ? "" : absl::StrCat(percent);
  const size_t shade = ShadeOf(percent);
  if (color) {
    return absl::StrFormat("\x1b[48;5;%d;38;5;%dm%s\x1b[0m", kShades[shade].background,
                           kShades[shade].text, Cell(number, width, Justify::kCenter));
  }
  return Cell(std::string(2, kMarks[shade]) + absl::StrFormat("%3s", number), width,
              Justify::kCenter);
}

int LabelWidth(const std::vector<std::string>& labels, int max_width) {
  int width = 0;
  for (const std::string& label : labels) {
    width = std::max(width, DisplayWidth(IsolatedForDisplay(label)));
  }
  return std::min(width, max_width);
}

// Appends `line` without trailing spaces.
void AppendLine(std::string_view line, std::string* text) {
  text->append(line.substr(0, line.find_last_not_of(' ') + 1)).append("\n");
}

// Returns the widths of the columns from `begin` that fit into `room`: at least one.
std::vector<int> ColumnWidths(const HeatMap& map, size_t begin, int room, int max_label_width) {
  std::vector<int> widths;
  for (size_t column = begin; column < map.columns.size(); ++column) {
    const int width = std::max(kMinCellWidth, LabelWidth({map.columns[column]}, max_label_width));
    room -= width + 1;
    if (room < 0 && column > begin) break;
    widths.push_back(width);
  }
  return widths;
}

// Appends the columns from `begin`, as many as there are widths, with all row labels.
void AppendColumns(const HeatMap& map, size_t begin, const std::vector<int>& widths,
                   int label_width, bool color, std::string* text) {
  std::string head(static_cast<size_t>(kMargin) + label_width, ' ');
  for (size_t i = 0; i < widths.size(); ++i) {
    absl::StrAppend(&head, " ", Cell(map.columns[begin + i], widths[i], Justify::kCenter));
  }
  AppendLine(head, text);
  for (size_t row = 0; row < map.rows.size(); ++row) {
    std::string line = std::string(kMargin, ' ') + Cell(map.rows[row], label_width, Justify::kLeft);
    for (size_t i = 0; i < widths.size(); ++i) {
      absl::StrAppend(&line, " ", FormatCell(map.share(row, begin + i), widths[i], color));
    }
    AppendLine(line, text);
  }
}

}  // namespace

std::string FormatHeatMap(const HeatMap& map, const Terminal& terminal) {
  const int max_label_width = std::clamp(terminal.width / 3, kMinCellWidth, kMaxLabelWidth);
  const int label_width = std::max(3, LabelWidth(map.rows, max_label_width));
  const int room = terminal.width - kMargin - label_width;
  std::string text;
  for (size_t begin = 0; begin < map.columns.size();) {
    const std::vector<int> widths = ColumnWidths(map, begin, room, max_label_width);
    if (begin > 0) text += '\n';
    AppendColumns(map, begin, widths, label_width, terminal.color, &text);
    begin += widths.size();
  }
  return text;
}

}  // namespace limpid::internal

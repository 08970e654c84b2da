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

constexpr int kMargin = 2;     // before the rows' labels
constexpr int kCellWidth = 5;  // the least: two marks and a number up to 100
constexpr int kWidestLabel = 24;

// From nothing to all: a map is a dark panel on any background, the brighter the more. Colours of
// the 256 that terminals share, along viridis, whose lightness grows evenly and which readers with
// colour blindness can tell apart.
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
// The same without colour.
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

int LabelWidth(const std::vector<std::string>& labels, int most) {
  int width = 0;
  for (const std::string& label : labels) {
    width = std::max(width, DisplayWidth(IsolatedForDisplay(label)));
  }
  return std::min(width, most);
}

}  // namespace

std::string FormatHeatMap(const HeatMap& map, const Terminal& terminal) {
  const int most = std::clamp(terminal.width / 3, kCellWidth, kWidestLabel);
  const int label_width = std::max(3, LabelWidth(map.rows, most));
  std::string text;
  for (size_t begin = 0; begin < map.columns.size();) {
    std::vector<int> widths;  // of the columns that fit, one at least
    int room = terminal.width - kMargin - label_width;
    for (size_t column = begin; column < map.columns.size(); ++column) {
      const int width = std::max(kCellWidth, LabelWidth({map.columns[column]}, most));
      room -= width + 1;
      if (room < 0 && column > begin) break;
      widths.push_back(width);
    }
    if (begin > 0) text += '\n';
    std::string head(static_cast<size_t>(kMargin) + label_width, ' ');
    for (size_t i = 0; i < widths.size(); ++i) {
      absl::StrAppend(&head, " ", Cell(map.columns[begin + i], widths[i], Justify::kCenter));
    }
    absl::StrAppend(&text, head.substr(0, head.find_last_not_of(' ') + 1), "\n");
    for (size_t row = 0; row < map.rows.size(); ++row) {
      std::string line =
          std::string(kMargin, ' ') + Cell(map.rows[row], label_width, Justify::kLeft);
      for (size_t i = 0; i < widths.size(); ++i) {
        absl::StrAppend(&line, " ",
                        FormatCell(map.share(row, begin + i), widths[i], terminal.color));
      }
      absl::StrAppend(&text, line.substr(0, line.find_last_not_of(' ') + 1), "\n");
    }
    begin += widths.size();
  }
  return text;
}

}  // namespace limpid::internal

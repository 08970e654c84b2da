#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tokenizer/text.h"
#include "tools/trace/heat_map.h"

namespace limpid::internal {
namespace {

// In SVG user units (pixels by default).
constexpr double kFontSize = 14;
constexpr double kNumberSize = 11;
constexpr double kLineHeight = 20;
constexpr double kCellWidth = 44;
constexpr double kCellHeight = 28;
constexpr double kMargin = 12;
constexpr double kGap = 8;  // between labels and cells
constexpr double kMinTitleWidth = 420;
// Above this share, the number in a cell is white.
constexpr float kDarkShare = 0.55F;

constexpr double kSine = 0.7071;  // of 45 degrees

// Estimates the width of text in the viewer's font, which is unknown: a little more than a usual
// proportional font needs.
double TextWidth(std::string_view text) {
  constexpr std::string_view kNarrow = "fijlrtI.,:;!|'()[] ";
  constexpr std::string_view kWide = "mwMW@%";
  double ems = 0;
  for (const ByteRange& character : SplitCharacters(text)) {
    const std::string_view c = character.In(text);
    const int columns = DisplayWidth(c);
    ems += c.size() == 1 && kNarrow.find(c) != std::string_view::npos ? 0.36
           : c.size() == 1 && kWide.find(c) != std::string_view::npos ? 0.9
           : columns == 2                                             ? 1.05
           : columns == 1                                             ? 0.6
                                                                      : 0;
  }
  return ems * kFontSize;
}

double WidestText(const std::vector<std::string>& texts) {
  double width = 0;
  for (const std::string& text : texts) width = std::max(width, TextWidth(text));
  return width;
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : IsolatedForDisplay(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped += c;
    }
  }
  // XML forbids these two characters, as well as control characters.
  for (const std::string_view bad : {"\uFFFE", "\uFFFF"}) {
    for (size_t at = 0; (at = escaped.find(bad, at)) != std::string::npos;) {
      escaped.replace(at, bad.size(), "\uFFFD");
    }
  }
  return escaped;
}

std::vector<std::string> Lines(const std::string& text, double width) {
  std::vector<std::string> lines = {""};
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    std::string longer = absl::StrCat(lines.back(), lines.back().empty() ? "" : " ", word);
    if (!lines.back().empty() && TextWidth(longer) > width) {
      lines.emplace_back(word);
    } else {
      lines.back() = std::move(longer);
    }
  }
  return lines;
}

// Positions within one map, relative to its upper left corner.
struct Layout {
  explicit Layout(const HeatMap& map)
      : slanted(WidestText(map.columns) > kCellWidth - 2),
        left(WidestText(map.rows) + kGap),
        title(Lines(map.title, std::max(kMinTitleWidth, left + CellsWidth(map)))) {
    const double widest = WidestText(map.columns);
    const double head = slanted ? (widest + kFontSize) * kSine : kLineHeight;
    top = kLineHeight * static_cast<double>(title.size()) + kGap + head + kGap;
    width = left + CellsWidth(map) + (slanted ? widest * kSine - kCellWidth / 2 : 0);
    width = std::max(width, WidestText(title));
    height = top + kCellHeight * static_cast<double>(map.rows.size());
  }
  static double CellsWidth(const HeatMap& map) {
    return kCellWidth * static_cast<double>(map.columns.size());
  }

  bool slanted;  // whether to rotate column labels, because they would overlap
  double left;   // of the cells
  std::vector<std::string> title;
  double top = 0;  // of the cells
  double width = 0;
  double height = 0;
};

// `attributes`, if any, begin with a space.
void AppendText(double x, double y, std::string_view attributes, std::string_view text,
                std::string* svg) {
  absl::StrAppendFormat(svg, "<text class=\"ink\" x=\"%.1f\" y=\"%.1f\"%s>%s</text>\n", x, y,
                        attributes, Escaped(text));
}

void AppendColumnLabel(double x, double y, bool slanted, const std::string& label,
                       std::string* svg) {
  x += slanted ? kFontSize * 0.3 : 0;  // centres rotated text
  AppendText(x, y,
             slanted ? absl::StrFormat(" transform=\"rotate(-45 %.1f %.1f)\"", x, y)
                     : " text-anchor=\"middle\"",
             label, svg);
}

void AppendCell(double x, double y, float share, std::string* svg) {
  share = std::clamp(share, 0.0F, 1.0F);
  absl::StrAppendFormat(svg,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                        "fill=\"#2166c4\" fill-opacity=\"%.3f\" stroke=\"#808080\" "
                        "stroke-opacity=\"0.35\"/>\n",
                        x, y, kCellWidth, kCellHeight, share);
  const int64_t percent = std::lround(100 * share);
  if (percent == 0) return;
  absl::StrAppendFormat(svg,
                        "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.0f\" "
                        "text-anchor=\"middle\"%s>%d</text>\n",
                        share > kDarkShare ? "on-dark" : "ink", x + kCellWidth / 2,
                        y + kCellHeight / 2 + kNumberSize * 0.36, kNumberSize,
                        share > kDarkShare ? " fill=\"#ffffff\"" : "", percent);
}

void AppendMap(const HeatMap& map, const Layout& layout, std::string* svg) {
  double y = kFontSize;
  for (const std::string& line : layout.title) {
    AppendText(0, y, "", line, svg);
    y += kLineHeight;
  }
  for (size_t column = 0; column < map.columns.size(); ++column) {
    const double middle = layout.left + kCellWidth * (static_cast<double>(column) + 0.5);
    AppendColumnLabel(middle, layout.top - kGap, layout.slanted, map.columns[column], svg);
  }
  for (size_t row = 0; row < map.rows.size(); ++row) {
    const double top = layout.top + kCellHeight * static_cast<double>(row);
    AppendText(layout.left - kGap, top + kCellHeight / 2 + kFontSize * 0.36, " text-anchor=\"end\"",
               map.rows[row], svg);
    for (size_t column = 0; column < map.columns.size(); ++column) {
      AppendCell(layout.left + kCellWidth * static_cast<double>(column), top,
                 map.share(row, column), svg);
    }
  }
}

}  // namespace

std::string FormatSvg(absl::Span<const HeatMap> maps) {
  double width = 0;
  double height = kMargin;
  std::string body;
  for (const HeatMap& map : maps) {
    const Layout layout(map);
    absl::StrAppendFormat(&body, "<g transform=\"translate(%.1f %.1f)\">\n", kMargin, height);
    AppendMap(map, layout, &body);
    body += "</g>\n";
    width = std::max(width, layout.width);
    height += layout.height + 2 * kMargin;
  }
  width += 2 * kMargin;
  const std::string title = maps.empty() ? "No sentence" : Escaped(maps[0].title);
  // The attributes are for programs without CSS; the style sheet is for dark themes.
  return absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
      "viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-family=\"system-ui, 'Noto Sans', sans-serif\" "
      "font-size=\"%.0f\" fill=\"#1a1a1a\">\n"
      "<title>%s</title>\n"
      "<style>@media (prefers-color-scheme: dark) { .ink { fill: #f0f0f0; } }</style>\n"
      "%s</svg>\n",
      width, height, width, height, kFontSize, title, body);
}

}  // namespace limpid::internal

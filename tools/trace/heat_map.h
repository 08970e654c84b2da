// A labelled matrix of shares, drawn for a terminal or as SVG.

#ifndef LIMPID_TOOLS_TRACE_HEAT_MAP_H_
#define LIMPID_TOOLS_TRACE_HEAT_MAP_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "tools/terminal.h"

namespace limpid::internal {

struct HeatMap {
  std::string title;                 // describes what is shown
  std::vector<std::string> rows;     // labels, valid UTF-8
  std::vector<std::string> columns;  // labels, valid UTF-8
  std::vector<float> shares;         // [rows, columns], from 0 to 1

  float share(size_t row, size_t column) const { return shares[row * columns.size() + column]; }
};

// Draws the map as text, with shares in percent and without the title. Larger shares are brighter,
// or without colour, have marks from "." to "@". Columns that do not fit the terminal follow below,
// with the row labels repeated.
std::string FormatHeatMap(const HeatMap& map, const Terminal& terminal);

// Draws the maps with their titles, one below the other, as one SVG image. It has no background and
// adapts to the viewer's light or dark theme; its text can be selected.
std::string FormatSvg(absl::Span<const HeatMap> maps);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_HEAT_MAP_H_

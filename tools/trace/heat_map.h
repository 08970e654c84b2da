// A labelled matrix of shares as a picture: for a terminal, and as SVG.

#ifndef LIMPID_TOOLS_TRACE_HEAT_MAP_H_
#define LIMPID_TOOLS_TRACE_HEAT_MAP_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "tools/terminal.h"

namespace limpid::internal {

struct HeatMap {
  std::string title;                 // a sentence that says what is shown
  std::vector<std::string> rows;     // their labels, valid UTF-8
  std::vector<std::string> columns;  // the same
  std::vector<float> shares;         // [rows, columns], from 0 to 1

  float share(size_t row, size_t column) const { return shares[row * columns.size() + column]; }
};

// The map as lines of text, shares in percent, without the title. In colour, a cell is the brighter
// the larger its share; without, marks from "." to "@" take the place of brightness. Columns that
// do not fit the terminal follow below, with the rows' labels again.
std::string FormatHeatMap(const HeatMap& map, const Terminal& terminal);

// The maps one below the other as one SVG image, titles included. It has no background and follows
// the reader's choice of light or dark; text stays text.
std::string FormatSvg(absl::Span<const HeatMap> maps);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_HEAT_MAP_H_

// A trace as text: a heat map and the alignment in words.

#ifndef LIMPID_TOOLS_TRACE_SUMMARY_H_
#define LIMPID_TOOLS_TRACE_SUMMARY_H_

#include <string>

#include "absl/types/span.h"
#include "tools/terminal.h"
#include "tools/trace/data.h"
#include "tools/trace/heat_map.h"

namespace limpid::internal {

// For each sentence: source, translation, heat map, the largest shares of each target word, and the
// alignment's links. `maps` has one map per sentence.
std::string FormatSummary(absl::Span<const AlignedTrace> sentences, absl::Span<const HeatMap> maps,
                          const Terminal& terminal);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_SUMMARY_H_

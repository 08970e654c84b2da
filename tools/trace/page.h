// A trace as one HTML file that shows it: no network, no framework, opens from disk.
//
// The page is in tools/trace/page/: page.html, page.css and the scripts, which embed.cmake combines
// at build time. This file adds the data.

#ifndef LIMPID_TOOLS_TRACE_PAGE_H_
#define LIMPID_TOOLS_TRACE_PAGE_H_

#include <string>

#include "absl/types/span.h"
#include "limpid/alignment.h"
#include "limpid/trace.h"

namespace limpid::internal {

// Returns the page. `alignments` has one per trace, made with `options`, which the page shows
// first. The traces must hold the cross-attention of every layer; the page leaves out other parts
// that were not recorded.
//
// To keep the page small, numbers have the precision that it shows: weights are in thousandths,
// scores and norms in hundredths, vectors in int8.
std::string FormatTracePage(absl::Span<const SentenceTrace> traces,
                            absl::Span<const Alignment> alignments,
                            const AlignmentOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_PAGE_H_

// A trace as one HTML file that shows it: no network, no framework, opens from disk.
//
// The page itself is tools/trace/page/: page.html, page.css and the scripts, put together at build
// time by embed.cmake. This file adds the data.

#ifndef LIMPID_TOOLS_TRACE_TRACE_PAGE_H_
#define LIMPID_TOOLS_TRACE_TRACE_PAGE_H_

#include <string>

#include "absl/types/span.h"
#include "limpid/alignment.h"
#include "limpid/trace.h"

namespace limpid::internal {

// Returns the page. `alignments` has one a trace, made with `options`: what the page first shows of
// it. The traces hold the cross-attention of every layer; other parts that were not recorded are
// not shown.
//
// Numbers are held at the precision at which the page shows them, so that a page stays small:
// weights in thousandths, scores and norms in hundredths, vectors in 8 bits a number.
std::string FormatTracePage(absl::Span<const SentenceTrace> traces,
                            absl::Span<const Alignment> alignments,
                            const AlignmentOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_TRACE_PAGE_H_

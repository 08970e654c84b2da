// Traces as data for other programs: JSON, and NumPy arrays. TRACE_FORMAT.md documents both.

#ifndef LIMPID_TOOLS_TRACE_TRACE_DATA_H_
#define LIMPID_TOOLS_TRACE_TRACE_DATA_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "limpid/alignment.h"
#include "limpid/trace.h"

namespace limpid::internal {

// A traced sentence and the alignment of its words.
struct AlignedTrace {
  const SentenceTrace& trace;
  Alignment alignment;
};

// One JSON text, a line in itself. What is no finite number, such as the score of a key that a
// query must not see, is null.
std::string TracesAsJson(absl::Span<const AlignedTrace> sentences);

// Writes a zip archive of arrays that numpy.load reads without pickles; it appears whole or not at
// all. Scores of keys that a query must not see are minus infinity.
absl::Status WriteNpz(const std::string& path, absl::Span<const AlignedTrace> sentences);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_TRACE_DATA_H_

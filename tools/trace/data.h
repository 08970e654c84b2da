// Writes traces as JSON and NumPy arrays, as documented in TRACE_FORMAT.md.

#ifndef LIMPID_TOOLS_TRACE_DATA_H_
#define LIMPID_TOOLS_TRACE_DATA_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "limpid/alignment.h"
#include "limpid/trace.h"

namespace limpid::internal {

// A traced sentence and its word alignment.
struct AlignedTrace {
  const SentenceTrace& trace;
  Alignment alignment;
};

// Returns one line of JSON. Values that are not finite, such as masked scores, are null.
std::string TracesAsJson(absl::Span<const AlignedTrace> sentences);

// Writes a zip archive of arrays that numpy.load reads without pickles. Masked scores are minus
// infinity. On failure, no file is left.
absl::Status WriteNpz(const std::string& path, absl::Span<const AlignedTrace> sentences);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_DATA_H_

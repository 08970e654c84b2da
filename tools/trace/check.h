// Checks that the recorded weights and context of each attention follow from its recorded queries,
// keys and values.

#ifndef LIMPID_TOOLS_TRACE_CHECK_H_
#define LIMPID_TOOLS_TRACE_CHECK_H_

#include <string>

#include "absl/types/span.h"
#include "limpid/trace.h"

namespace limpid::internal {

struct TraceReport {
  std::string text;   // one line per identity, with the largest error and where it occurs
  bool holds = true;  // false also if there was nothing to check
};

// The attentions in `traces` must have weights, projections and context. Checks in double
// precision, for each attention, layer, head and step:
//   weights = softmax(Q Kᵀ / √head_dim) over the visible keys   within 1e-5
//   context = weights · V                                       within 1e-5 · max(1, |V|)
//   each row of weights sums to 1                               within 1e-5
//   masked weights are 0                                        exactly
// Reports identities without data as skipped, such as masked weights without decoder
// self-attention.
TraceReport CheckTraces(absl::Span<const SentenceTrace> traces);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_CHECK_H_

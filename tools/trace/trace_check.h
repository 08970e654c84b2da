// Checks that a trace holds together: that what was recorded of an attention follows from its
// recorded queries, keys and values.

#ifndef LIMPID_TOOLS_TRACE_TRACE_CHECK_H_
#define LIMPID_TOOLS_TRACE_TRACE_CHECK_H_

#include <string>

#include "absl/types/span.h"
#include "limpid/trace.h"

namespace limpid::internal {

struct TraceReport {
  std::string text;   // a line an identity, with the largest error and where it is
  bool holds = true;  // false, too, where there was nothing to check
};

// `traces` must hold weights, projections and context of all attentions that they hold. Computes in
// double, for each attention, layer, head and step:
//   weights = softmax(Q Kᵀ / √head_dim), over the keys that the query may see   within 1e-5
//   context = weights · V                                                      within 1e-5 · max
//   |V| each row of weights sums to 1                                              within 1e-5
//   weights of keys that a query must not see are 0                            exactly
// An identity of which the traces have nothing, such as masked weights without a decoder's
// self-attention, is reported as such.
TraceReport CheckTraces(absl::Span<const SentenceTrace> traces);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_TRACE_CHECK_H_

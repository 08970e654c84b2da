// Explains the arithmetic of one row of attention with the numbers of a trace.

#ifndef LIMPID_TOOLS_TRACE_EXPLAIN_H_
#define LIMPID_TOOLS_TRACE_EXPLAIN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "limpid/trace.h"
#include "tools/trace/attention_map.h"

namespace limpid::internal {

// Explains how one head of the chosen attention computes its output for `word`, in lines of about
// `width` columns: where Q, K and V come from, the scores, the softmax, the weighted sum of values,
// and each head's part of the output. FindWord (attention_row.h) finds the word; of a word with
// several pieces, this shows the row of the first.
//
// The traces must hold everything of the choice's kind. Fails with InvalidArgument if there is no
// such word, layer or head.
absl::StatusOr<std::string> Explain(absl::Span<const SentenceTrace> traces,
                                    const AttentionChoice& choice, const std::string& word,
                                    int width);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_EXPLAIN_H_

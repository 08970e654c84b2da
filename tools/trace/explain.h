// The arithmetic of one row of attention, with the numbers of a trace, in words.

#ifndef LIMPID_TOOLS_TRACE_EXPLAIN_H_
#define LIMPID_TOOLS_TRACE_EXPLAIN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "limpid/trace.h"
#include "tools/trace/attention_map.h"

namespace limpid::internal {

// Tells how one head of the chosen attention comes to what it adds for `word`, in lines of about
// `width` columns: where Q, K and V come from, the scores, their softmax, the values mixed, and
// what each head has of the output. `word` is a word of the source for encoder self-attention, else
// of the translation; or one of its pieces, as the vocabulary has it. The first of several is
// taken; "WORD:2" is the second. A word of several pieces has several rows: its first piece's is
// shown.
//
// The traces must hold everything of the choice's kind. Fails with InvalidArgument where there is
// no such word, listing those that there are, or no such layer or head.
absl::StatusOr<std::string> Explain(absl::Span<const SentenceTrace> traces,
                                    const AttentionChoice& choice, const std::string& word,
                                    int width);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_EXPLAIN_H_

// One row of attention in a trace: which one a word means, and its numbers.

#ifndef LIMPID_TOOLS_TRACE_ATTENTION_ROW_H_
#define LIMPID_TOOLS_TRACE_ATTENTION_ROW_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "limpid/trace.h"

namespace limpid::internal {

// Returns the side whose words name the rows of this kind of attention.
const TracedSide& QuerySide(const SentenceTrace& trace, AttentionKind kind);

struct TokenPosition {
  size_t sentence = 0;
  int token = 0;
};

// Finds the first token of the word `text` of QuerySide, or a piece of one. "WORD:2" is the second
// occurrence. Fails with InvalidArgument if there is no such word, listing those that there are.
absl::StatusOr<TokenPosition> FindWord(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                                       const std::string& text);

// A view of what one head does for one query. The trace must outlive it.
class AttentionRow {
 public:
  using Numbers = absl::Span<const float>;

  AttentionRow(const SentenceTrace& trace, const AttentionTrace& attention, int head, int query)
      : trace_(trace), attention_(attention), head_(head), query_(query) {}

  const SentenceTrace& trace() const { return trace_; }
  const AttentionTrace& attention() const { return attention_; }
  AttentionKind kind() const { return attention_.id.kind; }
  int head() const { return head_; }
  int query() const { return query_; }
  int heads() const { return static_cast<int>(attention_.heads.size()); }
  int visible_keys() const;

  std::string KeyName(int key) const;
  float weight(int head, int key) const { return attention_.weight(head, query_, key); }
  float score(int key) const {
    return attention_.scores[Index(head_, query_, attention_.queries) * attention_.keys + key];
  }
  // [head_dim]
  Numbers q() const { return HeadVector(attention_.q, query_, attention_.queries); }
  Numbers k(int key) const { return HeadVector(attention_.k, key, attention_.keys); }
  Numbers v(int key) const { return HeadVector(attention_.v, key, attention_.keys); }
  Numbers context() const { return HeadVector(attention_.context, query_, attention_.queries); }
  // [model_dim]: the output of all heads and the bias, and of one head alone.
  Numbers output() const;
  Numbers head_output(int head) const;

 private:
  static size_t Index(int head, int row, int rows) {
    return static_cast<size_t>(head) * rows + row;
  }
  Numbers HeadVector(const std::vector<float>& all, int row, int rows) const {
    const size_t head_dim = attention_.head_dim;
    return Numbers(all).subspan(Index(head_, row, rows) * head_dim, head_dim);
  }

  const SentenceTrace& trace_;
  const AttentionTrace& attention_;
  int head_;
  int query_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_ATTENTION_ROW_H_

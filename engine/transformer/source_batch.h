// Source sentences that are translated together, packed without padding.

#ifndef LIMPID_ENGINE_TRANSFORMER_SOURCE_BATCH_H_
#define LIMPID_ENGINE_TRANSFORMER_SOURCE_BATCH_H_

#include <cassert>
#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace limpid::internal {

// Sentences begin … end - 1 of a batch.
struct SentenceRange {
  int begin = 0;
  int end = 0;
};

// Token ids. Sentence s has tokens begin(s) … begin(s + 1) - 1.
class SourceBatch {
 public:
  void Clear() {
    ids_.clear();
    sentences_.clear();
    begins_.assign(1, 0);
  }
  // `ids` must not be empty: attention over no keys is undefined.
  void Add(absl::Span<const int> ids) {
    assert(!ids.empty());
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    sentences_.resize(ids_.size(), sentences());
    begins_.push_back(static_cast<int>(ids_.size()));
  }
  int sentences() const { return static_cast<int>(begins_.size()) - 1; }
  int tokens() const { return static_cast<int>(ids_.size()); }
  int id(int token) const { return ids_[token]; }
  absl::Span<const int> ids(int sentence) const {
    return absl::MakeConstSpan(ids_).subspan(begin(sentence), length(sentence));
  }
  int sentence(int token) const { return sentences_[token]; }
  int begin(int sentence) const { return begins_[sentence]; }
  int length(int sentence) const { return begins_[sentence + 1] - begins_[sentence]; }

 private:
  std::vector<int> ids_;           // [tokens]
  std::vector<int> sentences_;     // [tokens]: the sentence of each token
  std::vector<int> begins_ = {0};  // [sentences + 1]
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_SOURCE_BATCH_H_

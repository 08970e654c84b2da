// The source sentences that are translated together.

#ifndef LIMPID_ENGINE_TRANSFORMER_SOURCE_BATCH_H_
#define LIMPID_ENGINE_TRANSFORMER_SOURCE_BATCH_H_

#include <cassert>
#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace limpid::internal {

// Sentences of token ids, packed: sentence s is the tokens from begin(s) to begin(s + 1).
class SourceBatch {
 public:
  void Clear() {
    ids_.clear();
    sentences_.clear();
    begins_.assign(1, 0);
  }
  // `ids` has at least one: attention over nothing is not defined.
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
    return {&ids_[begin(sentence)], static_cast<size_t>(length(sentence))};
  }
  int sentence(int token) const { return sentences_[token]; }  // the one that the token is part of
  int begin(int sentence) const { return begins_[sentence]; }
  int length(int sentence) const { return begins_[sentence + 1] - begins_[sentence]; }

 private:
  std::vector<int> ids_;
  std::vector<int> sentences_;
  std::vector<int> begins_ = {0};
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRANSFORMER_SOURCE_BATCH_H_

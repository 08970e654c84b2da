#include "engine/transformer/cache.h"

namespace limpid::internal {

void SelfAttentionCache::Reset(int layers, int model_dim, int hypotheses) {
  model_dim_ = model_dim;
  // Rows a power of two apart would map to the same few sets of the processor's cache.
  constexpr size_t kCacheLine = 64 / sizeof(float);
  row_size_ = static_cast<size_t>(layers) * 2 * model_dim + kCacheLine;
  used_rows_ = 0;
  if (tokens_.size() < static_cast<size_t>(hypotheses)) tokens_.resize(hypotheses);
  for (std::vector<float*>& tokens : tokens_) tokens.clear();
}

void SelfAttentionCache::Append(int hypothesis) {
  const size_t block = used_rows_ / kRowsPerBlock;
  if (block == blocks_.size()) blocks_.emplace_back();
  blocks_[block].Reserve(kRowsPerBlock * row_size_);
  tokens_[hypothesis].push_back(blocks_[block].data() + used_rows_ % kRowsPerBlock * row_size_);
  ++used_rows_;
}

void SelfAttentionCache::Reorder(int first, absl::Span<const int> parents) {
  if (reordered_.size() < parents.size()) reordered_.resize(parents.size());
  for (size_t i = 0; i < parents.size(); ++i) {
    const std::vector<float*>& tokens = tokens_[first + parents[i]];
    reordered_[i].assign(tokens.begin(), tokens.end());
  }
  for (size_t i = 0; i < parents.size(); ++i) tokens_[first + i].swap(reordered_[i]);
}

}  // namespace limpid::internal

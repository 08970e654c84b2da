#include "engine/text/batching.h"

#include <algorithm>
#include <cstddef>

#include "engine/search/decoding.h"

namespace limpid::internal {
namespace {

struct BatchLimits {
  size_t sentences;
  size_t tokens;
};

BatchLimits LimitsOf(const TranslateOptions& options) {
  const int width = SearchWidth(options.search);
  if (options.batch_tokens > 0) {
    const size_t tokens = std::max(1, options.batch_tokens / width);
    return {tokens, tokens};
  }
  const int tokens =
      kTypicalTokens * std::min(options.batch_size, kMaxBatchSourceTokens / kTypicalTokens);
  return {static_cast<size_t>(std::max(1, options.batch_size / width)),
          static_cast<size_t>(std::max(1, tokens / width))};
}

}  // namespace

std::vector<Batch> MakeBatches(absl::Span<Document> documents, const TranslateOptions& options) {
  std::vector<Segment*> segments;
  for (Document& document : documents) {
    for (Segment& segment : document.segments) segments.push_back(&segment);
  }
  std::stable_sort(segments.begin(), segments.end(), [](const Segment* a, const Segment* b) {
    return a->source.size() > b->source.size();
  });
  const BatchLimits max = LimitsOf(options);
  std::vector<Batch> batches;
  size_t tokens = 0;  // of the last batch
  for (Segment* segment : segments) {
    tokens += segment->source.size();
    if (batches.empty() || batches.back().size() == max.sentences || tokens > max.tokens) {
      batches.emplace_back();
      tokens = segment->source.size();
    }
    batches.back().push_back(segment);
  }
  return batches;
}

}  // namespace limpid::internal

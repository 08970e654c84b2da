// Groups segments into batches that are translated together.

#ifndef LIMPID_ENGINE_TEXT_BATCHING_H_
#define LIMPID_ENGINE_TEXT_BATCHING_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/text/document.h"
#include "limpid/translate_options.h"

namespace limpid::internal {

using Batch = std::vector<Segment*>;

// Maximum source tokens per batch if batch_size limits it; bounds a batch's memory.
inline constexpr int kMaxBatchSourceTokens = 4096;
// Source tokens of a typical sentence. Batches of longer ones have fewer sentences.
inline constexpr int kTypicalTokens = 12;

// Groups the segments of all documents by length, longest first: their batches take longest, and
// one that started last would delay the end of the call.
std::vector<Batch> MakeBatches(absl::Span<Document> documents, const TranslateOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_BATCHING_H_

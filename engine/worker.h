// Translates or scores one batch at a time.

#ifndef LIMPID_ENGINE_WORKER_H_
#define LIMPID_ENGINE_WORKER_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "engine/model.h"
#include "engine/search/stop_condition.h"
#include "engine/searcher.h"
#include "engine/text/batching.h"
#include "engine/trace/tracer.h"
#include "limpid/translate_options.h"

namespace limpid::internal {

// A call's request, the same for all its batches.
struct Task {
  TranslateOptions options;
  // The text in options.search as token ids.
  TokenConstraints constraints = {};
  std::vector<int> prefix = {};

  StopCondition stop() const { return {options.stop, options.deadline}; }
};

// Keeps its buffers between batches. Not thread-safe.
class Worker {
 public:
  explicit Worker(const Model& model)
      : model_(model),
        searcher_(model.transformer, model.fast_output.has_value() ? &*model.fast_output : nullptr),
        tracer_(model.transformer) {}

  // Finds one or more hypotheses for each segment. If a trace is requested, records it in a second
  // run, so that a traced translation equals the untraced one to the last bit.
  absl::Status Translate(const Batch& batch, const Task& task);

  // Scores the given hypothesis of each segment.
  absl::Status Score(const Batch& batch, const Task& task);

  // The maximum number of tokens that the encoder or the decoder has held at once: the size to
  // which the buffers have grown.
  size_t max_tokens() const { return max_tokens_; }

 private:
  absl::Status Search(const Batch& batch, const Task& task);
  absl::Status Force(const Batch& batch, const Task& task);
  absl::Status Occlude(Segment& segment, const Task& task);
  std::vector<int> LikelyTokens(const Batch& batch, const Task& task) const;
  void CountTokens(const Batch& batch, const Task& task);

  const Model& model_;
  Searcher searcher_;
  Tracer tracer_;
  SourceBatch source_;
  size_t max_tokens_ = 0;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_WORKER_H_

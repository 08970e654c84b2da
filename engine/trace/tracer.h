// Scores and traces translations by teacher forcing: runs the model over sentence pairs, all target
// tokens of a pair in one decoder step. A translation that search found is traced afterwards in the
// same way, so that the trace does not depend on the search and search has no tracing overhead.

#ifndef LIMPID_ENGINE_TRACE_TRACER_H_
#define LIMPID_ENGINE_TRACE_TRACER_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/transformer/transformer.h"
#include "limpid/trace.h"

namespace limpid::internal {

// The result of teacher forcing on one sentence pair. Prediction::piece is empty until
// text/assemble.cc fills it in.
struct TeacherForcing {
  std::vector<float> log_probabilities;              // [target tokens]
  std::vector<AttentionTrace> attentions;            // as requested
  std::vector<std::vector<Prediction>> predictions;  // [target tokens][request.predictions]
  std::vector<float> occlusion;  // as in SentenceTrace; filled by Worker::Occlude
};

// Keeps its memory between batches. Not thread-safe.
class Tracer {
 public:
  explicit Tracer(const Transformer& transformer) : transformer_(transformer) {}

  // Returns the results [sentences]. `targets` [sentences] has target ids, with </s> if it is to be
  // scored. Neither side may be longer than config.max_positions. If `request` is null, computes
  // only log-probabilities.
  std::vector<TeacherForcing> Run(const SourceBatch& source,
                                  absl::Span<const absl::Span<const int>> targets,
                                  const TraceRequest* request);

 private:
  void Collect(const Matrix& all_logits, absl::Span<const absl::Span<const int>> targets,
               int predictions, std::vector<TeacherForcing>& results);

  const Transformer& transformer_;
  Execution exec_;
  CrossAttentionCache cross_cache_;
  SelfAttentionCache self_cache_;
  ActiveVocabulary vocabulary_;  // whole
  std::vector<DecoderInput> inputs_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRACE_TRACER_H_

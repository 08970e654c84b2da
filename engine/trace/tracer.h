// Records what attention does, and scores given translations: the model is run over sentence pairs,
// all target tokens of a pair in one decoder step ("teacher forcing"). A translation that was
// searched for is traced in the same way, once it is found; so a trace is the same whatever search
// found the target, and searching costs nothing for it.

#ifndef LIMPID_ENGINE_TRACE_TRACER_H_
#define LIMPID_ENGINE_TRACE_TRACER_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/transformer/transformer.h"
#include "limpid/trace.h"

namespace limpid::internal {

// What teacher forcing of one sentence pair gives. Ids take the place of pieces: text/assemble.h
// knows text.
struct TeacherForcing {
  std::vector<float> log_probabilities;              // [target tokens]
  std::vector<AttentionTrace> attentions;            // as requested
  std::vector<std::vector<Prediction>> predictions;  // [target tokens][request.predictions]
  std::vector<float> occlusion;  // as in SentenceTrace; filled by Worker::Occlude
};

// One worker's; not thread-safe.
class Tracer {
 public:
  explicit Tracer(const Transformer& transformer) : transformer_(transformer) {}

  // `targets` has the target ids of each source sentence, </s> included where it is to be scored.
  // Neither side may be longer than config.max_positions. Without a request only scores are
  // computed.
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
  ActiveVocabulary vocabulary_;  // the whole
  std::vector<DecoderInput> inputs_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TRACE_TRACER_H_

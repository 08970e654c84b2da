// The result, the request and the state of every search.

#ifndef LIMPID_ENGINE_SEARCH_DECODING_H_
#define LIMPID_ENGINE_SEARCH_DECODING_H_

#include <algorithm>
#include <vector>

#include "absl/types/span.h"
#include "engine/search/logits_processor.h"
#include "engine/search/stop_condition.h"
#include "engine/transformer/transformer.h"
#include "limpid/search_options.h"

namespace limpid::internal {

// Target ids, including the prefix, and the model's log-probability of each, which options that
// process logits do not change.
struct Hypothesis {
  std::vector<int> ids = {};
  std::vector<float> log_probabilities = {};
  // In beam search, ranks hypotheses: see SearchOptions::beam_size. Otherwise the sum of
  // log_probabilities.
  double score = 0;
  bool finished = false;    // false: cut off before an end token
  int alternative_at = -1;  // position at which the alternatives have different tokens; -1: none

  // Resets everything, but keeps the memory.
  void Clear() {
    ids.clear();
    log_probabilities.clear();
    score = 0;
    finished = false;
    alternative_at = -1;
  }
};

// The hypotheses of one sentence, the best first; samples in the order in which they were drawn.
using Hypotheses = std::vector<Hypothesis>;

// Whether more than one hypothesis per sentence is requested.
inline bool WantsSeveral(const SearchOptions& options) {
  return options.nbest > 1 || options.alternatives > 0;
}

// The maximum number of a sentence's hypotheses in the decoder at a time.
inline int SearchWidth(const SearchOptions& options) {
  return std::max({options.beam_size, options.nbest, options.alternatives, 1});
}

// How to search. The caller owns everything.
struct SearchRequest {
  const SearchOptions& options;
  const TokenConstraints& constraints;
  // [sentences]: the tokens that each translation starts with; empty: no prefixes.
  absl::Span<const absl::Span<const int>> prefixes = {};
  StopCondition stop = {};

  // Searches check this before each decoder step. If true, they end; do not use their result.
  bool ShouldStop() const { return stop.ShouldStop(); }

  absl::Span<const int> prefix(int sentence) const {
    return prefixes.empty() ? absl::Span<const int>() : prefixes[sentence];
  }
  // The maximum length of a sentence's translation in tokens.
  int MaxTokens(int source_tokens, int sentence, const ModelConfig& config) const {
    const int prefix_tokens = static_cast<int>(prefix(sentence).size());
    const int by_source =
        std::max(3 * source_tokens + 20 + prefix_tokens, options.min_output_tokens + 1);
    const int max_tokens = options.max_output_tokens > 0 ? options.max_output_tokens : by_source;
    return std::min(max_tokens, config.max_positions);
  }
};

// One thread's search state. Kept between batches so that a warm step allocates nothing.
struct DecodingState {
  Execution exec;
  CrossAttentionCache cross_cache;
  SelfAttentionCache self_cache;
  ActiveVocabulary vocabulary;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_DECODING_H_

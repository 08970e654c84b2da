// What every way of searching works on, and what it finds.

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

// Target ids and the logarithm of each one's probability, as the model has it: options that change
// scores for the sake of the search do not show here. Prefix included.
struct Hypothesis {
  std::vector<int> ids = {};
  std::vector<float> log_probabilities = {};
  // What it is ranked by: see SearchOptions::beam_size. Without a beam, the sum of
  // log_probabilities.
  double score = 0;
  bool finished = false;    // by </s> or the like; else it was cut off
  int alternative_at = -1;  // which of its tokens is an alternative to those of its neighbours

  // Back to no tokens. Memory is kept.
  void Clear() {
    ids.clear();
    log_probabilities.clear();
    score = 0;
    finished = false;
    alternative_at = -1;
  }
};

// Of one sentence, the best first.
using Hypotheses = std::vector<Hypothesis>;

// Whether more than one hypothesis a sentence is asked for.
inline bool WantsSeveral(const SearchOptions& options) {
  return options.nbest > 1 || options.alternatives > 0;
}

// How many hypotheses a sentence has in the decoder at a time, at most.
inline int SearchWidth(const SearchOptions& options) {
  return std::max({options.beam_size, options.nbest, options.alternatives, 1});
}

// How to search. What it refers to is the caller's.
struct SearchRequest {
  const SearchOptions& options;
  const TokenConstraints& constraints;
  // What each sentence's translation starts with; no spans at all: with anything.
  absl::Span<const absl::Span<const int>> prefixes = {};
  StopCondition stop = {};

  // Checked before each decoder step. If true, the search ends and its result is not used.
  bool ShouldStop() const { return stop.ShouldStop(); }

  absl::Span<const int> prefix(int sentence) const {
    return prefixes.empty() ? absl::Span<const int>() : prefixes[sentence];
  }
  // The most tokens of a sentence's translation.
  int MaxTokens(int source_tokens, int sentence, const ModelConfig& config) const {
    const int prefix_tokens = static_cast<int>(prefix(sentence).size());
    const int by_source =
        std::max(3 * source_tokens + 20 + prefix_tokens, options.min_output_tokens + 1);
    const int most = options.max_output_tokens > 0 ? options.max_output_tokens : by_source;
    return std::min(most, config.max_positions);
  }
};

// The scratch memory of a batch's decoding.
struct DecodingState {
  Workspace work;
  Memory memory;
  SelfAttentionCache cache;
  std::vector<DecoderInput> inputs;  // of the next step: one for each live hypothesis
  Buffer<float> scores;              // [vocab]: a row of logits, processed
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_DECODING_H_

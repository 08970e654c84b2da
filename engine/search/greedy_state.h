// The hypotheses of searches in which they do not compete: greedy search, sampling, alternatives.

#ifndef LIMPID_ENGINE_SEARCH_GREEDY_STATE_H_
#define LIMPID_ENGINE_SEARCH_GREEDY_STATE_H_

#include <optional>
#include <vector>

#include "engine/search/decoding.h"
#include "engine/search/logits_processor.h"

namespace limpid::internal {

struct NextToken {
  int token = -1;  // -1: no token may follow
  float log_probability = 0;
};

// Keeps its memory between batches. Not thread-safe.
class GreedyState {
 public:
  // Starts one hypothesis without tokens per sentence, or options.nbest when sampling. `request`,
  // `config` and `found` must outlive the search.
  void Start(const SourceBatch& source, const SearchRequest& request, const ModelConfig& config,
             SelfAttentionCache& cache, std::vector<Hypotheses>& found);

  bool done() const { return inputs_.empty(); }
  // Of the current step: one for each live hypothesis.
  const std::vector<DecoderInput>& inputs() const { return inputs_; }

  // Appends a token to the hypothesis of this input. Unless that ends the hypothesis, the token
  // becomes an input of the next step.
  void Extend(DecoderInput input, NextToken next);
  void BeginNextStep();
  void DiscardNextInputs() { next_inputs_.clear(); }

  // Whether `token`, chosen after this input, ends the hypothesis: it is an end token after the
  // prefix, or reaches the maximum length.
  bool IsLast(int token, const DecoderInput& input) const;

  // Only valid during a search.
  const LogitsProcessor& processor() const { return *processor_; }

  // A sentence's hypotheses have consecutive indices in the cache, starting with this one.
  int first_hypothesis(int sentence) const { return sentence * width_; }
  Hypotheses& hypotheses(int sentence) { return (*found_)[sentence]; }
  Hypothesis& hypothesis(const DecoderInput& input) {
    return (*found_)[input.sentence][input.hypothesis - first_hypothesis(input.sentence)];
  }

 private:
  bool IsEnd(int token, const DecoderInput& input) const;

  const SearchRequest* request_ = nullptr;
  std::optional<LogitsProcessor> processor_;
  std::vector<Hypotheses>* found_ = nullptr;  // [sentences]
  int width_ = 1;                             // the maximum number of hypotheses of a sentence
  std::vector<int> max_tokens_;               // [sentences]
  std::vector<DecoderInput> inputs_;
  std::vector<DecoderInput> next_inputs_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_GREEDY_STATE_H_

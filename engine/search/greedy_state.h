// The hypotheses of a search in which they do not compete: greedy search, sampling, alternatives.

#ifndef LIMPID_ENGINE_SEARCH_GREEDY_STATE_H_
#define LIMPID_ENGINE_SEARCH_GREEDY_STATE_H_

#include <vector>

#include "engine/search/decoding.h"

namespace limpid::internal {

struct NextToken {
  int token = -1;  // -1: no token may come next
  float log_probability = 0;
};

// Keeps its memory between batches. Not thread-safe.
class GreedyState {
 public:
  // Starts a hypothesis without tokens for each sentence, or options.nbest when sampling. The
  // arguments must outlive the search.
  void Start(const SourceBatch& source, const SearchRequest& request, const ModelConfig& config,
             SelfAttentionCache& cache, std::vector<Hypotheses>& found);

  bool done() const { return inputs_.empty(); }
  // Of the step under way: one for each live hypothesis.
  const std::vector<DecoderInput>& inputs() const { return inputs_; }

  // Appends a token to the hypothesis that has this input. Unless that ends it, the token is an
  // input of the next step.
  void Extend(DecoderInput input, NextToken next);
  void BeginNextStep();
  void DiscardNextInputs() { next_inputs_.clear(); }

  // Whether no token may follow `token` in this position of the sentence's translation.
  bool IsLast(int token, int position, int sentence) const;

  // Hypotheses of a sentence have consecutive indices in the cache, from this one on.
  int first_hypothesis(int sentence) const { return sentence * width_; }
  Hypotheses& hypotheses(int sentence) { return (*found_)[sentence]; }
  Hypothesis& hypothesis(const DecoderInput& input) {
    return (*found_)[input.sentence][input.hypothesis - first_hypothesis(input.sentence)];
  }

 private:
  const SearchRequest* request_ = nullptr;
  const ModelConfig* config_ = nullptr;
  std::vector<Hypotheses>* found_ = nullptr;  // [sentences]
  int width_ = 1;                             // the maximum number of hypotheses of a sentence
  std::vector<int> max_tokens_;               // [sentences]
  std::vector<DecoderInput> inputs_;
  std::vector<DecoderInput> next_inputs_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_GREEDY_STATE_H_

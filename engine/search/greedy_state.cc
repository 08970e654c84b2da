#include "engine/search/greedy_state.h"

namespace limpid::internal {

void GreedyState::Start(const SourceBatch& source, const SearchRequest& request,
                        const ModelConfig& config, SelfAttentionCache& cache,
                        std::vector<Hypotheses>& found) {
  request_ = &request;
  processor_.emplace(request.options, request.constraints, config);
  found_ = &found;
  width_ = SearchWidth(request.options);
  cache.Reset(config.decoder_layers, config.model_dim, source.sentences() * width_);
  const int hypotheses = request.options.temperature > 0 ? request.options.nbest : 1;
  found.resize(source.sentences());
  max_tokens_.clear();
  inputs_.clear();
  next_inputs_.clear();
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    max_tokens_.push_back(request.MaxTokens(source.length(sentence), sentence, config));
    found[sentence].resize(hypotheses);
    for (int i = 0; i < hypotheses; ++i) {
      found[sentence][i].Clear();
      inputs_.push_back({.token = config.decoder_start_id,
                         .position = 0,
                         .hypothesis = first_hypothesis(sentence) + i,
                         .sentence = sentence});
    }
  }
}

void GreedyState::Extend(DecoderInput input, NextToken next) {
  if (next.token < 0) return;  // no token may follow: cut off
  Hypothesis& extended = hypothesis(input);
  extended.ids.push_back(next.token);
  extended.log_probabilities.push_back(next.log_probability);
  extended.score += next.log_probability;

  extended.finished = IsEnd(next.token, input);
  if (IsLast(next.token, input)) return;
  input.token = next.token;
  ++input.position;
  next_inputs_.push_back(input);
}

void GreedyState::BeginNextStep() {
  inputs_.swap(next_inputs_);
  next_inputs_.clear();
}

bool GreedyState::IsEnd(int token, const DecoderInput& input) const {
  const bool in_prefix =
      static_cast<size_t>(input.position) < request_->prefix(input.sentence).size();
  return !in_prefix && processor_->IsEnd(token);
}

bool GreedyState::IsLast(int token, const DecoderInput& input) const {
  return IsEnd(token, input) || input.position + 1 >= max_tokens_[input.sentence];
}

}  // namespace limpid::internal

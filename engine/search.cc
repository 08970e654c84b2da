#include "engine/search.h"

#include <algorithm>

namespace limpid {
namespace {

int OutputLimit(int source_tokens, const SearchOptions& options, const ModelConfig& config) {
  const int limit =
      options.max_output_tokens > 0 ? options.max_output_tokens : 3 * source_tokens + 20;
  return std::min(limit, config.max_positions);
}

}  // namespace

const std::vector<Hypothesis>& Searcher::Greedy(const SourceBatch& source,
                                                const SearchOptions& options) {
  transformer_.Encode(source, memory_, work_);
  Start(source);
  while (!live_.empty()) {
    transformer_.DecodeBest({live_, source, memory_, cache_}, LogSumExp::kCompute, work_);
    TakeBest(source, options);
  }
  return hypotheses_;
}

void Searcher::Start(const SourceBatch& source) {
  const ModelConfig& config = transformer_.config();
  cache_.Reset(config.decoder_layers, config.model_dim, source.sentences());
  hypotheses_.resize(source.sentences());
  live_.clear();
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    hypotheses_[sentence].ids.clear();
    hypotheses_[sentence].log_probabilities.clear();
    live_.push_back({.token = config.decoder_start_id,
                     .position = 0,
                     .hypothesis = sentence,
                     .sentence = sentence});
  }
}

// Extends each live hypothesis by its best token; those that are finished leave the batch.
void Searcher::TakeBest(const SourceBatch& source, const SearchOptions& options) {
  const ModelConfig& config = transformer_.config();
  size_t still_live = 0;
  for (size_t row = 0; row < live_.size(); ++row) {
    const Best& best = work_.best[row];
    DecoderInput next = live_[row];
    Hypothesis& hypothesis = hypotheses_[next.hypothesis];
    hypothesis.ids.push_back(best.index);
    hypothesis.log_probabilities.push_back(best.log_probability());

    next.token = best.index;
    ++next.position;
    const bool finished =
        best.index == config.target_eos_id ||
        next.position >= OutputLimit(source.length(next.sentence), options, config);
    if (!finished) live_[still_live++] = next;
  }
  live_.resize(still_live);
}

}  // namespace limpid

#include "engine/speed/fast_greedy.h"

#include <algorithm>

#include "engine/search/logits_processor.h"

namespace limpid::internal {
namespace {

// Verifying several drafts reads the output layer once; drafts after a wrong one are wasted work.
constexpr int kMaxDrafts = 12;

}  // namespace

bool FastGreedySearch::CanSearch(const SearchRequest& request) const {
  const SearchOptions& options = request.options;
  const bool has_prefix = std::any_of(request.prefixes.begin(), request.prefixes.end(),
                                      [](absl::Span<const int> prefix) { return !prefix.empty(); });
  return options.temperature == 0 && options.alternatives == 0 && !has_prefix &&
         !LogitsProcessor(options, request.constraints, transformer_.config()).changes_logits();
}

void FastGreedySearch::Search(const SourceBatch& source, const SearchRequest& request,
                              absl::Span<const int> candidates, DecodingState& state,
                              std::vector<Hypotheses>& found) {
  transformer_.Encode(source, state.cross_cache, state.exec);
  state_.Start(source, request, transformer_.config(), state.self_cache, found);
  log_sum_exp_ = request.options.log_probabilities ? LogSumExp::kCompute : LogSumExp::kLeaveOut;
  const bool drafts = source.sentences() == 1 && !candidates.empty() && output_.has_drafts();
  int max_drafts = kMaxDrafts;
  while (!state_.done() && !request.ShouldStop()) {
    if (drafts) {
      Draft(source, candidates, max_drafts, state);
      ArgMax(draft_outputs_, state);
      const int accepted = AcceptDrafts(state);
      // After a full success, drafts twice as many; otherwise, as many as were right.
      max_drafts =
          accepted == max_drafts ? std::min(2 * max_drafts, kMaxDrafts) : std::max(accepted, 1);
    } else {
      const DecoderStep step = {state_.inputs(), source, state.cross_cache, state.self_cache};
      ArgMax(transformer_.Step(step, state.exec), state);
      for (size_t row = 0; row < best_.size(); ++row) {
        state_.Extend(state_.inputs()[row], Next(static_cast<int>(row)));
      }
    }
    state_.BeginNextStep();
  }
}

// Steps the decoder up to `max_drafts` times, feeding each draft back as the next input, and keeps
// the outputs.
void FastGreedySearch::Draft(const SourceBatch& source, absl::Span<const int> candidates,
                             int max_drafts, DecodingState& state) {
  draft_outputs_.Resize(max_drafts, transformer_.config().model_dim);
  draft_inputs_.clear();
  drafts_.clear();
  DecoderInput input = state_.inputs().front();
  bool is_last = false;
  while (!is_last && static_cast<int>(drafts_.size()) < max_drafts) {
    const DecoderStep step = {{&input, 1}, source, state.cross_cache, state.self_cache};
    const float* output = transformer_.Step(step, state.exec).row(0);
    std::copy_n(output, draft_outputs_.columns(),
                draft_outputs_.row(static_cast<int>(drafts_.size())));
    draft_inputs_.push_back(input);
    drafts_.push_back(output_.Draft(output, candidates, scratch_));
    is_last = state_.IsLast(drafts_.back(), input);
    input.token = drafts_.back();
    ++input.position;
  }
  draft_outputs_.Truncate(static_cast<int>(drafts_.size()));
}

// Extends the hypothesis by the verified tokens, up to and including the first that differs from
// its draft. Returns the number of drafts accepted.
int FastGreedySearch::AcceptDrafts(DecodingState& state) {
  for (size_t i = 0; i < drafts_.size(); ++i) {
    state_.DiscardNextInputs();  // the previous draft is in the cache already
    state_.Extend(draft_inputs_[i], Next(static_cast<int>(i)));
    if (best_[i].index != drafts_[i]) {
      state.self_cache.Truncate(draft_inputs_[i].hypothesis, draft_inputs_[i].position + 1);
      return static_cast<int>(i);
    }
  }
  return static_cast<int>(drafts_.size());
}

// Fills best_ from the decoder's outputs [rows, model_dim].
void FastGreedySearch::ArgMax(const Matrix& output, DecodingState& state) {
  output_.ArgMax(output, state.vocabulary, log_sum_exp_, scratch_, best_, state.exec.gemm);
}

NextToken FastGreedySearch::Next(int row) const {
  return {best_[row].index, log_sum_exp_ == LogSumExp::kCompute ? best_[row].log_probability() : 0};
}

}  // namespace limpid::internal

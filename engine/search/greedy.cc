#include "engine/search/greedy.h"

#include <limits>

namespace limpid::internal {
namespace {

// The sampling key of one token. Does not depend on the rest of the batch.
uint64_t SampleKey(const SourceBatch& source, const DecoderInput& input, int sample,
                   uint64_t seed) {
  uint64_t key = seed;
  for (const int id : source.ids(input.sentence)) key = Hash(key, {id});
  return Hash(key, {sample, input.position});
}

// The position at which a sentence's hypothesis forks into alternatives.
int ForkPosition(const SearchRequest& request, int sentence) {
  if (request.options.alternatives_at >= 0) return request.options.alternatives_at;
  return static_cast<int>(request.prefix(sentence).size());
}

}  // namespace

void GreedySearch::Search(const SourceBatch& source, const SearchRequest& request,
                          DecodingState& state, std::vector<Hypotheses>& found) {
  transformer_.Encode(source, state.cross_cache, state.exec);
  state_.Start(source, request, transformer_.config(), state.self_cache, found);
  while (!state_.done() && !request.ShouldStop()) {
    const DecoderStep step = {state_.inputs(), source, state.cross_cache, state.self_cache};
    const Matrix& output = transformer_.Step(step, state.exec);
    const Matrix& logits = transformer_.Logits(output, state.vocabulary, state.exec);
    for (int row = 0; row < logits.rows(); ++row) {
      const DecoderInput input = state_.inputs()[row];
      if (request.options.alternatives > 0 &&
          input.position == ForkPosition(request, input.sentence)) {
        Fork(input, logits.row(row), request.options, state.self_cache);
      } else {
        state_.Extend(input, Choose(input, logits.row(row), source, request));
      }
    }
    state_.BeginNextStep();
  }
}

// Returns the prefix's token at this position, if any; otherwise the token that the options choose
// from `logits` [vocab], by default the most probable.
NextToken GreedySearch::Choose(const DecoderInput& input, const float* logits,
                               const SourceBatch& source, const SearchRequest& request) {
  const ModelConfig& config = transformer_.config();
  const MaxLogit best = ArgMax(logits, config.target_vocab_size);
  NextToken next = {best.index, 0};
  const absl::Span<const int> prefix = request.prefix(input.sentence);
  if (static_cast<size_t>(input.position) < prefix.size()) {
    next.token = prefix[input.position];
  } else if (request.options.temperature > 0 || state_.processor().changes_logits()) {
    next.token = ProcessedToken(input, logits, source, request.options);
  }
  if (next.token >= 0) next.log_probability = logits[next.token] - best.log_sum_exp;
  return next;
}

// Samples or takes the best of the processed logits. Returns -1 if the options allow no token.
int GreedySearch::ProcessedToken(const DecoderInput& input, const float* logits,
                                 const SourceBatch& source, const SearchOptions& options) {
  const int vocab = transformer_.config().target_vocab_size;
  if (state_.processor().changes_logits()) {
    logits = ProcessedLogits(logits, state_.hypothesis(input).ids);
  }
  if (options.temperature > 0) {
    const int sample = input.hypothesis - state_.first_hypothesis(input.sentence);
    return sampler_.Sample(absl::MakeConstSpan(logits, vocab), options,
                           SampleKey(source, input, sample, options.seed));
  }
  const MaxLogit best = ArgMax(logits, vocab);
  return best.logit == -std::numeric_limits<float>::infinity() ? -1 : best.index;
}

// Returns the logits [vocab] as the options change them after `ids`.
const float* GreedySearch::ProcessedLogits(const float* logits, absl::Span<const int> ids) {
  processed_logits_.Reserve(transformer_.config().target_vocab_size);
  state_.processor().Apply(logits, /*offset=*/0, ids, processed_logits_.data());
  return processed_logits_.data();
}

// Forks a hypothesis into several, one for each of the most probable next tokens.
void GreedySearch::Fork(const DecoderInput& input, const float* logits,
                        const SearchOptions& options, SelfAttentionCache& cache) {
  const int vocab = transformer_.config().target_vocab_size;
  Hypotheses& found = state_.hypotheses(input.sentence);
  alternatives_.Reset(options.alternatives);
  alternatives_.Offer(0, 0, ProcessedLogits(logits, found[0].ids), vocab);

  const int alternatives = static_cast<int>(alternatives_.best().size());
  if (alternatives == 0) return;  // no token may follow: cut off
  found[0].alternative_at = input.position;
  found.resize(alternatives, found[0]);
  const float log_sum_exp = ArgMax(logits, vocab).log_sum_exp;
  for (int i = 0; i < alternatives; ++i) {
    DecoderInput fork = input;
    fork.hypothesis += i;
    if (i > 0) cache.Fork(input.hypothesis, fork.hypothesis);
    const int token = alternatives_.best()[i].column;
    state_.Extend(fork, {token, logits[token] - log_sum_exp});
  }
}

}  // namespace limpid::internal

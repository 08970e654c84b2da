#include "engine/search/search.h"

#include <algorithm>
#include <limits>

namespace limpid::internal {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// Tokens drafted before they are checked. A check of several reads the output layer once; what was
// drafted behind a wrong token is lost.
constexpr int kMaxDrafts = 12;

uint64_t SampleKey(const SourceBatch& source, int sentence, uint64_t seed) {
  uint64_t key = seed;
  for (int i = 0; i < source.length(sentence); ++i) {
    key = Mix(key, {source.id(source.begin(sentence) + i)});
  }
  return key;
}

// Where alternatives stand: behind so many tokens.
int ForkPosition(const SearchRequest& request, int sentence) {
  if (request.options.alternatives_at >= 0) return request.options.alternatives_at;
  return static_cast<int>(request.prefix(sentence).size());
}

// Whether each step only has to know the best token.
bool WantsBestOnly(const SearchRequest& request, const ModelConfig& config) {
  const SearchOptions& options = request.options;
  const bool no_prefix = std::all_of(request.prefixes.begin(), request.prefixes.end(),
                                     [](absl::Span<const int> prefix) { return prefix.empty(); });
  return options.temperature == 0 && options.alternatives == 0 && no_prefix &&
         !LogitsProcessor(options, request.constraints, config).active();
}

LogSumExp LogSumExpFor(const SearchRequest& request) {
  return request.options.log_probabilities ? LogSumExp::kCompute : LogSumExp::kLeaveOut;
}

}  // namespace

const std::vector<Hypotheses>& Searcher::Search(const SourceBatch& source,
                                                const SearchRequest& request) {
  transformer_.Encode(source, state_.memory, state_.work);
  found_.resize(source.sentences());
  if (request.options.beam_size > 1) {
    beam_search_.Search(source, request, state_, found_);
  } else {
    SearchEachAlone(source, request);
  }
  return found_;
}

void Searcher::SearchEachAlone(const SourceBatch& source, const SearchRequest& request) {
  Start(source, request);
  const bool best_only = WantsBestOnly(request, transformer_.config());
  if (best_only && source.sentences() == 1 && !candidates_.empty()) {
    return SearchByDrafts(source, request);
  }
  const LogSumExp log_sum_exp = LogSumExpFor(request);
  while (!state_.inputs.empty() && !request.ShouldStop()) {
    const DecoderStep step = {state_.inputs, source, state_.memory, state_.cache};
    next_inputs_.clear();
    if (best_only) {
      transformer_.DecodeBest(step, log_sum_exp, state_.work);
      TakeBest(request);
    } else {
      transformer_.Decode(step, state_.work);
      TakeTokens(request);
    }
    state_.inputs.swap(next_inputs_);
  }
}

// Drafts tokens, checks them all at once, and goes on behind the first that was wrong, until the
// translation ends. The more drafts were right, the more are made next; where the candidates are no
// good that is one, and so little is lost.
void Searcher::SearchByDrafts(const SourceBatch& source, const SearchRequest& request) {
  int most = kMaxDrafts;
  while (!state_.inputs.empty() && !request.ShouldStop()) {
    Draft(source, request, most);
    transformer_.CheckDrafts(LogSumExpFor(request), state_.work);
    const int right = TakeDrafts(request);
    most = right == most ? std::min(2 * most, kMaxDrafts) : std::max(right, 1);
    state_.inputs.swap(next_inputs_);
  }
}

void Searcher::Draft(const SourceBatch& source, const SearchRequest& request, int most) {
  const ModelConfig& config = transformer_.config();
  const LogitsProcessor processor(request.options, request.constraints, config);
  state_.work.drafted.Resize(most, config.model_dim);
  drafts_.clear();
  guesses_.clear();
  DecoderInput input = state_.inputs.front();
  bool ends = false;
  while (!ends && static_cast<int>(drafts_.size()) < most) {
    const DecoderStep step = {{&input, 1}, source, state_.memory, state_.cache};
    const int index = static_cast<int>(drafts_.size());
    drafts_.push_back(input);
    guesses_.push_back(transformer_.Draft(step, candidates_, index, state_.work));
    input.token = guesses_.back();
    ++input.position;
    ends = processor.IsEnd(input.token) || input.position >= max_tokens_[input.sentence];
  }
  state_.work.drafted.Truncate(static_cast<int>(drafts_.size()));
}

// Extends the hypothesis by what was checked, as far as the drafts were right, and by one token
// more. Returns how many were right.
int Searcher::TakeDrafts(const SearchRequest& request) {
  for (size_t i = 0; i < drafts_.size(); ++i) {
    const Best& best = state_.work.best[i];
    next_inputs_.clear();
    Extend(drafts_[i], ChoiceOf(best, request), request);
    if (best.index != guesses_[i]) {
      state_.cache.Truncate(drafts_[i].hypothesis, drafts_[i].position + 1);
      return static_cast<int>(i);
    }
  }
  return static_cast<int>(drafts_.size());
}

void Searcher::Start(const SourceBatch& source, const SearchRequest& request) {
  const ModelConfig& config = transformer_.config();
  const bool samples = request.options.temperature > 0;
  const int hypotheses = samples ? request.options.nbest : 1;
  width_ = SearchWidth(request.options);
  state_.cache.Reset(config.decoder_layers, config.model_dim, source.sentences() * width_);
  state_.inputs.clear();
  keys_.clear();
  max_tokens_.clear();
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    max_tokens_.push_back(request.MaxTokens(source.length(sentence), sentence, config));
    keys_.push_back(samples ? SampleKey(source, sentence, request.options.seed) : 0);
    found_[sentence].resize(hypotheses);
    for (int i = 0; i < hypotheses; ++i) {
      found_[sentence][i].Clear();
      state_.inputs.push_back({.token = config.decoder_start_id,
                               .position = 0,
                               .hypothesis = sentence * width_ + i,
                               .sentence = sentence});
    }
  }
}

// Extends each live hypothesis by its best token; those that are finished leave the batch.
void Searcher::TakeBest(const SearchRequest& request) {
  for (size_t row = 0; row < state_.inputs.size(); ++row) {
    Extend(state_.inputs[row], ChoiceOf(state_.work.best[row], request), request);
  }
}

// The same where more than the best has to be known.
void Searcher::TakeTokens(const SearchRequest& request) {
  for (size_t row = 0; row < state_.inputs.size(); ++row) {
    const DecoderInput& input = state_.inputs[row];
    float* logits = state_.work.logits.row(static_cast<int>(row));
    RemoveBadWords(transformer_.config(), logits);
    if (request.options.alternatives > 0 &&
        input.position == ForkPosition(request, input.sentence)) {
      Fork(input, request, logits);
    } else {
      Extend(input, Choose(input, request, logits), request);
    }
  }
}

Searcher::Choice Searcher::ChoiceOf(const Best& best, const SearchRequest& request) {
  return {best.index, request.options.log_probabilities ? best.log_probability() : 0};
}

Searcher::Choice Searcher::Choose(const DecoderInput& input, const SearchRequest& request,
                                  const float* logits) {
  const SearchOptions& options = request.options;
  const int vocab = transformer_.config().target_vocab_size;
  const Best best = FindBest(logits, vocab);
  const auto choice = [&](int column) { return Choice{column, logits[column] - best.log_sum_exp}; };
  const absl::Span<const int> prefix = request.prefix(input.sentence);
  if (static_cast<size_t>(input.position) < prefix.size()) {
    return choice(prefix[input.position]);
  }
  const LogitsProcessor processor(options, request.constraints, transformer_.config());
  const float* scores = logits;
  if (processor.active()) {
    state_.scores.Reserve(vocab);
    processor.Apply(logits, /*offset=*/0, hypothesis(input).ids, state_.scores.data());
    scores = state_.scores.data();
  }
  if (options.temperature > 0) {
    const int sample = input.hypothesis - input.sentence * width_;
    const uint64_t key = Mix(keys_[input.sentence], {sample, input.position});
    const int column = sampler_.Sample(absl::MakeConstSpan(scores, vocab), options, key);
    return column < 0 ? Choice() : choice(column);
  }
  if (!processor.active()) return choice(best.index);
  const Best allowed = FindBest(scores, vocab);
  return allowed.logit == kNever ? Choice() : choice(allowed.index);
}

// Makes a hypothesis into several, one for each alternative of the next token.
void Searcher::Fork(const DecoderInput& input, const SearchRequest& request, const float* logits) {
  const ModelConfig& config = transformer_.config();
  const LogitsProcessor processor(request.options, request.constraints, config);
  Hypotheses& found = found_[input.sentence];
  state_.scores.Reserve(config.target_vocab_size);
  const float log_sum_exp = FindBest(logits, config.target_vocab_size).log_sum_exp;
  processor.Apply(logits, /*offset=*/0, found[0].ids, state_.scores.data());
  alternatives_.Reset(request.options.alternatives);
  alternatives_.Offer(0, 0, state_.scores.data(), config.target_vocab_size);

  const int alternatives = static_cast<int>(alternatives_.best().size());
  if (alternatives == 0) return Extend(input, Choice(), request);
  found[0].alternative_at = input.position;
  found.resize(alternatives, found[0]);
  for (int i = 0; i < alternatives; ++i) {
    DecoderInput fork = input;
    fork.hypothesis += i;
    if (i > 0) state_.cache.Fork(input.hypothesis, fork.hypothesis);
    const int column = alternatives_.best()[i].column;
    Extend(fork, {column, logits[column] - log_sum_exp}, request);
  }
}

void Searcher::Extend(DecoderInput input, Choice choice, const SearchRequest& request) {
  Hypothesis& extended = hypothesis(input);
  if (choice.token < 0) return;  // cut off here
  extended.ids.push_back(choice.token);
  extended.log_probabilities.push_back(choice.log_probability);
  extended.score += choice.log_probability;

  const LogitsProcessor processor(request.options, request.constraints, transformer_.config());
  const bool in_prefix =
      static_cast<size_t>(input.position) < request.prefix(input.sentence).size();
  input.token = choice.token;
  ++input.position;
  extended.finished = !in_prefix && processor.IsEnd(choice.token);
  if (extended.finished || input.position >= max_tokens_[input.sentence]) return;
  next_inputs_.push_back(input);
}

}  // namespace limpid::internal

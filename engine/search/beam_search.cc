#include "engine/search/beam_search.h"

#include <algorithm>
#include <cmath>

namespace limpid::internal {
namespace {

// extended = parent + token, reusing memory.
void Extend(const Hypothesis& parent, int token, float log_probability, Hypothesis& extended) {
  extended.ids.assign(parent.ids.begin(), parent.ids.end());
  extended.ids.push_back(token);
  extended.log_probabilities.assign(parent.log_probabilities.begin(),
                                    parent.log_probabilities.end());
  extended.log_probabilities.push_back(log_probability);
}

// The ranking score of a hypothesis (see SearchOptions::beam_size); `length` excludes the prefix.
double Normalized(double log_probability, int length, const SearchOptions& options) {
  return log_probability / std::pow(std::max(length, 1), options.length_penalty);
}

}  // namespace

void BeamSearch::Search(const SourceBatch& source, const SearchRequest& request,
                        DecodingState& state, std::vector<Hypotheses>& found) {
  transformer_.Encode(source, state.cross_cache, state.exec);
  Start(source, request, state);
  while (!inputs_.empty() && !request.ShouldStop()) {
    const DecoderStep step = {inputs_, source, state.cross_cache, state.self_cache};
    const Matrix& output = transformer_.Step(step, state.exec);
    const Matrix& logits = transformer_.Logits(output, state.vocabulary, state.exec);
    next_inputs_.clear();
    for (size_t row = 0; row < inputs_.size();) {
      const int first_row = static_cast<int>(row);
      row += Advance(inputs_[row].sentence, first_row, logits, request, state);
    }
    inputs_.swap(next_inputs_);
  }
  found.resize(source.sentences());
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    Beam& beam = beams_[sentence];
    found[sentence].resize(std::min(beam.finished_count, request.options.nbest));
    std::swap_ranges(found[sentence].begin(), found[sentence].end(), beam.finished.begin());
  }
}

// Starts each sentence with one hypothesis without tokens.
void BeamSearch::Start(const SourceBatch& source, const SearchRequest& request,
                       DecodingState& state) {
  const ModelConfig& config = transformer_.config();
  const int beam_size = request.options.beam_size;
  state.self_cache.Reset(config.decoder_layers, config.model_dim, source.sentences() * beam_size);
  inputs_.clear();
  log_sum_exp_.resize(beam_size);
  if (beams_.size() < static_cast<size_t>(source.sentences())) beams_.resize(source.sentences());
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    Beam& beam = beams_[sentence];
    beam.max_tokens = request.MaxTokens(source.length(sentence), sentence, config);
    for (Hypotheses* hypotheses : {&beam.live, &beam.next_live, &beam.finished}) {
      hypotheses->resize(beam_size);
    }
    beam.parents.resize(beam_size);
    beam.live_count = 1;
    beam.finished_count = 0;
    beam.live[0].Clear();
    inputs_.push_back({.token = config.decoder_start_id,
                       .position = 0,
                       .hypothesis = sentence * beam_size,
                       .sentence = sentence});
  }
}

// Advances a sentence by one step: extends its live hypotheses, whose logits begin at `first_row`,
// and adds the next inputs to next_inputs_. Returns the sentence's number of rows.
int BeamSearch::Advance(int sentence, int first_row, const Matrix& logits,
                        const SearchRequest& request, DecodingState& state) {
  const ModelConfig& config = transformer_.config();
  Beam& beam = beams_[sentence];
  const int rows = beam.live_count;
  const int position = inputs_[first_row].position;
  for (int i = 0; i < rows; ++i) {
    log_sum_exp_[i] = ArgMax(logits.row(first_row + i), config.target_vocab_size).log_sum_exp;
  }
  const absl::Span<const int> prefix = request.prefix(sentence);
  if (static_cast<size_t>(position) < prefix.size()) {
    FollowPrefix(beam, prefix[position], logits.row(first_row));
  } else {
    CollectCandidates(beam, first_row, logits, request);
    TakeCandidates(beam, first_row, logits, request);
    if (!CanImprove(beam, static_cast<int>(prefix.size()), request.options)) beam.live_count = 0;
  }
  const int first_hypothesis = sentence * request.options.beam_size;
  state.self_cache.Reorder(first_hypothesis,
                           absl::MakeConstSpan(beam.parents.data(), beam.live_count));
  for (int i = 0; i < beam.live_count; ++i) {
    next_inputs_.push_back({.token = beam.live[i].ids.back(),
                            .position = position + 1,
                            .hypothesis = first_hypothesis + i,
                            .sentence = sentence});
  }
  return rows;
}

// Appends a token of the prefix to the only hypothesis, without changing its score.
void BeamSearch::FollowPrefix(Beam& beam, int token, const float* logits) {
  beam.live[0].ids.push_back(token);
  beam.live[0].log_probabilities.push_back(logits[token] - log_sum_exp_[0]);
  beam.parents[0] = 0;
}

// Collects the best (1 + ends) * beam_size candidates. That is enough for beam_size live ones: of a
// hypothesis's candidates, at most `ends` end the translation.
void BeamSearch::CollectCandidates(const Beam& beam, int first_row, const Matrix& logits,
                                   const SearchRequest& request) {
  const ModelConfig& config = transformer_.config();
  const LogitsProcessor processor(request.options, request.constraints, config);
  const size_t ends = 1 + request.constraints.end_at.size();
  candidates_.Reset((1 + ends) * request.options.beam_size);
  processed_logits_.Reserve(config.target_vocab_size);
  for (int i = 0; i < beam.live_count; ++i) {
    const float* row = logits.row(first_row + i);
    const auto so_far = static_cast<float>(beam.live[i].score);
    if (processor.changes_logits()) {
      processor.Apply(row, -log_sum_exp_[i], beam.live[i].ids, processed_logits_.data());
      candidates_.Offer(i, so_far, processed_logits_.data(), config.target_vocab_size);
    } else {
      candidates_.Offer(i, so_far - log_sum_exp_[i], row, config.target_vocab_size);
    }
  }
}

void BeamSearch::TakeCandidates(Beam& beam, int first_row, const Matrix& logits,
                                const SearchRequest& request) {
  const LogitsProcessor processor(request.options, request.constraints, transformer_.config());
  const int length = static_cast<int>(beam.live[0].ids.size()) + 1;
  const int prefix = static_cast<int>(request.prefix(inputs_[first_row].sentence).size());
  int next_count = 0;
  int rank = 0;
  for (const Candidate& candidate : candidates_.best()) {
    const int token = candidate.column;
    const bool ends = processor.IsEnd(token);
    const bool stops = ends || length >= beam.max_tokens;
    const bool is_top = rank++ < request.options.beam_size;
    if (stops ? !is_top : next_count == request.options.beam_size) continue;

    Hypothesis& extended = beam.next_live[next_count];
    const float logit = logits.row(first_row + candidate.row)[candidate.column];
    Extend(beam.live[candidate.row], token, logit - log_sum_exp_[candidate.row], extended);
    extended.finished = ends;
    extended.score = candidate.score;
    if (stops) {
      extended.score = Normalized(candidate.score, length - prefix, request.options);
      Finish(extended, beam);
    } else {
      beam.parents[next_count++] = candidate.row;
    }
  }
  const bool is_stuck = candidates_.best().empty() && beam.finished_count == 0;
  if (is_stuck) Finish(beam.live[0], beam);  // cut off here
  beam.live.swap(beam.next_live);
  beam.live_count = next_count;
}

// Moves a hypothesis to its rank among the finished ones, dropping the worst if they are full.
// Leaves `hypothesis` unspecified.
void BeamSearch::Finish(Hypothesis& hypothesis, Beam& beam) {
  const auto begin = beam.finished.begin();
  const auto place =
      std::upper_bound(begin, begin + beam.finished_count, hypothesis.score,
                       [](double score, const Hypothesis& other) { return score > other.score; });
  if (place == beam.finished.end()) return;
  if (begin + beam.finished_count < beam.finished.end()) ++beam.finished_count;
  const auto last = begin + beam.finished_count - 1;
  std::swap(*last, hypothesis);
  std::rotate(place, last, last + 1);
}

// Whether a live hypothesis can still reach the nbest finished ones; see SearchOptions::beam_size.
bool BeamSearch::CanImprove(const Beam& beam, int prefix_tokens,
                            const SearchOptions& options) const {
  if (beam.live_count == 0) return false;
  if (beam.finished_count < options.nbest) return true;
  const Hypothesis& best = beam.live[0];
  const int length = static_cast<int>(best.ids.size());
  const int best_length = options.length_penalty > 0 ? beam.max_tokens : length;
  return Normalized(best.score, best_length - prefix_tokens, options) >
         beam.finished[options.nbest - 1].score;
}

}  // namespace limpid::internal

#include "engine/worker.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "tokenizer/text.h"

namespace limpid::internal {

absl::Status Worker::Translate(const Batch& batch, const Task& task) {
  absl::Status status = Search(batch, task);
  if (status.ok() && task.options.trace.has_value()) status = Force(batch, task);
  CountTokens(batch, task);
  return status;
}

absl::Status Worker::Score(const Batch& batch, const Task& task) {
  absl::Status status = Force(batch, task);
  for (Segment* segment : batch) {
    segment->hypothesis.log_probabilities = segment->forced.log_probabilities;
    segment->hypothesis.finished = true;  // EncodeTarget ends with </s>
  }
  CountTokens(batch, task);
  return status;
}

absl::Status Worker::Search(const Batch& batch, const Task& task) {
  if (model_.only_shortlist) {
    searcher_.RestrictVocabulary(LikelyTokens(batch, task));
  } else if (batch.size() == 1 && model_.fast_output.has_value() &&
             model_.fast_output->has_drafts()) {
    std::vector<int> candidates = LikelyTokens(batch, task);
    // Drafting from a large part of the vocabulary costs as much time as it saves.
    const size_t max_candidates = static_cast<size_t>(model_.config().target_vocab_size) / 4;
    if (candidates.size() > max_candidates) candidates.clear();
    searcher_.DraftFrom(std::move(candidates));
  }
  source_.Clear();
  std::vector<absl::Span<const int>> prefixes;
  for (const Segment* segment : batch) {
    source_.Add(segment->source.ids);
    prefixes.push_back(segment->starts_text ? absl::MakeConstSpan(task.prefix)
                                            : absl::Span<const int>());
  }
  const SearchOptions& options = task.options.search;
  const std::vector<Hypotheses>& found =
      searcher_.Search(source_, {options, task.constraints, prefixes, task.stop()});
  if (absl::Status status = task.stop().Check(); !status.ok()) return status;
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i]->hypothesis = found[i].front();
    if (!WantsSeveral(options)) continue;
    batch[i]->nbest = found[i];
    // A text has alternatives in its first segment only.
    if (options.alternatives > 0 && !batch[i]->starts_text) batch[i]->nbest.resize(1);
  }
  return absl::OkStatus();
}

// The likely tokens of a batch's translations, ascending: the shortlist's candidates for its source
// tokens, the prefix and the end tokens.
std::vector<int> Worker::LikelyTokens(const Batch& batch, const Task& task) const {
  std::vector<int> sources;
  for (const Segment* segment : batch) {
    sources.insert(sources.end(), segment->source.ids.begin(), segment->source.ids.end());
  }
  std::vector<int> tokens =
      UnionOfCandidates(model_.shortlist->shortlist, sources, model_.config().target_vocab_size);
  tokens.insert(tokens.end(), task.prefix.begin(), task.prefix.end());
  tokens.insert(tokens.end(), task.constraints.end_at.begin(), task.constraints.end_at.end());
  tokens.push_back(model_.config().target_eos_id);
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  return tokens;
}

// Runs teacher forcing over the hypotheses, whether found or given.
absl::Status Worker::Force(const Batch& batch, const Task& task) {
  source_.Clear();
  std::vector<absl::Span<const int>> targets;
  for (const Segment* segment : batch) {
    source_.Add(segment->source.ids);
    targets.emplace_back(segment->hypothesis.ids);
  }
  const TraceRequest* request = task.options.trace.has_value() ? &*task.options.trace : nullptr;
  std::vector<TeacherForcing> forced = tracer_.Run(source_, targets, request);
  for (size_t i = 0; i < batch.size(); ++i) batch[i]->forced = std::move(forced[i]);
  if (request == nullptr || !request->occlusion) return absl::OkStatus();
  for (Segment* segment : batch) {
    if (absl::Status status = Occlude(*segment, task); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Fills segment.forced.occlusion by teacher forcing without each source word in turn.
absl::Status Worker::Occlude(Segment& segment, const Task& task) {
  const std::vector<ByteRange>& words = segment.words;
  const std::vector<int> word_of_piece = WordsOfPieces(segment.source.ranges, words);
  const std::vector<float>& whole = segment.forced.log_probabilities;
  const size_t max_runs = std::max<size_t>(1, kMaxBatchSourceTokens / segment.source.size());
  for (size_t begin = 0; begin < words.size(); begin += max_runs) {
    if (absl::Status status = task.stop().Check(); !status.ok()) return status;
    const size_t end = std::min(words.size(), begin + max_runs);
    source_.Clear();
    for (size_t word = begin; word < end; ++word) {
      std::vector<int> rest;
      for (size_t i = 0; i < segment.source.size(); ++i) {
        if (word_of_piece[i] != static_cast<int>(word)) rest.push_back(segment.source.ids[i]);
      }
      if (rest.empty()) rest.push_back(model_.config().source_unk_id);  // no source may be empty
      source_.Add(rest);
    }
    const std::vector<absl::Span<const int>> targets(end - begin, segment.hypothesis.ids);
    max_tokens_ =
        std::max(max_tokens_, targets.size() * std::max(segment.source.size(), targets[0].size()));
    for (const TeacherForcing& without : tracer_.Run(source_, targets, nullptr)) {
      for (size_t token = 0; token < whole.size(); ++token) {
        segment.forced.occlusion.push_back(whole[token] - without.log_probabilities[token]);
      }
    }
  }
  return absl::OkStatus();
}

void Worker::CountTokens(const Batch& batch, const Task& task) {
  const size_t width = SearchWidth(task.options.search);
  size_t tokens = 0;
  for (const Segment* segment : batch) {
    tokens += std::max(segment->source.size(), width * segment->hypothesis.ids.size());
  }
  max_tokens_ = std::max(max_tokens_, tokens);
}

}  // namespace limpid::internal

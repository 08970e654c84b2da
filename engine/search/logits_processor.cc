#include "engine/search/logits_processor.h"

#include <algorithm>
#include <limits>

namespace limpid::internal {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

}  // namespace

bool EndsIn(absl::Span<const int> ids, const std::vector<std::string>& spellings,
            std::string_view end, char next) {
  for (size_t i = ids.size(); i-- > 0;) {
    const std::string& spelling = spellings[ids[i]];
    for (size_t at = spelling.size(); at-- > 0;) {
      if (end.empty()) return true;
      if (spelling[at] == ' ' && next == ' ') continue;
      if (spelling[at] != end.back()) return false;
      next = end.back();
      end.remove_suffix(1);
    }
  }
  return end.empty() || end == " ";
}

void LogitsProcessor::Apply(const float* logits, float offset, absl::Span<const int> ids,
                            float* scores) const {
  for (int i = 0; i < config_.target_vocab_size; ++i) scores[i] = logits[i] + offset;
  if (options_.repetition_penalty != 1) PenalizeRepetition(logits, offset, ids, scores);
  if (options_.no_repeat_ngram_size > 0) ForbidRepeatedNgrams(ids, scores);
  ForbidSuppressed(ids, scores);
  if (ids.size() < static_cast<size_t>(options_.min_output_tokens)) ForbidEnds(scores);
}

bool LogitsProcessor::IsEnd(int token) const {
  return token == config_.target_eos_id ||
         std::find(constraints_.end_at.begin(), constraints_.end_at.end(), token) !=
             constraints_.end_at.end();
}

// Reads the unprocessed logits, so that a token that occurs twice is not penalized twice.
void LogitsProcessor::PenalizeRepetition(const float* logits, float offset,
                                         absl::Span<const int> ids, float* scores) const {
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  const auto penalize = [&](int id) {
    const float score = logits[id] + offset;
    scores[id] = score < 0 ? score * penalty : score / penalty;
  };
  if (config_.decoder_start_id >= 0) penalize(config_.decoder_start_id);
  for (const int id : ids) penalize(id);
}

// Forbids each token that has already followed the last no_repeat_ngram_size - 1 tokens.
void LogitsProcessor::ForbidRepeatedNgrams(absl::Span<const int> ids, float* scores) const {
  const size_t context = static_cast<size_t>(options_.no_repeat_ngram_size) - 1;
  if (ids.size() <= context) return;
  const absl::Span<const int> last = ids.last(context);
  for (size_t i = 0; i + context < ids.size(); ++i) {
    if (ids.subspan(i, context) == last) scores[ids[i + context]] = kNever;
  }
}

void LogitsProcessor::ForbidSuppressed(absl::Span<const int> ids, float* scores) const {
  ForEachForbidden(constraints_, ids, [scores](int token) { scores[token] = kNever; });
}

void LogitsProcessor::ForbidEnds(float* scores) const {
  scores[config_.target_eos_id] = kNever;
  for (const int id : constraints_.end_at) scores[id] = kNever;
}

}  // namespace limpid::internal

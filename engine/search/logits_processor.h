// What options change in the scores of the next token: tokens that must not come, or not so often.

#ifndef LIMPID_ENGINE_SEARCH_LOGITS_PROCESSOR_H_
#define LIMPID_ENGINE_SEARCH_LOGITS_PROCESSOR_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "limpid/search_options.h"
#include "models/model/config.h"

namespace limpid::internal {

// Tokens that would complete a text which must not occur.
struct Completion {
  std::string before;       // they must not follow what is spelled so
  char next = 0;            // what the rest begins with
  std::vector<int> tokens;  // each begins with the rest
};

// What SearchOptions says in text, in token ids.
struct TokenConstraints {
  std::vector<std::vector<int>> suppress = {};  // sequences, none empty
  std::vector<Completion> completions = {};
  // Tokenizer::TargetSpelling of each token, where there are completions.
  std::vector<std::string> spellings = {};
  std::vector<int> end_at = {};
};

// Whether what tokens say ends in `end`, where `next` is to follow. Text begins as if behind a
// space, and several spaces are as one.
bool EndsIn(absl::Span<const int> ids, const std::vector<std::string>& spellings,
            std::string_view end, char next);

// Calls `forbid` with each token that must not follow `ids` by suppress and completions; with some
// of them more than once.
template <typename Forbid>
void ForEachForbidden(const TokenConstraints& constraints, absl::Span<const int> ids,
                      const Forbid& forbid) {
  for (const absl::Span<const int> sequence : constraints.suppress) {
    const absl::Span<const int> context = sequence.first(sequence.size() - 1);
    if (ids.size() >= context.size() && ids.last(context.size()) == context) {
      forbid(sequence.back());
    }
  }
  for (const Completion& completion : constraints.completions) {
    if (!EndsIn(ids, constraints.spellings, completion.before, completion.next)) continue;
    for (const int token : completion.tokens) forbid(token);
  }
}

// For one search; what it is given must outlive it. Definitions are those of Hugging Face's
// processors of the same names.
class LogitsProcessor {
 public:
  LogitsProcessor(const SearchOptions& options, const TokenConstraints& constraints,
                  const ModelConfig& config)
      : options_(options), constraints_(constraints), config_(config) {}

  // Whether there is anything to do; otherwise Apply would only add the offset.
  bool active() const {
    return options_.repetition_penalty != 1 || options_.no_repeat_ngram_size > 0 ||
           options_.min_output_tokens > 0 || !constraints_.suppress.empty() ||
           !constraints_.completions.empty();
  }

  // scores = logits + offset, processed; [vocab] both. `ids` are the tokens of the hypothesis so
  // far. An offset of -log_sum_exp makes log-probabilities of logits.
  void Apply(const float* logits, float offset, absl::Span<const int> ids, float* scores) const;

  // Whether the token ends a translation: </s> or one of end_at.
  bool IsEnd(int token) const;

 private:
  void PenalizeRepetition(const float* logits, float offset, absl::Span<const int> ids,
                          float* scores) const;
  void ForbidRepeatedNgrams(absl::Span<const int> ids, float* scores) const;
  void ForbidSuppressed(absl::Span<const int> ids, float* scores) const;
  void ForbidEnds(float* scores) const;

  const SearchOptions& options_;
  const TokenConstraints& constraints_;
  const ModelConfig& config_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_LOGITS_PROCESSOR_H_

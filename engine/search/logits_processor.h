// Applies SearchOptions to the scores of the next token: forbids tokens or penalizes them.

#ifndef LIMPID_ENGINE_SEARCH_LOGITS_PROCESSOR_H_
#define LIMPID_ENGINE_SEARCH_LOGITS_PROCESSOR_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "limpid/search_options.h"
#include "models/model/config.h"

namespace limpid::internal {

// Tokens that would complete a suppressed text, split into `before` and a rest.
struct Completion {
  std::string before;       // the tokens must not follow text that ends in this
  char next = 0;            // first byte of the rest
  std::vector<int> tokens;  // those whose spellings begin with the rest
};

// The constraints that SearchOptions gives as text, as token ids.
struct TokenConstraints {
  std::vector<std::vector<int>> suppress = {};  // sequences, none empty
  std::vector<Completion> completions = {};
  // [vocab]: Tokenizer::TargetSpelling of each token; may be empty if there are no completions.
  std::vector<std::string> spellings = {};
  std::vector<int> end_at = {};
};

// Whether the text of `ids` ends in `end` if `next` follows. Text begins as if after a space, and
// consecutive spaces count as one.
bool EndsIn(absl::Span<const int> ids, const std::vector<std::string>& spellings,
            std::string_view end, char next);

// Calls `forbid` with each token that must not follow `ids` by suppress and completions; maybe more
// than once.
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

// Does what Hugging Face's processors of the same names do. Its arguments must outlive it.
class LogitsProcessor {
 public:
  LogitsProcessor(const SearchOptions& options, const TokenConstraints& constraints,
                  const ModelConfig& config)
      : options_(options), constraints_(constraints), config_(config) {}

  // Whether any option changes scores; otherwise Apply only adds the offset.
  bool changes_logits() const {
    return options_.repetition_penalty != 1 || options_.no_repeat_ngram_size > 0 ||
           options_.min_output_tokens > 0 || !constraints_.suppress.empty() ||
           !constraints_.completions.empty();
  }

  // scores = logits + offset, processed; both are [vocab]. `ids` are the hypothesis's tokens so
  // far. An offset of -log_sum_exp turns logits into log-probabilities.
  void Apply(const float* logits, float offset, absl::Span<const int> ids, float* scores) const;

  // Whether `token` ends a translation: </s> or one of end_at.
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

#include "limpid/search_options.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/count_check.h"

namespace limpid {

using internal::CheckCount;
using internal::Count;

namespace {

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

absl::Status CheckCounts(const SearchOptions& options) {
  for (const Count& count : {
           Count{"beam_size", options.beam_size, 1, nullptr, kMaxHypotheses},
           Count{"nbest", options.nbest, 1, nullptr, kMaxHypotheses},
           Count{"max_output_tokens", options.max_output_tokens, 0, "no limit but the model's",
                 kMaxTokens},
           Count{"min_output_tokens", options.min_output_tokens, 0, nullptr, kMaxTokens},
           Count{"alternatives", options.alternatives, 0, "none", kMaxHypotheses},
           Count{"alternatives_at", options.alternatives_at, -1, "after the prefix", kMaxTokens},
           Count{"no_repeat_ngram_size", options.no_repeat_ngram_size, 0, "repeat freely",
                 kMaxTokens},
           Count{"top_k", options.top_k, 0, "all", kMaxTokens},
       }) {
    if (absl::Status status = CheckCount(count); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const SearchOptions& options) {
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    return Invalid("top_p must be above 0 and at most 1, not ", options.top_p);
  }
  if (!(options.temperature >= 0) || std::isinf(options.temperature)) {
    return Invalid("temperature must be 0 (no sampling) or more, not ", options.temperature);
  }
  if (!(options.repetition_penalty > 0) || std::isinf(options.repetition_penalty)) {
    return Invalid("repetition_penalty must be above 0, not ", options.repetition_penalty);
  }
  if (!std::isfinite(options.length_penalty)) {
    return Invalid("length_penalty must be a number, not ", options.length_penalty);
  }
  return absl::OkStatus();
}

// Beam search, sampling and alternatives exclude each other.
absl::Status CheckSearchMethod(const SearchOptions& options) {
  const bool samples = options.temperature > 0;
  if (samples && options.beam_size > 1) {
    return Invalid("beam_size ", options.beam_size,
                   " looks for the best translations and temperature ", options.temperature,
                   " draws random ones: use one of them");
  }
  if (!samples && (options.top_k > 0 || options.top_p < 1 || options.seed != 0)) {
    const char* name = options.top_k > 0 ? "top_k" : options.top_p < 1 ? "top_p" : "seed";
    return Invalid(name, " is for sampling: also set a temperature above 0, such as 1");
  }
  if (!samples && options.nbest > options.beam_size) {
    return Invalid("nbest ", options.nbest, " needs a beam_size of at least ", options.nbest,
                   ", not ", options.beam_size, "; or sampling: a temperature above 0");
  }
  if (options.alternatives > 0 && (samples || options.beam_size > 1)) {
    return Invalid("alternatives are completed by greedy search: leave out ",
                   samples ? "temperature" : "beam_size");
  }
  if (options.alternatives > 0 && options.nbest > 1) {
    return Invalid("nbest ", options.nbest, " and alternatives ", options.alternatives,
                   " both say how many translations to return: use one of them");
  }
  if (options.length_penalty != 1 && (samples || options.alternatives > 0)) {
    return Invalid("length_penalty ranks what beam search finds; ",
                   samples ? "samples" : "alternatives", " are not ranked: leave it out");
  }
  if (options.alternatives == 0 && options.alternatives_at >= 0) {
    return Invalid("alternatives_at is the position of alternatives: say how many by alternatives");
  }
  return absl::OkStatus();
}

absl::Status CheckTokens(const SearchOptions& options) {
  if (options.max_output_tokens > 0 && options.min_output_tokens >= options.max_output_tokens) {
    return Invalid("min_output_tokens ", options.min_output_tokens, " and </s> do not fit into ",
                   "max_output_tokens ", options.max_output_tokens);
  }
  if (options.max_output_tokens > 0 && options.alternatives_at >= options.max_output_tokens) {
    return Invalid("alternatives_at ", options.alternatives_at, " is after the last token that ",
                   "max_output_tokens ", options.max_output_tokens, " allows");
  }
  for (const std::string& end : options.end_at) {
    if (std::find(options.suppress.begin(), options.suppress.end(), end) !=
        options.suppress.end()) {
      return Invalid("'", end, "' is both in suppress and in end_at: use one of them");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSearchOptions(const SearchOptions& options) {
  if (absl::Status status = CheckCounts(options); !status.ok()) return status;
  if (absl::Status status = CheckNumbers(options); !status.ok()) return status;
  if (absl::Status status = CheckSearchMethod(options); !status.ok()) return status;
  return CheckTokens(options);
}

}  // namespace limpid

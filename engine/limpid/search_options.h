// How to search for a translation. The default is greedy search.

#ifndef LIMPID_SEARCH_OPTIONS_H_
#define LIMPID_SEARCH_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "limpid/export.h"

namespace limpid {

// Larger values are rejected: no memory would suffice for them.
inline constexpr int kMaxHypotheses = 1000;   // beam_size, nbest, alternatives
inline constexpr int kMaxTokens = 1'000'000;  // token counts: max_output_tokens, top_k …

// Tokens are pieces of the vocabulary, including </s>, which ends a translation.
struct SearchOptions {
  // --- Which translations to find.

  // 1: greedy search, which takes the most probable token at each step. Above 1: beam search, which
  // keeps this many hypotheses at each step and ranks the finished ones by
  //
  //   log P(translation | source) / length ^ length_penalty
  //
  // where length counts the tokens after the prefix, including </s> (as Hugging Face does). It
  // stops when no unfinished hypothesis can still reach the `nbest` best: log P only decreases, so
  // a hypothesis of log P = s never exceeds s / (maximum length) ^ length_penalty.
  int beam_size = 1;
  // 0 ranks by probability alone, which favours short translations; larger values favour longer
  // ones.
  double length_penalty = 1;
  // Number of translations to return, at most beam_size; with sampling, number of samples.
  int nbest = 1;

  // If above 0: greedy search, except that at one position it takes this many of the most probable
  // tokens and completes the translation after each. Returns the translations as nbest does. The
  // position is after the first `alternatives_at` tokens; -1: right after the prefix.
  int alternatives = 0;
  int alternatives_at = -1;

  // If above 0, each token is drawn from softmax(logits / temperature). A draw depends only on the
  // seed, the sentence and the previous tokens. 0: the most probable token.
  double temperature = 0;
  int top_k = 0;     // draw from this many most probable tokens; 0: from all
  double top_p = 1;  // draw from the fewest tokens whose probabilities sum to this
  uint64_t seed = 0;

  // Whether greedy search must compute log-probabilities. If not, they may be 0, which saves a
  // little time.
  bool log_probabilities = true;

  // --- Constraints on the translation.

  // The beginning of the translation, byte for byte; rejected if the model's pieces cannot spell
  // it. It is tokenized by itself, so it should end at the end of a word.
  std::string prefix = {};
  // Maximum tokens per sentence, including prefix and </s>. 0: after the prefix, three times the
  // source's tokens plus 20. Never more than the model's max_positions.
  int max_output_tokens = 0;
  // Minimum tokens before the end, including the prefix but not </s>.
  int min_output_tokens = 0;
  // Text that must not occur after the prefix, however it is tokenized and even within words:
  // "rot" forbids "rotes". "▁" is the space before a word: "▁rot" allows "Brot". Pieces without
  // text, such as <unk>, are given by name.
  std::vector<std::string> suppress = {};
  // Pieces that end a translation, as </s> does. They are part of it.
  std::vector<std::string> end_at = {};
  // If above 1, makes tokens that already occur less probable (Keskar et al. 2019): positive scores
  // are divided by it, negative ones multiplied. As in Hugging Face, scores are logits in greedy
  // search and sampling, and log-probabilities in beam search.
  double repetition_penalty = 1;
  // If above 0, no sequence of this many tokens occurs twice.
  int no_repeat_ngram_size = 0;

  friend bool operator==(const SearchOptions&, const SearchOptions&) = default;
};

// Returns InvalidArgument, naming the problem, if an option is out of range or two conflict.
LIMPID_EXPORT absl::Status CheckSearchOptions(const SearchOptions& options);

}  // namespace limpid

#endif  // LIMPID_SEARCH_OPTIONS_H_

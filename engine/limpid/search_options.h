// How to search for a translation. The defaults are greedy search, without any further wishes.

#ifndef LIMPID_SEARCH_OPTIONS_H_
#define LIMPID_SEARCH_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace limpid {

// The most that options may ask for: larger numbers are refused, as no memory would do.
inline constexpr int kMaxHypotheses = 1000;   // beam_size, nbest, alternatives
inline constexpr int kMaxTokens = 1'000'000;  // what counts tokens: max_output_tokens, top_k …

// Tokens are the model's pieces of words; </s>, which ends a translation, is one of them.
struct SearchOptions {
  // --- Which translations to look for.

  // 1: greedy search, which takes the most probable token at each step. More: beam search, which
  // keeps so many beginnings of translations at each step, the most probable ones, and ranks those
  // that came to their end by
  //
  //   log P(translation | source) / length ^ length_penalty
  //
  // where length counts the tokens behind the prefix, </s> included (as Hugging Face does). It
  // stops when no beginning can still get among the `nbest` best, however it goes on: log P only
  // falls, so one of log P = s never reaches more than s / (greatest length) ^ length_penalty.
  int beam_size = 1;
  // 0: ranks by probability alone, which favours short translations; more favours longer ones.
  double length_penalty = 1;
  // How many translations to return, at most beam_size; with sampling, how many to draw.
  int nbest = 1;

  // Where alternatives > 0: greedy search, but at one place the so many most probable tokens are
  // taken, one each, and each beginning is completed. Returns them as nbest does. The place is
  // behind the first `alternatives_at` tokens; -1: right behind the prefix.
  int alternatives = 0;
  int alternatives_at = -1;

  // Above 0, the next token is drawn from softmax(logits / temperature); 0 takes the best, always.
  // The draw depends on the seed, the sentence and the tokens before, and on nothing else.
  double temperature = 0;
  int top_k = 0;     // draw from so many most probable tokens only; 0: from all
  double top_p = 1;  // draw from the fewest tokens that have this much probability together
  uint64_t seed = 0;

  // Whether greedy search computes how probable its tokens are. Where nobody wants to know, all of
  // their log-probabilities are 0, and a translation takes a little less time.
  bool log_probabilities = true;

  // --- What a translation must be like.

  // What the translation starts with, byte for byte; text that the model's pieces cannot say is
  // refused. It is cut into tokens by itself, so it ends between words.
  std::string prefix = {};
  // The most tokens of a sentence's translation, prefix and </s> included. 0: three times as many
  // as its source has, plus 20, behind the prefix. Never more than the model has positions for.
  int max_output_tokens = 0;
  // The fewest tokens before its end, prefix included, </s> not.
  int min_output_tokens = 0;
  // Text that does not occur in what is translated, however it is cut into pieces, within words
  // neither: "rot" forbids "rotes". "▁" stands for the space before a word: "▁rot" leaves "Brot"
  // alone. Pieces that are no text, such as <unk>, are meant by their name.
  std::vector<std::string> suppress = {};
  // Pieces that end a translation, as </s> does. They stay part of it.
  std::vector<std::string> end_at = {};
  // Above 1, makes tokens that the translation already has less likely (Keskar et al. 2019): a
  // score above 0 is divided by it, one below multiplied. As in Hugging Face, the scores are logits
  // in greedy search and sampling, and log-probabilities in beam search.
  double repetition_penalty = 1;
  // Above 0, no sequence of so many tokens occurs twice.
  int no_repeat_ngram_size = 0;

  friend bool operator==(const SearchOptions&, const SearchOptions&) = default;
};

// Whether the options make sense, each by itself and together, and are within the limits above;
// InvalidArgument says in words what is not.
absl::Status CheckSearchOptions(const SearchOptions& options);

}  // namespace limpid

#endif  // LIMPID_SEARCH_OPTIONS_H_

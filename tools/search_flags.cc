#include "tools/search_flags.h"

#include <cstdint>
#include <limits>

namespace limpid::internal {

void AddNBestFlags(SearchOptions* options, Flags* flags) {
  flags->Add("nbest=N", &options->nbest, {1, kMaxHypotheses},
             "Print the N best translations of each line (with --temperature: N samples), each as "
             "line number, tab, ranking score, tab, translation. Needs --beam_size of at least N, "
             "or --temperature.");
  flags->Add("alternatives=N", &options->alternatives, {0, kMaxHypotheses},
             "Print the N most probable tokens after --prefix, or at --alternatives_at, each with "
             "the translation that it leads to: line number, tab, probability, tab, token, tab, "
             "translation.");
  flags->Add("alternatives_at=N", &options->alternatives_at, {-1, kMaxTokens},
             "Print alternatives to the token after the first N of the translation (--json shows "
             "them). -1: after the prefix.");
}

void AddSearchFlags(SearchOptions* options, Flags* flags) {
  flags->Add("beam_size=N", &options->beam_size, {1, kMaxHypotheses},
             "1: greedy search. Above 1: beam search, which keeps the N best hypotheses; slower, "
             "and usually a little better.");
  flags->Add("length_penalty=X", &options->length_penalty, {-10.0, 10.0},
             "Rank the hypotheses of beam search by log P / length ^ X, with the length in tokens. "
             "0: by probability alone. Larger values favour longer translations.");
  flags->Add("temperature=X", &options->temperature, {0.0, 1000.0},
             "Above 0: sample each token from softmax(logits / X). 0: do not sample.");
  flags->Add("top_k=N", &options->top_k, {0, kMaxTokens},
             "Sample from the N most probable tokens. 0: from all.");
  flags->Add("top_p=X", &options->top_p, {0.0, 1.0},
             "Sample from the smallest set of tokens with a total probability of at least X.");
  flags->Add("seed=N", &options->seed, {uint64_t{0}, std::numeric_limits<uint64_t>::max()},
             "The seed for sampling. The same seed and sentence give the same sample, whatever the "
             "other lines are.");
  flags->Add("prefix=TEXT", &options->prefix,
             "Start the translation with TEXT, which must end at the end of a word.");
  flags->Add("max_output_tokens=N", &options->max_output_tokens, {0, kMaxTokens},
             "The maximum number of tokens in a sentence's translation. 0: three times the number "
             "of source tokens, plus 20.");
  flags->Add("min_output_tokens=N", &options->min_output_tokens, {0, kMaxTokens},
             "The minimum number of tokens in a sentence's translation, before its end.");
  flags->Add("suppress=TEXT,TEXT", &options->suppress,
             "Never produce these texts, even within a word. ▁ stands for the space before a "
             "word: ▁rot forbids rotes, but not Brot.");
  flags->Add("end_at=PIECE,PIECE", &options->end_at,
             "End the translation after any of these vocabulary pieces, such as a full stop.");
  flags->Add("repetition_penalty=X", &options->repetition_penalty, {0.01, 100.0},
             "Above 1: make tokens that the translation already contains less probable. Divides "
             "positive scores by X and multiplies negative ones.");
  flags->Add("no_repeat_ngram_size=N", &options->no_repeat_ngram_size, {0, kMaxTokens},
             "Above 0: never repeat a sequence of N tokens.");
}

}  // namespace limpid::internal

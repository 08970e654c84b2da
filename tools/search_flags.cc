#include "tools/search_flags.h"

#include <cstdint>
#include <limits>

namespace limpid::internal {
void AddNBestFlags(SearchOptions* options, Flags* flags) {
  flags->Add("nbest=N", &options->nbest, {1, kMaxHypotheses},
             "Print the N best translations of each line, the best first (with --temperature: N "
             "samples), each as a line of its own: number of the line, tab, what it is ranked by, "
             "tab, translation. Needs --beam_size of at least N, or --temperature.");
  flags->Add("alternatives=N", &options->alternatives, {0, kMaxHypotheses},
             "Print what else could stand behind --prefix, or at --alternatives_at: the N most "
             "probable tokens, each with the translation that it leads to. A line is the number of "
             "the line, tab, probability, tab, token, tab, translation.");
  flags->Add("alternatives_at=N", &options->alternatives_at, {-1, kMaxTokens},
             "Where alternatives stand: behind N tokens of the translation (--json shows them). "
             "-1: behind the prefix.");
}

void AddSearchFlags(SearchOptions* options, Flags* flags) {
  flags->Add("beam_size=N", &options->beam_size, {1, kMaxHypotheses},
             "1: greedy search, the most probable token at each step. More: beam search, which "
             "keeps the N most probable beginnings of a translation; slower, and mostly a little "
             "better.");
  flags->Add("length_penalty=X", &options->length_penalty, {-10.0, 10.0},
             "Beam search ranks translations by log P / length ^ X, where P is the probability and "
             "length counts tokens. 0: by probability alone; more favours longer translations.");
  flags->Add("temperature=X", &options->temperature, {0.0, 1000.0},
             "Above 0: sampling. The next token is drawn from softmax(logits / X). 0: always the "
             "most probable.");
  flags->Add("top_k=N", &options->top_k, {0, kMaxTokens},
             "Draw from the N most probable tokens only; 0: from all.");
  flags->Add("top_p=X", &options->top_p, {0.0, 1.0},
             "Draw from the fewest tokens that have the probability X together.");
  flags->Add("seed=N", &options->seed, {uint64_t{0}, std::numeric_limits<uint64_t>::max()},
             "Another seed draws other samples. The same seed and sentence give the same sample, "
             "whatever the other lines are.");
  flags->Add("prefix=TEXT", &options->prefix,
             "What the translation starts with, byte for byte: whole words.");
  flags->Add("max_output_tokens=N", &options->max_output_tokens, {0, kMaxTokens},
             "The most tokens that a sentence's translation may have; 0: three times as many as "
             "the sentence has, plus 20.");
  flags->Add("min_output_tokens=N", &options->min_output_tokens, {0, kMaxTokens},
             "The fewest tokens that a sentence's translation may have before its end.");
  flags->Add(
      "suppress=TEXT,TEXT", &options->suppress,
      "Text that must not occur, not even within a word. ▁ stands for the space before a word: "
      "▁rot forbids rotes, but not Brot.");
  flags->Add("end_at=PIECE,PIECE", &options->end_at,
             "Pieces of the vocabulary that end the translation, such as a full stop.");
  flags->Add("repetition_penalty=X", &options->repetition_penalty, {0.01, 100.0},
             "Above 1: makes tokens less likely that the translation already has. A score above 0 "
             "is divided by X, one below multiplied.");
  flags->Add("no_repeat_ngram_size=N", &options->no_repeat_ngram_size, {0, kMaxTokens},
             "Above 0: no N tokens occur twice in the same order.");
}

}  // namespace limpid::internal

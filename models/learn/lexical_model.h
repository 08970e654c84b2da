// IBM Model 1 (Brown et al. 1993): which target pieces a source piece is translated with, learned
// from pairs of sentences. A shortlist is made of what it finds.

#ifndef LIMPID_MODELS_LEARN_LEXICAL_MODEL_H_
#define LIMPID_MODELS_LEARN_LEXICAL_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace limpid::internal {

// A sentence and its translation as ids, </s> included on both sides.
struct IdPair {
  std::vector<int> source;
  std::vector<int> target;
};

struct LexicalOptions {
  int iterations = 5;
  // Of each source piece, how many target pieces are kept, and how probable they must be.
  int best = 100;
  float min_probability = 1e-4F;
  // A pair with a side of more tokens is left out by who learns: it has a cell for each two tokens.
  size_t max_tokens = 512;
  // How many of the most frequent target pieces go with every sentence.
  int frequent = 100;
};

// The bytes of a shortlist (models/native/shortlist.h): for each source piece its most probable
// target pieces; for the source's </s>, which every sentence has, the most frequent ones as well;
// for all source pieces, where there is no such </s> (-1). Ids are inside their vocabularies.
std::string LearnShortlist(absl::Span<const IdPair> pairs, int source_vocab, int target_vocab,
                           int source_eos_id, const LexicalOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_LEARN_LEXICAL_MODEL_H_

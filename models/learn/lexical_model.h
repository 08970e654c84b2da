// Learns a shortlist from sentence pairs with IBM Model 1 (Brown et al. 1993): the probability of
// each target piece given a source piece.

#ifndef LIMPID_MODELS_LEARN_LEXICAL_MODEL_H_
#define LIMPID_MODELS_LEARN_LEXICAL_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace limpid::internal {

// Ids of a sentence and its translation, each with its </s>.
struct IdPair {
  std::vector<int> source;
  std::vector<int> target;
};

struct LexicalOptions {
  int iterations = 5;
  // Target pieces kept per source piece, and their minimum probability.
  int best = 100;
  float min_probability = 1e-4F;
  // Callers skip pairs with a longer side: memory is proportional to the product of both lengths.
  size_t max_tokens = 512;
  // This many of the most frequent target pieces are candidates in every sentence.
  int frequent = 100;
};

// Returns a serialized shortlist (models/native/shortlist.h): for each source piece, its most
// probable target pieces. The most frequent target pieces go to the source's </s>, which every
// sentence has, or to all source pieces if source_eos_id is -1. Ids must be below the vocabulary
// sizes.
std::string LearnShortlist(absl::Span<const IdPair> pairs, int source_vocab, int target_vocab,
                           int source_eos_id, const LexicalOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_LEARN_LEXICAL_MODEL_H_

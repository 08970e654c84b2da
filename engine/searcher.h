// Translates source ids to target ids by the search that a request needs.

#ifndef LIMPID_ENGINE_SEARCHER_H_
#define LIMPID_ENGINE_SEARCHER_H_

#include <optional>
#include <vector>

#include "engine/search/beam_search.h"
#include "engine/search/decoding.h"
#include "engine/search/greedy.h"
#include "engine/speed/fast_greedy.h"
#include "engine/speed/fast_output.h"
#include "engine/transformer/transformer.h"

namespace limpid::internal {

// Keeps its memory between batches, so that a warm search allocates nothing. Not thread-safe.
class Searcher {
 public:
  // Without `fast_output` (`--plain`), greedy search is always the plain one.
  explicit Searcher(const Transformer& transformer, const FastOutput* fast_output = nullptr);

  // Translates each sentence. Returns [sentences], with at least one hypothesis each, valid until
  // the next call. The options must have passed CheckSearchOptions, and each prefix must leave room
  // for a token. Tokens in config.bad_words are produced only as part of a prefix.
  const std::vector<Hypotheses>& Search(const SourceBatch& source, const SearchRequest& request);

  // Sets the likely tokens of the next translations, to draft from (see FastGreedySearch). Not for
  // use with RestrictVocabulary.
  void DraftFrom(std::vector<int> candidates);

  // Restricts the following searches to these tokens, in ascending order; empty: all tokens.
  void RestrictVocabulary(std::vector<int> tokens);

 private:
  const Transformer& transformer_;
  DecodingState state_;
  GreedySearch greedy_;
  std::optional<FastGreedySearch> fast_greedy_;
  BeamSearch beam_search_;
  std::vector<Hypotheses> found_;      // [sentences]
  std::vector<int> draft_candidates_;  // ascending
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCHER_H_

// From logits to a translation: which token to take at each step, and when to stop.

#ifndef LIMPID_ENGINE_SEARCH_SEARCH_H_
#define LIMPID_ENGINE_SEARCH_SEARCH_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/search/beam_search.h"
#include "engine/search/decoding.h"
#include "engine/search/sampler.h"
#include "engine/search/top_candidates.h"
#include "engine/transformer/transformer.h"

namespace limpid::internal {

// Keeps its memory between batches, so that it allocates nothing once warm. Not thread-safe.
class Searcher {
 public:
  explicit Searcher(const Transformer& transformer)
      : transformer_(transformer), beam_search_(transformer) {}

  // Translates each sentence. Returns what was found for it, at least one hypothesis; valid until
  // the next call. The options have passed CheckSearchOptions, and prefixes leave room for a token.
  // No token of config.bad_words is ever produced but in a prefix.
  const std::vector<Hypotheses>& Search(const SourceBatch& source, const SearchRequest& request);

  // Where a search is greedy and of one sentence, its tokens are drafted from these: faster, with
  // the same result. None: no drafts. Not for transformers that were made without a DraftLayer, nor
  // together with SelectTokens.
  void DraftFrom(std::vector<int> candidates) { candidates_ = std::move(candidates); }

  // From the next search on only these tokens, each once and in order, can be produced. None: all.
  void SelectTokens(std::vector<int> tokens) {
    transformer_.SelectTokens(std::move(tokens), state_.work);
  }

 private:
  // The token that comes next, and its log-probability; -1: no token may come.
  struct Choice {
    int token = -1;
    float log_probability = 0;
  };

  // Greedy search, sampling and alternatives: hypotheses that do not know of each other. The
  // numbers of a sentence's hypotheses in the cache begin at sentence · width_.
  void SearchEachAlone(const SourceBatch& source, const SearchRequest& request);
  void Start(const SourceBatch& source, const SearchRequest& request);
  // The same result for a single sentence, sooner.
  void SearchByDrafts(const SourceBatch& source, const SearchRequest& request);
  void Draft(const SourceBatch& source, const SearchRequest& request, int most);
  int TakeDrafts(const SearchRequest& request);
  void TakeBest(const SearchRequest& request);
  void TakeTokens(const SearchRequest& request);
  static Choice ChoiceOf(const Best& best, const SearchRequest& request);
  Choice Choose(const DecoderInput& input, const SearchRequest& request, const float* logits);
  void Fork(const DecoderInput& input, const SearchRequest& request, const float* logits);
  void Extend(DecoderInput input, Choice choice, const SearchRequest& request);

  Hypothesis& hypothesis(const DecoderInput& input) {
    return found_[input.sentence][input.hypothesis - input.sentence * width_];
  }

  const Transformer& transformer_;
  DecodingState state_;
  BeamSearch beam_search_;
  Sampler sampler_;
  TopCandidates alternatives_;

  int width_ = 1;                          // the most hypotheses of a sentence
  std::vector<int> max_tokens_;            // [sentences]
  std::vector<uint64_t> keys_;             // [sentences]: what makes samples random
  std::vector<DecoderInput> next_inputs_;  // of the step after the one that is under way
  std::vector<Hypotheses> found_;          // [sentences]

  std::vector<int> candidates_;       // for drafts
  std::vector<DecoderInput> drafts_;  // [drafts]: what the decoder took in
  std::vector<int> guesses_;          // [drafts]: what is thought to come next
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_SEARCH_H_

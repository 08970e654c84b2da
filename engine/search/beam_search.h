// Beam search: several beginnings of a translation compete, and the best ones go on.

#ifndef LIMPID_ENGINE_SEARCH_BEAM_SEARCH_H_
#define LIMPID_ENGINE_SEARCH_BEAM_SEARCH_H_

#include <vector>

#include "engine/search/decoding.h"
#include "engine/search/top_candidates.h"
#include "engine/transformer/transformer.h"

namespace limpid::internal {

// Gives what Hugging Face's beam search gives with early_stopping="never".
//
// At each step a sentence's live hypotheses, at most beam_size, are each extended by every token of
// the vocabulary, and the best of all these candidates are looked at in order of log P (processed,
// see LogitsProcessor). Those that end join the finished hypotheses, if they are among the best
// beam_size candidates; the best beam_size of those that do not end live on. It costs a pointer a
// token to let one hypothesis go on from another (cache.h); the keys and values of the source are
// there once a sentence, whatever the beam.
//
// Keeps its memory between batches. Not thread-safe.
class BeamSearch {
 public:
  explicit BeamSearch(const Transformer& transformer) : transformer_(transformer) {}

  // Fills found [sentences] with options.nbest hypotheses each, or fewer if there are no more.
  void Search(const SourceBatch& source, const SearchRequest& request, DecodingState& state,
              std::vector<Hypotheses>& found);

 private:
  struct Beam {
    int max_tokens = 0;
    int live_count = 0;
    int finished_count = 0;
    Hypotheses live;           // [beam_size]; score: the sum of processed log-probabilities
    Hypotheses next_live;      // [beam_size]: those of the next step
    Hypotheses finished;       // [beam_size], the best first; score: see SearchOptions
    std::vector<int> parents;  // [beam_size]: which of `live` each of `next_live` goes on from
  };

  void Start(const SourceBatch& source, const SearchRequest& request, DecodingState& state);
  int Advance(int sentence, int first_row, const Matrix& logits, const SearchRequest& request,
              DecodingState& state);
  void FollowPrefix(Beam& beam, int token, const float* logits);
  void CollectCandidates(const Beam& beam, int first_row, const Matrix& logits,
                         const SearchRequest& request, DecodingState& state);
  void TakeCandidates(Beam& beam, int first_row, const Matrix& logits,
                      const SearchRequest& request);
  void Finish(Hypothesis& hypothesis, Beam& beam);
  bool CanImprove(const Beam& beam, int prefix_tokens, const SearchOptions& options) const;

  const Transformer& transformer_;
  std::vector<Beam> beams_;  // [sentences]
  TopCandidates candidates_;
  std::vector<float> log_sum_exp_;    // [beam_size]: of the live hypotheses' logits
  std::vector<DecoderInput> inputs_;  // of the step under way
  std::vector<DecoderInput> next_inputs_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_BEAM_SEARCH_H_

// Beam search: the hypotheses of a sentence compete at each step, and the best beam_size live on.

#ifndef LIMPID_ENGINE_SEARCH_BEAM_SEARCH_H_
#define LIMPID_ENGINE_SEARCH_BEAM_SEARCH_H_

#include <vector>

#include "engine/search/decoding.h"
#include "engine/search/top_candidates.h"
#include "engine/transformer/transformer.h"

namespace limpid::internal {

// Finds what Hugging Face's beam search finds with early_stopping="never".
//
// Each step extends a sentence's live hypotheses (at most beam_size) by every token of the
// vocabulary and ranks these candidates by log P (after LogitsProcessor). Those that end the
// translation join the finished hypotheses, if they are among the best beam_size candidates; the
// best beam_size of the others live on. Continuing one hypothesis from another copies one pointer
// per token (cache.h); the cross-attention cache does not grow with the beam.
//
// Keeps its memory between batches. Not thread-safe.
class BeamSearch {
 public:
  explicit BeamSearch(const Transformer& transformer) : transformer_(transformer) {}

  // Fills found [sentences] with up to options.nbest hypotheses each, the best first.
  void Search(const SourceBatch& source, const SearchRequest& request, DecodingState& state,
              std::vector<Hypotheses>& found);

 private:
  struct Beam {
    int max_tokens = 0;
    int live_count = 0;
    int finished_count = 0;
    Hypotheses live;           // [beam_size]; score: sum of processed log-probabilities
    Hypotheses next_live;      // [beam_size]: `live` of the next step
    Hypotheses finished;       // [beam_size], the best first; score: SearchOptions::beam_size
    std::vector<int> parents;  // [beam_size]: index in `live` of the parent of each of `next_live`
  };

  void Start(const SourceBatch& source, const SearchRequest& request, DecodingState& state);
  int Advance(int sentence, int first_row, const Matrix& logits, const SearchRequest& request,
              DecodingState& state);
  void FollowPrefix(Beam& beam, int token, const float* logits);
  void CollectCandidates(const Beam& beam, int first_row, const Matrix& logits,
                         const SearchRequest& request);
  void TakeCandidates(Beam& beam, int first_row, const Matrix& logits,
                      const SearchRequest& request);
  void Finish(Hypothesis& hypothesis, Beam& beam);
  bool CanImprove(const Beam& beam, int prefix_tokens, const SearchOptions& options) const;

  const Transformer& transformer_;
  std::vector<Beam> beams_;  // [sentences]
  TopCandidates candidates_;
  std::vector<float> log_sum_exp_;    // [beam_size]: of each live hypothesis's logits
  Buffer<float> processed_logits_;    // scratch: [vocab]
  std::vector<DecoderInput> inputs_;  // of the current step
  std::vector<DecoderInput> next_inputs_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_BEAM_SEARCH_H_

// From logits to a translation: which token to take at each step, and when to stop.

#ifndef LIMPID_ENGINE_SEARCH_H_
#define LIMPID_ENGINE_SEARCH_H_

#include <vector>

#include "absl/types/span.h"
#include "engine/transformer.h"

namespace limpid {

struct SearchOptions {
  // The most tokens to produce, </s> included. 0: three times the source's tokens, plus 20. The
  // model's positions bound it in any case.
  int max_output_tokens = 0;
};

// Target ids and the logarithm of each one's probability. Ends with </s> unless it was cut off.
struct Hypothesis {
  std::vector<int> ids;
  std::vector<float> log_probabilities;
};

// What greedy search needs to keep between batches, so that it allocates nothing once warm.
class Searcher {
 public:
  explicit Searcher(const Transformer& transformer) : transformer_(transformer) {}

  // Takes the most probable token at each step. Returns one hypothesis a sentence, valid until the
  // next call. No token of config.bad_words is ever produced.
  const std::vector<Hypothesis>& Greedy(const SourceBatch& source, const SearchOptions& options);

 private:
  void Start(const SourceBatch& source);
  void TakeBest(const SourceBatch& source, const SearchOptions& options);

  const Transformer& transformer_;
  Workspace work_;
  Memory memory_;
  KeyValueCache cache_;
  std::vector<DecoderInput> live_;  // one for each sentence that is not finished
  std::vector<Hypothesis> hypotheses_;
};

}  // namespace limpid

#endif  // LIMPID_ENGINE_SEARCH_H_

// The tests' oracle: the transformer of "Attention Is All You Need", written to be read. One
// sentence at a time, in double, no caches, no packing, masks as in the paper.

#ifndef LIMPID_TESTS_REFERENCE_REFERENCE_H_
#define LIMPID_TESTS_REFERENCE_REFERENCE_H_

#include <vector>

#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal::reference {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // rows

// The weights of one attention: for each head, [queries, keys].
using AttentionWeightsByHead = std::vector<Matrix>;

struct Attentions {
  std::vector<AttentionWeightsByHead> encoder;  // [layers]
  std::vector<AttentionWeightsByHead> decoder;
  std::vector<AttentionWeightsByHead> cross;
};

class Transformer {
 public:
  Transformer(const ModelConfig& config, const ModelWeights& weights)
      : config_(config), weights_(weights) {}

  // Returns the encoder's output, [tokens, model_dim].
  Matrix Encode(const std::vector<int>& source_ids, Attentions* attentions = nullptr) const;

  // Returns the logits, [inputs, vocab], of the token after each input. The first input is
  // config.decoder_start_id.
  Matrix Decode(const Matrix& encoder_output, const std::vector<int>& input_ids,
                Attentions* attentions = nullptr) const;

  // The most probable token at each step, up to and including </s>, at most `limit`.
  std::vector<int> Greedy(const std::vector<int>& source_ids, int limit) const;

 private:
  Matrix Embed(const StackWeights& stack, const std::vector<int>& ids) const;

  const ModelConfig& config_;
  const ModelWeights& weights_;
};

}  // namespace limpid::internal::reference

#endif  // LIMPID_TESTS_REFERENCE_REFERENCE_H_

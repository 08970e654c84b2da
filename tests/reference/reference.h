// The oracle: the transformer of "Attention Is All You Need", written for reading and for nothing
// else. One sentence at a time, everything in double, no cache, no packing, masks as in the paper.
// The engine is checked against it.

#ifndef LIMPID_TESTS_REFERENCE_REFERENCE_H_
#define LIMPID_TESTS_REFERENCE_REFERENCE_H_

#include <vector>

#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal::reference {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // rows

// What one attention did: for each head, [queries, keys].
using AttentionWeightsByHead = std::vector<Matrix>;

struct Attentions {
  std::vector<AttentionWeightsByHead> encoder;  // one element a layer
  std::vector<AttentionWeightsByHead> decoder;
  std::vector<AttentionWeightsByHead> cross;
};

class Transformer {
 public:
  Transformer(const ModelConfig& config, const ModelWeights& weights)
      : config_(config), weights_(weights) {}

  // Source ids to the encoder's output [tokens, model_dim].
  Matrix Encode(const std::vector<int>& source_ids, Attentions* attentions = nullptr) const;

  // The logits [inputs, vocab] that follow each of the decoder's inputs, given all inputs up to it.
  // The first input is config.decoder_start_id.
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

#include "engine/transformer/transformer.h"

namespace limpid::internal {

void Transformer::Encode(const SourceBatch& source, CrossAttentionCache& cache,
                         Execution& exec) const {
  // As many tokens as the processor's cache holds the activations of.
  constexpr int kTokensAtOnce = 128;
  const int max_tokens = exec.observer == nullptr ? kTokensAtOnce : source.tokens();
  decoder_.ReserveCrossKeysValues(source.tokens(), cache);
  for (SentenceRange range; range.begin < source.sentences(); range.begin = range.end) {
    const int first_token = source.begin(range.begin);
    do {
      ++range.end;
    } while (range.end < source.sentences() &&
             source.begin(range.end + 1) - first_token <= max_tokens);
    const Matrix& output = encoder_.Encode(source, range, exec);
    decoder_.ProjectCrossKeysValues(output, first_token, cache, exec.gemm);
  }
}

}  // namespace limpid::internal

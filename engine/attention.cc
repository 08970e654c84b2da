#include "engine/attention.h"

#include <cmath>

namespace limpid {

void Attend(const float* query, const KeysAndValues& visible, Heads shape, float* weights,
            float* context) {
  const auto [heads, head_dim] = shape;
  const int keys = visible.tokens.count;
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
  for (int head = 0; head < heads; ++head) {
    const ptrdiff_t begin = static_cast<ptrdiff_t>(head) * head_dim;
    float* head_weights = weights + static_cast<ptrdiff_t>(head) * keys;
    DotRows(query + begin, visible.tokens, visible.key_offset + begin, head_dim, scale,
            head_weights);
    Softmax(keys, head_weights);
    MixRows(head_weights, visible.tokens, visible.value_offset + begin, head_dim, context + begin);
  }
}

}  // namespace limpid

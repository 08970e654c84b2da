#include "engine/attention.h"

#include <algorithm>
#include <cmath>

namespace limpid {

void Attend(const float* query, const KeysAndValues& visible, Heads shape, float* weights,
            float* scores, float* context) {
  const auto [heads, head_dim] = shape;
  const int keys = visible.tokens.count;
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
  for (int head = 0; head < heads; ++head) {
    const ptrdiff_t begin = static_cast<ptrdiff_t>(head) * head_dim;
    float* row = weights + static_cast<ptrdiff_t>(head) * keys;
    DotRows(query + begin, visible.tokens, visible.key_offset + begin, head_dim, scale, row);
    if (scores != nullptr) std::copy_n(row, keys, scores + static_cast<ptrdiff_t>(head) * keys);
    Softmax(keys, row);
    MixRows(row, visible.tokens, visible.value_offset + begin, head_dim, context + begin);
  }
}

void Attention::ApplyAndAdd(const Matrix& queries,
                            absl::FunctionRef<KeysAndValues(int row)> visible, Matrix& y,
                            Workspace& work) const {
  work.context.Resize(queries.rows(), y.columns());
  for (int row = 0; row < queries.rows(); ++row) {
    const KeysAndValues keys_and_values = visible(row);
    const size_t size = static_cast<size_t>(shape_.heads) * keys_and_values.tokens.count;
    work.weights.Reserve(size);
    float* scores = nullptr;
    if (work.observer != nullptr) {
      work.scores.Reserve(size);
      scores = work.scores.data();
    }
    Attend(queries.row(row), keys_and_values, shape_, work.weights.data(), scores,
           work.context.row(row));
    if (work.observer != nullptr) {
      work.observer->OnQuery(site_, shape_,
                             {row, queries.row(row), keys_and_values, scores, work.weights.data(),
                              work.context.row(row)});
    }
  }
  if (work.observer != nullptr) {
    output_.Apply(work.context, work.output, work.products);
    work.observer->OnOutput(site_, work.output, output_);
  }
  output_.ApplyAndAdd(work.context, y, work.products);
}

}  // namespace limpid

#include "engine/transformer/attention.h"

#include <algorithm>
#include <cmath>

namespace limpid::internal {

namespace {

// Compacts a matrix from [rows, PaddedKeys(keys)] to [rows, keys].
void RemovePadding(int rows, int keys, float* matrix) {
  for (int row = 1; row < rows; ++row) {
    std::copy_n(matrix + static_cast<ptrdiff_t>(row) * PaddedKeys(keys), keys,
                matrix + static_cast<ptrdiff_t>(row) * keys);
  }
}

}  // namespace

void Attend(const float* query, const KeysAndValues& visible, Heads shape, float* weights,
            float* scores, float* context) {
  const int keys = visible.tokens.count;
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim));
  QueryKeyScores(query, visible.tokens, visible.key_offset, shape, scale, weights);
  if (scores != nullptr) {
    std::copy_n(weights, static_cast<ptrdiff_t>(shape.heads) * PaddedKeys(keys), scores);
  }
  Softmax(shape.heads, keys, weights);
  WeightedSum(weights, visible.tokens, visible.value_offset, shape, context);
}

void Attention::ApplyAndAdd(const Matrix& queries,
                            absl::FunctionRef<KeysAndValues(int row)> visible, Matrix& y,
                            Execution& exec) const {
  exec.work.context.Resize(queries.rows(), y.columns());
  for (int row = 0; row < queries.rows(); ++row) {
    const KeysAndValues keys_and_values = visible(row);
    const int keys = keys_and_values.tokens.count;
    const size_t size = static_cast<size_t>(shape_.heads) * PaddedKeys(keys);
    exec.work.weights.Reserve(size);
    float* scores = nullptr;
    if (exec.observer != nullptr) {
      exec.work.scores.Reserve(size);
      scores = exec.work.scores.data();
    }
    Attend(queries.row(row), keys_and_values, shape_, exec.work.weights.data(), scores,
           exec.work.context.row(row));
    if (exec.observer != nullptr) {
      RemovePadding(shape_.heads, keys, scores);
      RemovePadding(shape_.heads, keys, exec.work.weights.data());
      exec.observer->OnQuery(id_, shape_,
                             {row, queries.row(row), keys_and_values, scores,
                              exec.work.weights.data(), exec.work.context.row(row)});
    }
  }
  if (exec.observer != nullptr) {
    output_.Apply(exec.work.context, exec.work.output, exec.gemm);
    exec.observer->OnOutput(id_, exec.work.output, output_);
  }
  output_.ApplyAndAdd(exec.work.context, y, exec.gemm);
}

}  // namespace limpid::internal

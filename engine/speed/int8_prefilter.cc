#include "engine/speed/int8_prefilter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/math/attention_ops.h"
#include "engine/speed/fast_packing.h"

namespace limpid::internal {
namespace {

float Norm(const float* x, int size) {
  return std::sqrt(std::transform_reduce(x, x + size, x, 0.0F));
}

// Bound of |x - X| for x of `size` numbers.
float RoundingError(float scale, int size) {
  return scale / 2 * std::sqrt(static_cast<float>(size));
}

// Bound of a float32 dot product's error, relative to |x| |w|.
float SummationError(int size) { return static_cast<float>(size + 2) * 0x1p-24F; }

// Max |w| over all rows but those of bad words; infinity if a weight is not finite.
float MaxNorm(const TensorView& weights, absl::Span<const int> bad_words) {
  const int size = static_cast<int>(weights.columns());
  std::vector<float> row(size);
  float largest = 0;
  for (int64_t i = 0; i < weights.rows(); ++i) {
    if (std::find(bad_words.begin(), bad_words.end(), i) != bad_words.end()) continue;
    ReadRow(weights, i, row.data());
    const float norm = Norm(row.data(), size);
    if (!std::isfinite(norm)) return std::numeric_limits<float>::infinity();
    largest = std::max(largest, norm);
  }
  return largest;
}

// Drops the model's input scale, which may clip large inputs, so that each row has its own scale.
LinearWeights WithoutInputScale(LinearWeights weights) {
  weights.weight.input_scale = 0;
  return weights;
}

}  // namespace

Int8Prefilter::Int8Prefilter(const LinearWeights& output, absl::Span<const int> bad_words)
    : output_(output),
      bias_(ReadAll(output.bias)),
      int8_(Linear::Pack({WithoutInputScale(output)}, FastPacking(ComputeType::kInt8), bad_words)),
      weight_norm_(MaxNorm(output.weight, bad_words)),
      weight_error_(RoundingError(int8_.LargestScale(), int8_.in())) {
  for (const int word : bad_words) bias_[word] = -std::numeric_limits<float>::infinity();
}

void Int8Prefilter::ArgMax(const Matrix& x, std::vector<MaxLogit>& best, PrefilterScratch& scratch,
                           Gemm& gemm) const {
  const auto margin = [&](int row, float input_scale) {
    const float input_error = RoundingError(input_scale, int8_.in());
    const float input_norm = Norm(x.row(row), int8_.in()) + input_error;
    // The int8 logits and this bound are themselves rounded to float32.
    constexpr float kSlack = 1.0625F;
    return 2 * kSlack * (input_error * weight_norm_ + input_norm * weight_error_) +
           4 * SummationError(int8_.in()) * input_norm * weight_norm_;
  };
  int8_.FindCandidates(x, margin, scratch.candidates, gemm);
  scratch.fallback_rows.clear();
  best.resize(x.rows());
  for (int row = 0; row < x.rows(); ++row) {
    const PrefilterCandidates& candidates = scratch.candidates[row];
    if (candidates.count == 0 || candidates.count > PrefilterCandidates::kMax ||
        !ExactArgMax(candidates, x.row(row), scratch.weights, best[row])) {
      scratch.fallback_rows.push_back(row);
    }
  }
}

bool Int8Prefilter::ExactArgMax(const PrefilterCandidates& candidates, const float* x,
                                Matrix& weights, MaxLogit& best) const {
  weights.Resize(PrefilterCandidates::kMax, int8_.in());
  std::array<const float*, PrefilterCandidates::kMax> rows;
  for (int i = 0; i < candidates.count; ++i) {
    ReadRow(output_.weight, candidates.columns[i], weights.row(i));
    rows[i] = weights.row(i);
  }
  std::array<float, PaddedKeys(PrefilterCandidates::kMax)> logits;
  QueryKeyScores(x, {rows.data(), candidates.count}, /*offset=*/0,
                 {.heads = 1, .head_dim = int8_.in()},
                 /*scale=*/1, logits.data());
  best = {.logit = -std::numeric_limits<float>::infinity()};
  int best_candidate = 0;
  for (int i = 0; i < candidates.count; ++i) {
    const int column = candidates.columns[i];
    logits[i] += bias_[column];
    if (logits[i] <= best.logit) continue;
    best = {.index = column, .logit = logits[i]};
    best_candidate = i;
  }
  const float norm = Norm(x, int8_.in());
  const auto error = [&](int i) {
    const float bias = std::abs(bias_[candidates.columns[i]]);
    return SummationError(int8_.in()) * (norm * Norm(rows[i], int8_.in()) + bias);
  };
  for (int i = 0; i < candidates.count; ++i) {
    if (i == best_candidate) continue;
    if (logits[i] + 2 * (error(i) + error(best_candidate)) >= best.logit) return false;
  }
  return true;
}

}  // namespace limpid::internal

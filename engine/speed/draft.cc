#include "engine/speed/draft.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "engine/math/quantize.h"
#include "engine/speed/fast_packing.h"

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/speed/draft.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h.
#include "engine/math/simd-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace limpid::internal {
namespace HWY_NAMESPACE {

// Σ x[i] · row[i]. `size` is a multiple of DraftLayer::kRowGranularity.
int32_t Dot(const int16_t* HWY_RESTRICT x, const int8_t* HWY_RESTRICT row, int size) {
  const hn::CappedTag<int16_t, DraftLayer::kRowGranularity> d;
  const hn::Rebind<int8_t, decltype(d)> bytes;
  const hn::RepartitionToWide<decltype(d)> sums;
  const int lanes = static_cast<int>(hn::Lanes(d));
  auto sum0 = hn::Zero(sums);
  auto sum1 = sum0;
  for (int i = 0; i < size; i += lanes) {
    const auto wide = hn::PromoteTo(d, hn::LoadU(bytes, row + i));
    sum0 = hn::ReorderWidenMulAccumulate(sums, hn::LoadU(d, x + i), wide, sum0, sum1);
  }
  return hn::GetLane(hn::SumOfLanes(sums, hn::Add(sum0, sum1)));
}

}  // namespace HWY_NAMESPACE
}  // namespace limpid::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limpid::internal {
namespace {

HWY_EXPORT(Dot);

}  // namespace

DraftLayer::DraftLayer(const LinearWeights& output)
    : model_dim_(static_cast<int>(output.weight.columns())),
      row_size_((model_dim_ + kRowGranularity - 1) / kRowGranularity * kRowGranularity) {
  const int64_t vocab = output.weight.rows();
  weights_ = AllocateInHugePages(vocab * row_size_);
  bias_ = ReadAll(output.bias);
  std::vector<float> scratch;
  for (int64_t row = 0; row < vocab; ++row) {
    auto* const integers = reinterpret_cast<int8_t*>(weights_.get()) + row * row_size_;
    std::fill(integers + model_dim_, integers + row_size_, int8_t{0});
    scales_.push_back(QuantizeRow(output.weight, row, scratch, integers));
  }
}

int DraftLayer::ArgMax(const float* x, absl::Span<const int> candidates,
                       Buffer<int16_t>& input) const {
  assert(!candidates.empty());
  input.Reserve(row_size_);
  const float scale = Quantize(x, model_dim_, input.data());
  std::fill(input.data() + model_dim_, input.data() + row_size_, int16_t{0});
  const auto* const weights = reinterpret_cast<const int8_t*>(weights_.get());
  const auto dot = HWY_DYNAMIC_DISPATCH(Dot);
  int best = candidates[0];
  float best_score = -std::numeric_limits<float>::infinity();
  for (const int candidate : candidates) {
    const int32_t sum = dot(input.data(), weights + int64_t{candidate} * row_size_, row_size_);
    const float score = static_cast<float>(sum) * (scale * scales_[candidate]) + bias_[candidate];
    if (score > best_score) {
      best_score = score;
      best = candidate;
    }
  }
  return best;
}

}  // namespace limpid::internal
#endif  // HWY_ONCE

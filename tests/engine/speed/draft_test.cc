// Against plain arithmetic over the same integers.

#include "engine/speed/draft.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "tests/engine/simd_fixture.h"

namespace limpid::internal {
namespace {

constexpr int kVocab = 50;

class DraftLayerTest : public SimdTest {
 protected:
  // Float32 weights that quantize to themselves: each row contains 127.
  DraftLayer Make(int model_dim) {
    std::mt19937 random(7);
    std::uniform_int_distribution<int> integer(-127, 127);
    weights_.resize(kVocab * model_dim);
    for (float& weight : weights_) weight = static_cast<float>(integer(random));
    for (int row = 0; row < kVocab; ++row) weights_[row * model_dim] = 127;
    bias_ = Normal(kVocab, 100);
    const TensorView weight = {.dtype = DType::kFloat32,
                               .shape = {kVocab, model_dim},
                               .data = reinterpret_cast<const std::byte*>(weights_.data())};
    const TensorView bias = {.dtype = DType::kFloat32,
                             .shape = {kVocab},
                             .data = reinterpret_cast<const std::byte*>(bias_.data())};
    return DraftLayer({weight, bias});
  }

  // Inputs that quantize to themselves.
  static std::vector<float> Input(int model_dim) {
    std::mt19937 random(9);
    std::uniform_int_distribution<int> integer(-127, 127);
    std::vector<float> x(model_dim);
    for (float& value : x) value = static_cast<float>(integer(random));
    x[0] = 127;
    return x;
  }

  int PlainArgMax(const std::vector<float>& x, const std::vector<int>& candidates) const {
    int best = -1;
    double largest = -std::numeric_limits<double>::infinity();
    for (const int candidate : candidates) {
      double score = bias_[candidate];
      for (size_t i = 0; i < x.size(); ++i)
        score += 1.0 * x[i] * weights_[candidate * x.size() + i];
      if (score > largest) {
        largest = score;
        best = candidate;
      }
    }
    return best;
  }

  std::vector<float> weights_, bias_;
  Buffer<int16_t> scratch_;
};
LIMPID_ON_ALL_INSTRUCTION_SETS(DraftLayerTest);

TEST_P(DraftLayerTest, FindsTheBestOfTheCandidates) {
  std::vector<int> all(kVocab);
  std::iota(all.begin(), all.end(), 0);
  for (const int model_dim : {1, 10, 63, 64, 65, 256, 300}) {
    SCOPED_TRACE(model_dim);
    const DraftLayer layer = Make(model_dim);
    const std::vector<float> x = Input(model_dim);
    // The best of all, the best of the others, and so on.
    for (std::vector<int> candidates = all; !candidates.empty();) {
      const int best = layer.ArgMax(x.data(), candidates, scratch_);
      ASSERT_EQ(best, PlainArgMax(x, candidates));
      candidates.erase(std::find(candidates.begin(), candidates.end(), best));
    }
  }
}

TEST_P(DraftLayerTest, UsesStoredInt8WithItsScales) {
  const std::vector<int8_t> integers = {1, 2, 3, 4};
  const std::vector<float> scales = {10, 1};
  const std::vector<float> biases = {0, 1};
  const TensorView weight = {.dtype = DType::kInt8,
                             .shape = {2, 2},
                             .data = reinterpret_cast<const std::byte*>(integers.data()),
                             .scales = scales.data()};
  const TensorView bias = {.dtype = DType::kFloat32,
                           .shape = {2},
                           .data = reinterpret_cast<const std::byte*>(biases.data())};
  const DraftLayer layer({weight, bias});
  const float x[] = {1, 1};
  EXPECT_EQ(layer.ArgMax(x, {0, 1}, scratch_), 0);  // 30 against 8
  const float opposite[] = {-1, -1};
  EXPECT_EQ(layer.ArgMax(opposite, {0, 1}, scratch_), 1);
}

// As in a broken model: any candidate will do.
TEST_P(DraftLayerTest, NaNGivesACandidate) {
  const DraftLayer layer = Make(8);
  const std::vector<float> x(8, std::nanf(""));
  bias_.assign(kVocab, std::nanf(""));
  const DraftLayer broken({{.dtype = DType::kFloat32,
                            .shape = {kVocab, 8},
                            .data = reinterpret_cast<const std::byte*>(weights_.data())},
                           {.dtype = DType::kFloat32,
                            .shape = {kVocab},
                            .data = reinterpret_cast<const std::byte*>(bias_.data())}});
  const std::vector<int> candidates = {7, 11};
  for (const DraftLayer* each : {&layer, &broken}) {
    const int best = each->ArgMax(x.data(), candidates, scratch_);
    EXPECT_TRUE(best == 7 || best == 11) << best;
  }
}

}  // namespace
}  // namespace limpid::internal

// Shared by the tests of SIMD functions: each function is checked on every instruction set of this
// machine, for sizes that fill whole vectors and sizes that leave a remainder.
//
// Tolerances are bounds, not measurements: one kUnit per rounding, of the magnitudes added there. A
// sum of n terms takes n roundings in any order.

#ifndef LIMPID_TESTS_ENGINE_SIMD_FIXTURE_H_
#define LIMPID_TESTS_ENGINE_SIMD_FIXTURE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hwy/targets.h"

namespace limpid::internal {

constexpr double kUnit = 1.0 / (1 << 24);  // float32 rounds to one part in 2^24
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr int kOddSize = 37;  // whole vectors and a remainder on every instruction set

inline std::vector<int> Sizes() {
  std::vector<int> sizes = {256, 1000};
  for (int size = 1; size <= 70; ++size) sizes.push_back(size);
  return sizes;
}

// Room for `size` results, followed by a guard that must stay untouched.
constexpr float kUntouched = -12345.5F;
constexpr int kGuard = 16;

inline std::vector<float> Output(int size) { return std::vector<float>(size + kGuard, kUntouched); }

inline void ExpectGuardUntouched(const std::vector<float>& out) {
  EXPECT_THAT(std::vector<float>(out.end() - kGuard, out.end()), testing::Each(kUntouched));
}

inline double LogOfSumOfExp(const std::vector<float>& x) {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const float value : x) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

class SimdTest : public testing::TestWithParam<int64_t> {
 protected:
  SimdTest() { hwy::SetSupportedTargetsForTest(GetParam()); }
  ~SimdTest() override { hwy::SetSupportedTargetsForTest(0); }

  std::vector<float> Normal(int size, float deviation = 1, float mean = 0) {
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> values(size);
    for (float& value : values) value = normal(random_);
    return values;
  }

  std::mt19937 random_{1};
};

#define LIMPID_ON_ALL_INSTRUCTION_SETS(test_suite)                                 \
  INSTANTIATE_TEST_SUITE_P(InstructionSets, test_suite,                            \
                           testing::ValuesIn(hwy::SupportedAndGeneratedTargets()), \
                           [](const testing::TestParamInfo<int64_t>& target) {     \
                             return std::string(hwy::TargetName(target.param));    \
                           })

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_ENGINE_SIMD_FIXTURE_H_

#include "engine/transformer/ssru.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/made_up_weights.h"

namespace limpid::internal {
namespace {

using testing::FloatNear;
using testing::Pointwise;

constexpr int kModelDim = 20;  // not a multiple of a vector's lanes

struct StoredLinear {
  explicit StoredLinear(unsigned seed)
      : weight(Normal(kModelDim * kModelDim, seed)), bias(Normal(kModelDim, seed + 1)) {}
  LinearWeights view() const {
    return {View(weight, {kModelDim, kModelDim}), View(bias, {kModelDim})};
  }
  // x Wᵀ + b, in double.
  std::vector<double> Apply(const std::vector<double>& x) const {
    std::vector<double> y(bias.begin(), bias.end());
    for (int out = 0; out < kModelDim; ++out) {
      for (int in = 0; in < kModelDim; ++in) y[out] += weight[out * kModelDim + in] * x[in];
    }
    return y;
  }
  std::vector<float> weight, bias;
};

class SsruTest : public testing::TestWithParam<DecoderSelfAttention> {
 protected:
  bool has_output() const { return GetParam() == DecoderSelfAttention::kSsruWithOutput; }

  Ssru Make() const {
    return Ssru({.input = input_.view(), .forget = forget_.view(), .output = output_.view()},
                GetParam(), ComputeType::kFloat32);
  }

  // The formula of ssru.h for one token: returns what it adds to y, and updates `state`.
  std::vector<float> Step(const float* row, std::vector<double>& state) const {
    const std::vector<double> x(row, row + kModelDim);
    const std::vector<double> f = forget_.Apply(x);
    const std::vector<double> w = input_.Apply(x);
    std::vector<double> y(kModelDim);
    for (int i = 0; i < kModelDim; ++i) {
      const double gate = 1 / (1 + std::exp(-f[i]));
      state[i] = gate * state[i] + (1 - gate) * w[i];
      y[i] = std::max(0.0, state[i]);
    }
    if (has_output()) y = output_.Apply(y);
    return {y.begin(), y.end()};
  }

  const StoredLinear input_{1};
  const StoredLinear forget_{3};
  const StoredLinear output_{5};
  const SingleThreadScope single_thread_;
  Execution exec_;
};

Matrix Rows(int rows, unsigned seed) {
  Matrix x;
  x.Resize(rows, kModelDim);
  const std::vector<float> values = Normal(rows * kModelDim, seed);
  std::copy(values.begin(), values.end(), x.row(0));
  return x;
}

std::vector<float> RowOf(const Matrix& x, int row) { return {x.row(row), x.row(row) + kModelDim}; }

// The tokens of two sentences, four and three, interleaved as in a decoder step.
TEST_P(SsruTest, FollowsItsFormulaAlongEachSentence) {
  const std::vector<int> sentences = {0, 1, 0, 0, 1, 1, 0};
  const int rows = static_cast<int>(sentences.size());
  const Matrix x = Rows(rows, 7);
  Matrix y = Rows(rows, 8);
  const std::vector<std::vector<float>> before = [&] {
    std::vector<std::vector<float>> copies;
    for (int row = 0; row < rows; ++row) copies.push_back(RowOf(y, row));
    return copies;
  }();
  std::vector<float> states(rows * kModelDim);
  std::vector<const float*> last(2, nullptr);
  Make().ApplyAndAdd(
      x,
      [&](int row) {
        float* after = &states[row * kModelDim];
        return SsruStates{std::exchange(last[sentences[row]], after), after};
      },
      y, exec_);

  std::vector<std::vector<double>> expected_states(2, std::vector<double>(kModelDim));
  for (int row = 0; row < rows; ++row) {
    std::vector<float> expected = Step(x.row(row), expected_states[sentences[row]]);
    for (int i = 0; i < kModelDim; ++i) expected[i] += before[row][i];
    EXPECT_THAT(RowOf(y, row), Pointwise(FloatNear(1e-4F), expected)) << "row " << row;
  }
}

// Post-norm layers add the output to the input itself.
TEST_P(SsruTest, InputAndOutputMayBeTheSame) {
  const Matrix x = Rows(3, 9);
  Matrix apart = Rows(3, 9);
  Matrix same = Rows(3, 9);
  std::vector<float> states(3 * kModelDim);
  const auto firsts = [&](int row) { return SsruStates{nullptr, &states[row * kModelDim]}; };
  Make().ApplyAndAdd(x, firsts, apart, exec_);
  Make().ApplyAndAdd(same, firsts, same, exec_);
  for (int row = 0; row < 3; ++row) EXPECT_EQ(RowOf(same, row), RowOf(apart, row));
}

TEST_P(SsruTest, TheStateMayBeUpdatedInPlace) {
  const Matrix x = Rows(2, 10);
  Matrix y = Rows(2, 11);
  std::vector<float> state(kModelDim);
  Make().ApplyAndAdd(
      x,
      [&](int row) {
        return SsruStates{row == 0 ? nullptr : state.data(), state.data()};
      },
      y, exec_);
  std::vector<double> expected(kModelDim);
  Step(x.row(0), expected);
  Step(x.row(1), expected);
  EXPECT_THAT(state, Pointwise(FloatNear(1e-4F), expected));
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutOutput, SsruTest,
                         testing::Values(DecoderSelfAttention::kSsru,
                                         DecoderSelfAttention::kSsruWithOutput),
                         [](const auto& param) {
                           return param.param == DecoderSelfAttention::kSsru ? "Without" : "With";
                         });

}  // namespace
}  // namespace limpid::internal

// What tests of the output layer share: a random layer, and outputs of a decoder for it.

#ifndef LIMPID_TESTS_ENGINE_OUTPUT_FIXTURE_H_
#define LIMPID_TESTS_ENGINE_OUTPUT_FIXTURE_H_

#include <random>
#include <utility>
#include <vector>

#include "engine/math/linear.h"
#include "engine/math/matrix.h"
#include "engine/transformer/output.h"
#include "gtest/gtest.h"
#include "tests/engine/compute_types.h"

namespace limpid::internal {

class OutputFixture : public testing::TestWithParam<ComputeType> {
 protected:
  static constexpr int kVocab = 700;
  static constexpr int kModelDim = 24;
  static constexpr int kInputs = 5;

  OutputFixture() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    weights_.resize(kVocab * kModelDim);
    bias_.resize(kVocab);
    for (float& value : weights_) value = normal(random);
    for (float& value : bias_) value = normal(random);
    x_.Resize(kInputs, kModelDim);
    for (int i = 0; i < kInputs * kModelDim; ++i) x_.row(0)[i] = normal(random);
  }

  OutputLayer MakeLayer(std::vector<int> bad_words) const {
    ModelConfig config;
    config.bad_words = std::move(bad_words);
    const TensorView weight = {.dtype = DType::kFloat32,
                               .shape = {kVocab, kModelDim},
                               .data = reinterpret_cast<const std::byte*>(weights_.data())};
    const TensorView bias = {.dtype = DType::kFloat32,
                             .shape = {kVocab},
                             .data = reinterpret_cast<const std::byte*>(bias_.data())};
    return {config, {weight, bias}, GetParam()};
  }

  Matrix Logits(const OutputLayer& layer, ActiveVocabulary vocabulary = {}) {
    Matrix logits;
    layer.Apply(x_, vocabulary, logits, gemm_);
    return logits;
  }

  const SingleThreadScope single_thread_;
  std::vector<float> weights_;
  std::vector<float> bias_;
  Matrix x_;
  Gemm gemm_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_ENGINE_OUTPUT_FIXTURE_H_

#include "engine/transformer/decoder.h"

#include <cmath>
#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "tests/reference/random_model.h"
#include "tests/reference/reference.h"

namespace limpid::internal {
namespace {

using Ids = std::vector<int>;
using Logits = std::vector<std::vector<float>>;  // [inputs, vocab]

class DecoderTest : public testing::Test {
 protected:
  DecoderTest()
      : checkpoint_(reference::RandomModel(Config(), /*seed=*/5)),
        config_(checkpoint_.config),
        weights_(*BindWeights(config_, checkpoint_.tensors)),
        encoder_(config_, weights_, ComputeType::kFloat32),
        decoder_(config_, weights_, ComputeType::kFloat32),
        oracle_(config_, weights_) {}

  static ModelConfig Config() {
    ModelConfig config = reference::SmallConfig();
    config.decoder_layers = 3;
    return config;
  }

  // Encodes the sentences and empties the self-attention cache of each hypothesis.
  void Start(const std::vector<Ids>& sentences, int hypotheses) {
    source_.Clear();
    for (const Ids& ids : sentences) source_.Add(ids);
    const Matrix& encoded = encoder_.Encode(source_, {0, source_.sentences()}, exec_);
    decoder_.ReserveCrossKeysValues(source_.tokens(), cross_cache_);
    decoder_.ProjectCrossKeysValues(encoded, /*first_token=*/0, cross_cache_, exec_.gemm);
    self_cache_.Reset(config_.decoder_layers, config_.model_dim, hypotheses);
  }

  Logits Step(const std::vector<DecoderInput>& inputs) {
    const Matrix& output = decoder_.Step({inputs, source_, cross_cache_, self_cache_}, exec_);
    Matrix all;
    ActiveVocabulary vocabulary;
    decoder_.output().Apply(output, vocabulary, all, exec_.gemm);
    EXPECT_EQ(all.rows(), static_cast<int>(inputs.size()));
    EXPECT_EQ(all.columns(), config_.target_vocab_size);
    Logits logits;
    for (int row = 0; row < all.rows(); ++row) {
      const float* begin = all.row(row);
      logits.emplace_back(begin, begin + config_.target_vocab_size);
    }
    return logits;
  }

  // The inputs of a whole target in one step, for the only hypothesis.
  static std::vector<DecoderInput> WholeTarget(const Ids& ids) {
    std::vector<DecoderInput> inputs;
    for (const int id : ids) inputs.push_back({id, static_cast<int>(inputs.size()), 0, 0});
    return inputs;
  }

  static void ExpectNear(const std::vector<float>& found, const reference::Vector& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 5e-5);
  }

  const SingleThreadScope single_thread_;
  const Checkpoint checkpoint_;
  const ModelConfig config_;
  const ModelWeights weights_;
  const Encoder encoder_;
  const Decoder decoder_;
  const reference::Transformer oracle_;
  SourceBatch source_;
  CrossAttentionCache cross_cache_;
  SelfAttentionCache self_cache_;
  Execution exec_;
};

// One output of x Wᵀ + b, in double.
double Project(const reference::Vector& x, const LinearWeights& linear, int out) {
  std::vector<float> w(x.size());
  ReadRow(linear.weight, out, w.data());
  double sum = ReadAll(linear.bias)[out];
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * w[i];
  return sum;
}

TEST_F(DecoderTest, TheCrossCacheHoldsKeysAndValuesOfEveryLayer) {
  const std::vector<Ids> sentences = {{5, 6, 7, 0}, {8, 0}};
  Start(sentences, 1);
  const int model_dim = config_.model_dim;
  ASSERT_EQ(cross_cache_.keys_values.rows(), 6);
  ASSERT_EQ(cross_cache_.keys_values.columns(), 3 * 2 * model_dim);
  ASSERT_EQ(cross_cache_.rows.size(), 6U);
  for (int s = 0; s < 2; ++s) {
    const reference::Matrix encoded = oracle_.Encode(sentences[s]);
    for (size_t token = 0; token < encoded.size(); ++token) {
      const float* row = cross_cache_.rows[source_.begin(s) + token];
      for (int layer = 0; layer < 3; ++layer) {
        const AttentionWeights& attention = weights_.decoder_layers[layer].cross_attention;
        for (int i = 0; i < model_dim; ++i) {
          ASSERT_NEAR(row[i], Project(encoded[token], attention.key, i), 2e-5);
          ASSERT_NEAR(row[model_dim + i], Project(encoded[token], attention.value, i), 2e-5);
        }
        row += 2 * model_dim;
      }
    }
  }
}

TEST_F(DecoderTest, StepByStepEqualsAllAtOnce) {
  const Ids target = {-1, 4, 9, 3, 17};
  const reference::Matrix expected = oracle_.Decode(oracle_.Encode({5, 6, 0}), target);
  Start({{5, 6, 0}}, 1);
  const Logits at_once = Step(WholeTarget(target));
  Start({{5, 6, 0}}, 1);
  for (int position = 0; position < 5; ++position) {
    const Logits logits = Step({{target[position], position, 0, 0}});
    EXPECT_EQ(self_cache_.length(0), position + 1);
    ExpectNear(logits[0], expected[position]);
    ExpectNear(at_once[position], expected[position]);
  }
}

TEST_F(DecoderTest, LaterInputsHaveNoInfluence) {
  Start({{5, 6, 0}}, 1);
  const Logits before = Step(WholeTarget({-1, 4, 9, 3, 17}));
  for (int changed = 1; changed < 5; ++changed) {
    Ids target = {-1, 4, 9, 3, 17};
    target[changed] = 21;
    Start({{5, 6, 0}}, 1);
    const Logits after = Step(WholeTarget(target));
    for (int position = 0; position < 5; ++position) {
      if (position < changed) {
        EXPECT_EQ(after[position], before[position]) << "input " << changed << " was seen early";
      } else {
        EXPECT_NE(after[position], before[position]) << "input " << changed << " was not seen";
      }
    }
  }
}

TEST_F(DecoderTest, ASentenceSeesNoOtherSource) {
  const std::vector<DecoderInput> inputs = {{-1, 0, 0, 0}, {-1, 0, 1, 1}, {-1, 0, 2, 2}};
  Start({{5, 6, 0}, {7, 8, 9, 0}, {10, 0}}, 3);
  const Logits before = Step(inputs);
  Start({{25, 26, 0}, {7, 8, 9, 0}, {20, 0}}, 3);
  const Logits after = Step(inputs);
  EXPECT_NE(after[0], before[0]);
  EXPECT_EQ(after[1], before[1]);
  EXPECT_NE(after[2], before[2]);
}

TEST_F(DecoderTest, HypothesesOfOneSentenceShareItsCrossCache) {
  const std::vector<Ids> sentences = {{5, 6, 7, 0}, {8, 9, 0}};
  // Hypotheses 0 and 2 are of the second sentence and take the same tokens, 1 takes others, and 3
  // is of the first sentence.
  const std::vector<Ids> targets = {{-1, 4, 9}, {-1, 4, 12}, {-1, 4, 9}, {-1, 4, 9}};
  const std::vector<int> sentence_of = {1, 1, 1, 0};
  Start(sentences, 4);
  Logits logits;
  for (int position = 0; position < 3; ++position) {
    std::vector<DecoderInput> inputs;
    for (int h = 0; h < 4; ++h) {
      inputs.push_back({targets[h][position], position, h, sentence_of[h]});
    }
    logits = Step(inputs);
    for (int h = 0; h < 4; ++h) {
      const reference::Matrix encoded = oracle_.Encode(sentences[sentence_of[h]]);
      ExpectNear(logits[h], oracle_.Decode(encoded, targets[h])[position]);
    }
  }
  EXPECT_EQ(logits[0], logits[2]);
  EXPECT_NE(logits[0], logits[1]);
  EXPECT_NE(logits[0], logits[3]);
}

// A batch shrinks as sentences end, and its hypotheses may come in any order.
TEST_F(DecoderTest, InputsMayComeInAnyOrderAndAtAnyPosition) {
  const std::vector<Ids> sentences = {{5, 6, 7, 0}, {8, 9, 0}};
  const Ids first = {-1, 4, 9};
  const Ids second = {-1, 11};
  const reference::Matrix first_expected = oracle_.Decode(oracle_.Encode(sentences[0]), first);
  const reference::Matrix second_expected = oracle_.Decode(oracle_.Encode(sentences[1]), second);
  Start(sentences, 2);
  ExpectNear(Step({{-1, 0, 0, 0}})[0], first_expected[0]);
  Logits logits = Step({{-1, 0, 1, 1}, {4, 1, 0, 0}});
  ExpectNear(logits[0], second_expected[0]);
  ExpectNear(logits[1], first_expected[1]);
  logits = Step({{9, 2, 0, 0}, {11, 1, 1, 1}});
  ExpectNear(logits[0], first_expected[2]);
  ExpectNear(logits[1], second_expected[1]);
}

}  // namespace
}  // namespace limpid::internal

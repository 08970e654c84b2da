// The engine against the oracle: random weights, every option that changes the arithmetic.

#include "engine/transformer/transformer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/reference/random_model.h"
#include "tests/reference/reference.h"

namespace limpid::internal {
namespace {

// Float32 rounds to one part in 2^24. A value here takes some hundred roundings, most of which
// cancel; the largest error seen is 34 units of the largest value in its row.
constexpr double kUnit = 1.0 / (1 << 24);
constexpr double kTolerance = 100 * kUnit;

struct Variant {
  const char* name;
  void (*change)(ModelConfig& config);
};

std::vector<Variant> Variants() {
  return {
      {"Base", [](ModelConfig&) {}},
      {"PreNorm",
       [](ModelConfig& c) {
         c.norm_order = NormOrder::kPre;
         c.final_norm = true;
       }},
      {"PreNormWithoutFinalNorm", [](ModelConfig& c) { c.norm_order = NormOrder::kPre; }},
      {"PostNormWithFinalNorm", [](ModelConfig& c) { c.final_norm = true; }},
      {"EmbeddingNorm", [](ModelConfig& c) { c.embedding_norm = true; }},
      {"OneHead", [](ModelConfig& c) { c.encoder_heads = c.decoder_heads = 1; }},
      {"HeadOfOneColumn", [](ModelConfig& c) { c.encoder_heads = c.decoder_heads = 16; }},
      {"OddHeadDim",
       [](ModelConfig& c) {
         c.model_dim = 15;
         c.encoder_heads = 3;
         c.decoder_heads = 5;
       }},
      {"WideHead",
       [](ModelConfig& c) {
         c.model_dim = 72;
         c.encoder_heads = c.decoder_heads = 2;
       }},
      {"SidesDiffer",
       [](ModelConfig& c) {
         c.encoder_layers = 3;
         c.decoder_layers = 1;
         c.encoder_ffn_dim = 40;
         c.decoder_ffn_dim = 17;
         c.encoder_heads = 8;
         c.decoder_heads = 2;
       }},
      {"SeparateVocabularies",
       [](ModelConfig& c) {
         c.shared_embeddings = false;
         c.target_vocab_size = 41;
       }},
      {"Ssru", [](ModelConfig& c) { c.decoder_self_attention = DecoderSelfAttention::kSsru; }},
      {"SsruWithOutput",
       [](ModelConfig& c) { c.decoder_self_attention = DecoderSelfAttention::kSsruWithOutput; }},
      {"SsruPreNormOfOddWidth",
       [](ModelConfig& c) {
         c.decoder_self_attention = DecoderSelfAttention::kSsru;
         c.norm_order = NormOrder::kPre;
         c.model_dim = 15;
         c.encoder_heads = c.decoder_heads = 3;
       }},
      {"UntiedOutput", [](ModelConfig& c) { c.tied_output = false; }},
      {"Gelu", [](ModelConfig& c) { c.activation = Activation::kGelu; }},
      {"GeluTanh", [](ModelConfig& c) { c.activation = Activation::kGeluTanh; }},
      {"GeluSigmoid", [](ModelConfig& c) { c.activation = Activation::kGeluSigmoid; }},
      {"Swish", [](ModelConfig& c) { c.activation = Activation::kSwish; }},
      {"MarianPositions", [](ModelConfig& c) { c.positions = Positions::kSinusoidalMarian; }},
      {"PositionsFromOne",
       [](ModelConfig& c) {
         c.positions = Positions::kSinusoidalMarian;
         c.first_position = 1;
       }},
      {"LearnedPositions", [](ModelConfig& c) { c.positions = Positions::kLearned; }},
      {"StartToken", [](ModelConfig& c) { c.decoder_start_id = 5; }},
  };
}

std::vector<int> RandomIds(int length, int vocab, std::mt19937& random) {
  std::uniform_int_distribution<int> id(1, vocab - 1);
  std::vector<int> ids(length);
  for (int& i : ids) i = id(random);
  return ids;
}

void ExpectRow(const float* row, const reference::Vector& expected) {
  double largest = 1;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(row[i], expected[i], kTolerance * largest) << "column " << i;
  }
}

class TransformerTest : public testing::TestWithParam<Variant> {
 protected:
  TransformerTest() {
    ModelConfig config = reference::SmallConfig();
    GetParam().change(config);
    Checkpoint checkpoint = reference::RandomModel(config, /*seed=*/7);
    config_ = checkpoint.config;
    weights_ = *BindWeights(config_, checkpoint.tensors);
    transformer_.emplace(std::move(checkpoint), weights_, ComputeType::kFloat32);
    oracle_.emplace(config_, weights_);
    std::mt19937 random(11);
    // 70 source tokens together: more than one GEMM block of rows.
    for (const int length : {1, 2, 13, 5, 33, 16}) {
      sources_.push_back(RandomIds(length, config_.source_vocab_size, random));
      targets_.push_back(RandomIds(length + 3, config_.target_vocab_size, random));
      targets_.back().insert(targets_.back().begin(), config_.decoder_start_id);
      batch_.Add(sources_.back());
    }
  }

  const Matrix& Logits(const std::vector<DecoderInput>& inputs) {
    const Matrix& output = transformer_->Step({inputs, batch_, cross_cache_, self_cache_}, exec_);
    return transformer_->Logits(output, vocabulary_, exec_);
  }

  const SingleThreadScope single_thread_;
  ModelConfig config_;
  ModelWeights weights_;
  std::optional<Transformer> transformer_;
  std::optional<reference::Transformer> oracle_;
  std::vector<std::vector<int>> sources_;
  std::vector<std::vector<int>> targets_;  // decoder inputs
  SourceBatch batch_;
  CrossAttentionCache cross_cache_;
  SelfAttentionCache self_cache_;
  ActiveVocabulary vocabulary_;  // all tokens
  Execution exec_;
};

TEST_P(TransformerTest, EncoderOutputMatchesOracle) {
  const Encoder encoder(config_, weights_, ComputeType::kFloat32);
  const Matrix& output = encoder.Encode(batch_, {0, batch_.sentences()}, exec_);
  for (int sentence = 0; sentence < batch_.sentences(); ++sentence) {
    const reference::Matrix expected = oracle_->Encode(sources_[sentence]);
    for (size_t token = 0; token < expected.size(); ++token) {
      SCOPED_TRACE(testing::Message() << "sentence " << sentence << ", token " << token);
      ExpectRow(output.row(batch_.begin(sentence) + static_cast<int>(token)), expected[token]);
    }
  }
}

TEST_P(TransformerTest, StepByStepLogitsMatchOracle) {
  transformer_->Encode(batch_, cross_cache_, exec_);
  self_cache_.Reset(config_.decoder_layers, config_.model_dim, batch_.sentences());
  std::vector<reference::Matrix> expected;
  for (size_t s = 0; s < sources_.size(); ++s) {
    expected.push_back(oracle_->Decode(oracle_->Encode(sources_[s]), targets_[s]));
  }
  // Sentences leave the batch as they end, at different steps.
  for (int position = 0;; ++position) {
    std::vector<DecoderInput> inputs;
    for (int s = 0; s < batch_.sentences(); ++s) {
      if (position < static_cast<int>(targets_[s].size())) {
        inputs.push_back({targets_[s][position], position, s, s});
      }
    }
    if (inputs.empty()) break;
    const Matrix& logits = Logits(inputs);
    for (size_t row = 0; row < inputs.size(); ++row) {
      SCOPED_TRACE(testing::Message()
                   << "sentence " << inputs[row].sentence << ", step " << position);
      ExpectRow(logits.row(static_cast<int>(row)), expected[inputs[row].sentence][position]);
    }
  }
}

TEST_P(TransformerTest, WholeTargetInOneStepMatchesOracle) {
  transformer_->Encode(batch_, cross_cache_, exec_);
  self_cache_.Reset(config_.decoder_layers, config_.model_dim, batch_.sentences());
  std::vector<DecoderInput> inputs;
  for (int s = 0; s < batch_.sentences(); ++s) {
    for (size_t i = 0; i < targets_[s].size(); ++i) {
      inputs.push_back({targets_[s][i], static_cast<int>(i), s, s});
    }
  }
  const Matrix& logits = Logits(inputs);
  int row = 0;
  for (int s = 0; s < batch_.sentences(); ++s) {
    const reference::Matrix expected = oracle_->Decode(oracle_->Encode(sources_[s]), targets_[s]);
    for (const reference::Vector& step : expected) ExpectRow(logits.row(row++), step);
  }
}

INSTANTIATE_TEST_SUITE_P(Options, TransformerTest, testing::ValuesIn(Variants()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace limpid::internal

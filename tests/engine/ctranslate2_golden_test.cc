// The engine on CTranslate2 models, against CTranslate2's own results in float32.
// tests/golden/make_ctranslate2_golden.py makes both.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "engine/searcher.h"
#include "engine/transformer/transformer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

constexpr double kTolerance = 2e-4;
constexpr char kGolden[] = "tests/golden/ctranslate2";

std::vector<std::string> Models() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class CTranslate2GoldenTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string folder = std::string(kGolden) + "/" + GetParam();
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(folder);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    config_ = checkpoint->config;
    vocabulary_ = checkpoint->source_vocabulary;
    weights_ = *BindWeights(config_, checkpoint->tensors);
    transformer_.emplace(*std::move(checkpoint), weights_, ComputeType::kFloat32);
    std::ifstream file(folder + "/golden.json");
    golden_ = nlohmann::json::parse(file);
    ASSERT_FALSE(golden_["sentences"].empty());
    for (const auto& sentence : golden_["sentences"]) {
      batch_.Add(Ids(sentence["source"].get<std::vector<std::string>>()));
    }
  }

  std::vector<int> Ids(const std::vector<std::string>& tokens) const {
    std::vector<int> ids;
    if (config_.source_bos_id >= 0) ids.push_back(config_.source_bos_id);
    for (const std::string& token : tokens) {
      const auto found = std::find(vocabulary_.begin(), vocabulary_.end(), token);
      ids.push_back(found == vocabulary_.end() ? config_.source_unk_id
                                               : static_cast<int>(found - vocabulary_.begin()));
    }
    // CTranslate2 got MarianMT's tokens with "</s>", as the tokenizer produces them.
    const bool has_eos = ids.back() == config_.source_eos_id;
    if (config_.source_eos_id >= 0 && !has_eos) ids.push_back(config_.source_eos_id);
    return ids;
  }

  const SingleThreadScope single_thread_;
  ModelConfig config_;
  std::vector<std::string> vocabulary_;
  ModelWeights weights_;
  std::optional<Transformer> transformer_;
  nlohmann::json golden_;
  SourceBatch batch_;
};

TEST_P(CTranslate2GoldenTest, GreedyOutputIsTheSame) {
  Searcher searcher(*transformer_);
  const SearchOptions options = {.max_output_tokens = golden_["max_output_tokens"]};
  const TokenConstraints constraints;
  const std::vector<Hypotheses>& found = searcher.Search(batch_, {options, constraints});
  for (size_t i = 0; i < found.size(); ++i) {
    const auto& sentence = golden_["sentences"][i];
    SCOPED_TRACE(sentence["source"]);
    EXPECT_EQ(found[i].front().ids, sentence["output_ids"].get<std::vector<int>>());
    EXPECT_THAT(found[i].front().log_probabilities,
                testing::Pointwise(testing::FloatNear(kTolerance),
                                   sentence["log_probabilities"].get<std::vector<float>>()));
  }
}

TEST_P(CTranslate2GoldenTest, BeamSearchFindsTheSame) {
  Searcher searcher(*transformer_);
  SearchOptions options;
  options.beam_size = golden_["beam_size"];
  options.max_output_tokens = golden_["max_output_tokens"];
  const TokenConstraints constraints;
  const std::vector<Hypotheses>& found = searcher.Search(batch_, {options, constraints});
  for (size_t i = 0; i < found.size(); ++i) {
    const auto& sentence = golden_["sentences"][i];
    SCOPED_TRACE(sentence["source"]);
    EXPECT_EQ(found[i].front().ids, sentence["beam_ids"].get<std::vector<int>>());
  }
}

TEST_P(CTranslate2GoldenTest, LogitsAgree) {
  Execution exec;
  CrossAttentionCache cross_cache;
  SelfAttentionCache self_cache;
  transformer_->Encode(batch_, cross_cache, exec);
  self_cache.Reset(config_.decoder_layers, config_.model_dim, batch_.sentences());
  for (int i = 0; i < batch_.sentences(); ++i) {
    const auto& sentence = golden_["sentences"][i];
    SCOPED_TRACE(sentence["source"]);
    int token = config_.decoder_start_id;
    std::vector<DecoderInput> inputs;
    for (const int id : sentence["output_ids"]) {
      inputs.push_back({token, static_cast<int>(inputs.size()), i, i});
      token = id;
    }
    ActiveVocabulary vocabulary;
    const Matrix& output = transformer_->Step({inputs, batch_, cross_cache, self_cache}, exec);
    const Matrix& all_logits = transformer_->Logits(output, vocabulary, exec);
    for (size_t step = 0; step < inputs.size(); ++step) {
      const std::vector<float> expected = sentence["logits"][step];
      ASSERT_EQ(expected.size(), static_cast<size_t>(config_.target_vocab_size));
      const float* logits = all_logits.row(static_cast<int>(step));
      EXPECT_THAT(std::vector<float>(logits, logits + expected.size()),
                  testing::Pointwise(testing::FloatNear(kTolerance), expected));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, CTranslate2GoldenTest, testing::ValuesIn(Models()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace limpid::internal

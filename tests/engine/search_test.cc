#include "engine/search.h"

#include <cmath>
#include <optional>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/reference/random_model.h"
#include "tests/reference/reference.h"

namespace limpid {
namespace {

using testing::Each;
using testing::Le;
using testing::Not;
using testing::SizeIs;

class SearchTest : public testing::Test {
 protected:
  void Load(const ModelConfig& config, unsigned seed = 3) {
    Checkpoint checkpoint = reference::RandomModel(config, seed);
    // Random weights hardly ever end a sentence: make </s> likelier.
    bias_ = ReadAll(checkpoint.tensors["output.bias"]);
    bias_[config.target_eos_id] += 2.5F;
    checkpoint.tensors["output.bias"].data = reinterpret_cast<const std::byte*>(bias_.data());
    config_ = checkpoint.config;
    weights_ = *BindWeights(config_, checkpoint.tensors);
    transformer_.emplace(std::move(checkpoint), weights_, ComputeType::kFloat32);
    searcher_.emplace(*transformer_);
    oracle_.emplace(config_, weights_);
  }

  static std::vector<std::vector<int>> Sources(int count) {
    std::mt19937 random(5);
    std::uniform_int_distribution<int> length(1, 12);
    std::uniform_int_distribution<int> id(2, 31);
    std::vector<std::vector<int>> sources(count);
    for (std::vector<int>& source : sources) {
      source.resize(length(random));
      for (int& i : source) i = id(random);
      source.push_back(0);
    }
    return sources;
  }

  const std::vector<Hypothesis>& Greedy(const std::vector<std::vector<int>>& sources,
                                        const SearchOptions& options = {}) {
    batch_.Clear();
    for (const std::vector<int>& source : sources) batch_.Add(source);
    return searcher_->Greedy(batch_, options);
  }

  const SingleThreadScope single_thread_;
  ModelConfig config_;
  std::vector<float> bias_;
  ModelWeights weights_;
  std::optional<Transformer> transformer_;
  std::optional<Searcher> searcher_;
  std::optional<reference::Transformer> oracle_;
  SourceBatch batch_;
};

TEST_F(SearchTest, GreedyFindsWhatTheOracleFinds) {
  ModelConfig config = reference::SmallConfig();
  config.tied_output = false;
  Load(config);
  const auto sources = Sources(20);
  const std::vector<Hypothesis>& found = Greedy(sources, {.max_output_tokens = 30});
  int ended = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    EXPECT_EQ(found[i].ids, oracle_->Greedy(sources[i], 30)) << "sentence " << i;
    if (found[i].ids.back() == config_.target_eos_id) ++ended;
  }
  // The model must do both for the test to mean something: stop by itself, and be cut off.
  EXPECT_GT(ended, 0);
  EXPECT_LT(ended, 20);
}

TEST_F(SearchTest, LogProbabilitiesAreThoseOfTheOracle) {
  Load(reference::SmallConfig());
  const auto sources = Sources(5);
  const std::vector<Hypothesis> found = Greedy(sources, {.max_output_tokens = 9});
  for (size_t i = 0; i < sources.size(); ++i) {
    std::vector<int> inputs = {config_.decoder_start_id};
    inputs.insert(inputs.end(), found[i].ids.begin(), found[i].ids.end() - 1);
    const reference::Matrix logits = oracle_->Decode(oracle_->Encode(sources[i]), inputs);
    ASSERT_THAT(found[i].log_probabilities, SizeIs(found[i].ids.size()));
    for (size_t step = 0; step < logits.size(); ++step) {
      double sum = 0;
      for (const double logit : logits[step]) sum += std::exp(logit);
      EXPECT_NEAR(found[i].log_probabilities[step],
                  logits[step][found[i].ids[step]] - std::log(sum), 1e-4);
    }
  }
}

TEST_F(SearchTest, ASentenceDoesNotDependOnItsNeighbours) {
  Load(reference::SmallConfig());
  const auto sources = Sources(40);
  const std::vector<Hypothesis> together = Greedy(sources);
  for (size_t i = 0; i < sources.size(); ++i) {
    const Hypothesis alone = Greedy({sources[i]}).front();
    EXPECT_EQ(alone.ids, together[i].ids);
    for (size_t step = 0; step < alone.ids.size(); ++step) {
      EXPECT_NEAR(alone.log_probabilities[step], together[i].log_probabilities[step], 1e-4);
    }
  }
}

TEST_F(SearchTest, BadWordsAreNeverProduced) {
  ModelConfig config = reference::SmallConfig();
  Load(config);
  const auto sources = Sources(20);
  // Forbid whatever the free model likes best.
  std::vector<int> favourites;
  for (const Hypothesis& hypothesis : Greedy(sources)) favourites.push_back(hypothesis.ids[0]);
  config.bad_words = favourites;
  Load(config);
  for (const Hypothesis& hypothesis : Greedy(sources)) {
    for (const int bad : favourites) EXPECT_THAT(hypothesis.ids, Each(Not(bad)));
    EXPECT_THAT(hypothesis.log_probabilities, Each(Le(0)));
  }
}

TEST_F(SearchTest, StopsAtTheLimit) {
  ModelConfig config = reference::SmallConfig();
  config.bad_words = {config.target_eos_id};  // a model that never ends by itself
  Load(config);
  const std::vector<std::vector<int>> sources = {{2, 3, 0}, {4, 5, 6, 7, 8, 0}};
  const std::vector<Hypothesis> asked = Greedy(sources, {.max_output_tokens = 7});
  EXPECT_THAT(asked[0].ids, SizeIs(7));
  EXPECT_THAT(asked[1].ids, SizeIs(7));
  const std::vector<Hypothesis> by_source = Greedy(sources);
  EXPECT_THAT(by_source[0].ids, SizeIs(3 * 3 + 20));
  EXPECT_THAT(by_source[1].ids, SizeIs(3 * 6 + 20));
  const std::vector<Hypothesis> by_positions = Greedy(sources, {.max_output_tokens = 1000});
  EXPECT_THAT(by_positions[0].ids, SizeIs(config.max_positions));
}

TEST_F(SearchTest, ABrokenModelThatComputesNaNStillStops) {
  Checkpoint checkpoint = reference::RandomModel(reference::SmallConfig(), 3);
  config_ = checkpoint.config;
  std::vector<float> bias(config_.target_vocab_size, std::nanf(""));
  checkpoint.tensors["output.bias"].data = reinterpret_cast<const std::byte*>(bias.data());
  weights_ = *BindWeights(config_, checkpoint.tensors);
  transformer_.emplace(std::move(checkpoint), weights_, ComputeType::kFloat32);
  searcher_.emplace(*transformer_);
  const Hypothesis found = Greedy({{2, 3, 0}}).front();
  EXPECT_LE(found.ids.size(), 29U);
  for (const int id : found.ids) {
    EXPECT_GE(id, 0);
    EXPECT_LT(id, config_.target_vocab_size);
  }
}

}  // namespace
}  // namespace limpid

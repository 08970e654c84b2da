// Shared by the tests of search: a small random model, searched by the engine and by the oracle.

#ifndef LIMPID_TESTS_ENGINE_SEARCH_FIXTURE_H_
#define LIMPID_TESTS_ENGINE_SEARCH_FIXTURE_H_

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "engine/searcher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/reference/random_model.h"
#include "tests/reference/reference.h"

namespace limpid::internal {

class SearchTest : public testing::Test {
 protected:
  void Load(const ModelConfig& config, unsigned seed = 3) {
    Checkpoint checkpoint = reference::RandomModel(config, seed);
    // Random weights rarely end a sentence: make </s> more probable.
    bias_ = ReadAll(checkpoint.tensors["output.bias"]);
    bias_[config.target_eos_id] += 2.5F;
    Use(std::move(checkpoint));
  }

  // A model all of whose logits are NaN.
  void LoadBroken() {
    const ModelConfig config = reference::SmallConfig();
    bias_.assign(config.target_vocab_size, std::nanf(""));
    Use(reference::RandomModel(config, 3));
  }

  static std::vector<std::vector<int>> Sources(int count, int vocab = 32) {
    std::mt19937 random(5);
    std::uniform_int_distribution<int> length(1, 12);
    std::uniform_int_distribution<int> id(2, vocab - 1);
    std::vector<std::vector<int>> sources(count);
    for (std::vector<int>& source : sources) {
      source.resize(length(random));
      for (int& i : source) i = id(random);
      source.push_back(0);
    }
    return sources;
  }

  const std::vector<Hypotheses>& Search(const std::vector<std::vector<int>>& sources,
                                        const SearchOptions& options,
                                        const TokenConstraints& constraints = {},
                                        const std::vector<absl::Span<const int>>& prefixes = {}) {
    batch_.Clear();
    for (const std::vector<int>& source : sources) batch_.Add(source);
    Searcher& searcher = fast_ ? *searcher_ : *plain_searcher_;
    return searcher.Search(batch_, {options, constraints, prefixes});
  }

  std::vector<Hypothesis> Greedy(const std::vector<std::vector<int>>& sources,
                                 const SearchOptions& options = {}) {
    std::vector<Hypothesis> best;
    for (const Hypotheses& found : Search(sources, options)) best.push_back(found[0]);
    return best;
  }

  // The oracle's log-probability of each token of the vocabulary after `ids`.
  std::vector<double> NextLogProbabilities(const std::vector<int>& source,
                                           const std::vector<int>& ids) const {
    return AllLogProbabilities(source, ids).back();
  }

  // The oracle's log-probability of each of `ids`.
  std::vector<float> LogProbabilities(const std::vector<int>& source,
                                      const std::vector<int>& ids) const {
    const reference::Matrix all = AllLogProbabilities(source, ids);
    std::vector<float> log_probabilities;
    for (size_t i = 0; i < ids.size(); ++i) {
      log_probabilities.push_back(static_cast<float>(all[i][ids[i]]));
    }
    return log_probabilities;
  }

  // The oracle's `count` most probable tokens after `ids`, the most probable first.
  std::vector<int> MostProbable(const std::vector<int>& source, const std::vector<int>& ids,
                                int count) const {
    const std::vector<double> scores = NextLogProbabilities(source, ids);
    std::vector<int> tokens(scores.size());
    std::iota(tokens.begin(), tokens.end(), 0);
    std::sort(tokens.begin(), tokens.end(), [&](int a, int b) { return scores[a] > scores[b]; });
    tokens.resize(count);
    return tokens;
  }

  static auto PointwiseNear(const std::vector<float>& expected) {
    return testing::Pointwise(testing::FloatNear(1e-4F), expected);
  }

  const SingleThreadScope single_thread_;
  ModelConfig config_;
  std::vector<float> bias_;  // of the output
  ModelWeights weights_;
  std::optional<Transformer> transformer_;
  std::optional<FastOutput> fast_output_;
  std::optional<Searcher> searcher_;
  std::optional<Searcher> plain_searcher_;
  bool fast_ = true;  // which of them Search uses
  std::optional<reference::Transformer> oracle_;
  SourceBatch batch_;

 private:
  // The oracle's log-probabilities, [ids + 1, vocab]: row i after the first i of `ids`.
  reference::Matrix AllLogProbabilities(const std::vector<int>& source,
                                        const std::vector<int>& ids) const {
    std::vector<int> inputs = {config_.decoder_start_id};
    inputs.insert(inputs.end(), ids.begin(), ids.end());
    reference::Matrix rows = oracle_->Decode(oracle_->Encode(source), inputs);
    for (reference::Vector& logits : rows) {
      for (const int id : config_.bad_words) logits[id] = -std::numeric_limits<double>::infinity();
      double sum = 0;
      for (const double logit : logits) sum += std::exp(logit);
      for (double& logit : logits) logit -= std::log(sum);
    }
    return rows;
  }

  void Use(Checkpoint checkpoint) {
    checkpoint.tensors["output.bias"].data = reinterpret_cast<const std::byte*>(bias_.data());
    config_ = checkpoint.config;
    weights_ = *BindWeights(config_, checkpoint.tensors);
    transformer_.emplace(checkpoint, weights_, ComputeType::kFloat32);
    fast_output_.emplace(transformer_->output(), /*drafts=*/true);
    searcher_.emplace(*transformer_, &*fast_output_);
    plain_searcher_.emplace(*transformer_);
    oracle_.emplace(config_, weights_);
  }
};

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_ENGINE_SEARCH_FIXTURE_H_

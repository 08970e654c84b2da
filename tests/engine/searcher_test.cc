#include "engine/searcher.h"

#include <cmath>
#include <numeric>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/search_fixture.h"
#include "tests/reference/random_model.h"
#include "tests/reference/reference.h"

namespace limpid::internal {
namespace {

using testing::Each;
using testing::Le;
using testing::Not;
using testing::SizeIs;

// Greedy search on the fast path and on the plain one.
class GreedySearchTest : public SearchTest, public testing::WithParamInterface<bool> {
 protected:
  GreedySearchTest() { fast_ = GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Paths, GreedySearchTest, testing::Bool(), [](const auto& param) {
  return std::string(param.param ? "Fast" : "Plain");
});

TEST_P(GreedySearchTest, GreedyFindsWhatTheOracleFinds) {
  ModelConfig config = reference::SmallConfig();
  config.tied_output = false;
  Load(config);
  const auto sources = Sources(20);
  const std::vector<Hypothesis> found = Greedy(sources, {.max_output_tokens = 30});
  int ended = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    EXPECT_EQ(found[i].ids, oracle_->Greedy(sources[i], 30)) << "sentence " << i;
    if (found[i].ids.back() == config_.target_eos_id) ++ended;
  }
  // The test needs both: sentences that end and sentences that are cut off.
  EXPECT_GT(ended, 0);
  EXPECT_LT(ended, 20);
}

TEST_P(GreedySearchTest, LogProbabilitiesAreThoseOfTheOracle) {
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

TEST_P(GreedySearchTest, ASentenceDoesNotDependOnItsNeighbours) {
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

TEST_P(GreedySearchTest, BadWordsAreNeverProduced) {
  ModelConfig config = reference::SmallConfig();
  Load(config);
  const auto sources = Sources(20);
  // Forbid the first tokens of the unrestricted model.
  std::vector<int> first_tokens;
  for (const Hypothesis& hypothesis : Greedy(sources)) first_tokens.push_back(hypothesis.ids[0]);
  config.bad_words = first_tokens;
  Load(config);
  for (const Hypothesis& hypothesis : Greedy(sources)) {
    for (const int bad : first_tokens) EXPECT_THAT(hypothesis.ids, Each(Not(bad)));
    EXPECT_THAT(hypothesis.log_probabilities, Each(Le(0)));
  }
}

// Whatever is drafted, verification accepts only the tokens that greedy search finds.
TEST_F(SearchTest, DraftsChangeNothing) {
  ModelConfig ssru = reference::SmallConfig();
  ssru.decoder_self_attention = DecoderSelfAttention::kSsru;
  for (const ModelConfig& config : {reference::SmallConfig(), ssru}) {
    Load(config);
    const auto sources = Sources(20);
    for (const SearchOptions& options : {SearchOptions{}, SearchOptions{.max_output_tokens = 40},
                                         SearchOptions{.log_probabilities = false}}) {
      std::vector<Hypothesis> expected;
      fast_ = false;
      for (const auto& source : sources) expected.push_back(Greedy({source}, options).front());
      std::vector<int> all(config.target_vocab_size);
      std::iota(all.begin(), all.end(), 0);
      for (const std::vector<int>& candidates :
           {all, {config.target_eos_id}, {1}, {0, 5, 9, 14, 20, 21, 22, 23, 24}}) {
        Searcher drafter(*transformer_, &*fast_output_);
        drafter.DraftFrom(candidates);
        for (size_t i = 0; i < sources.size(); ++i) {
          SourceBatch source;
          source.Add(sources[i]);
          const TokenConstraints constraints;
          const Hypothesis& found = drafter.Search(source, {options, constraints})[0].front();
          EXPECT_EQ(found.ids, expected[i].ids);
          EXPECT_EQ(found.finished, expected[i].finished);
          if (!options.log_probabilities) continue;
          EXPECT_THAT(found.log_probabilities, PointwiseNear(expected[i].log_probabilities));
          EXPECT_NEAR(found.score, expected[i].score, 1e-3);
        }
      }
    }
  }
}

// What `--plain` leaves out only makes a search faster.
TEST_F(SearchTest, TheFastPathFindsWhatThePlainOneFinds) {
  ModelConfig config = reference::SmallConfig();
  config.bad_words = {7, 11};
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Load(config, seed);
    Searcher plain(*transformer_);
    for (const std::vector<int>& active : std::vector<std::vector<int>>{{}, {0, 3, 7, 12, 19}}) {
      searcher_->RestrictVocabulary(active);
      plain.RestrictVocabulary(active);
      for (const bool log_probabilities : {true, false}) {
        const SearchOptions options = {.log_probabilities = log_probabilities};
        const TokenConstraints constraints;
        const std::vector<Hypothesis> fast = Greedy(Sources(20), options);
        const std::vector<Hypotheses>& expected = plain.Search(batch_, {options, constraints});
        for (size_t i = 0; i < fast.size(); ++i) {
          EXPECT_EQ(fast[i].ids, expected[i].front().ids);
          EXPECT_EQ(fast[i].finished, expected[i].front().finished);
          if (!log_probabilities) continue;
          EXPECT_THAT(fast[i].log_probabilities,
                      PointwiseNear(expected[i].front().log_probabilities));
        }
      }
    }
  }
}

TEST_P(GreedySearchTest, StopsAtTheLimit) {
  ModelConfig config = reference::SmallConfig();
  config.bad_words = {config.target_eos_id};  // the model never ends by itself
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

TEST_P(GreedySearchTest, ABrokenModelThatComputesNaNStillStops) {
  LoadBroken();
  for (const SearchOptions& options :
       {SearchOptions{}, SearchOptions{.min_output_tokens = 3}, SearchOptions{.temperature = 1},
        SearchOptions{.alternatives = 3}, SearchOptions{.beam_size = 4}}) {
    const Hypothesis found = Search({{2, 3, 0}}, options)[0].front();
    EXPECT_LE(found.ids.size(), 29U);
    for (const int id : found.ids) {
      EXPECT_GE(id, 0);
      EXPECT_LT(id, config_.target_vocab_size);
    }
  }
}

TEST_F(SearchTest, StopsIfNoTokenIsAllowed) {
  Load(reference::SmallConfig());
  TokenConstraints all;
  for (int id = 0; id < config_.target_vocab_size; ++id) all.suppress.push_back({2, id});
  all.suppress.push_back({0});
  const std::vector<int> prefix = {2};
  for (const SearchOptions& options :
       {SearchOptions{}, SearchOptions{.beam_size = 3}, SearchOptions{.temperature = 1},
        SearchOptions{.alternatives = 3}}) {
    const Hypotheses found = Search({{5, 3, 0}}, options, all, {prefix})[0];
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].ids, prefix);
    EXPECT_FALSE(found[0].finished);
  }
}

TEST_F(SearchTest, StartsWithThePrefix) {
  Load(reference::SmallConfig());
  const auto sources = Sources(8);
  const std::vector<int> prefix = {7, 0, 9};  // </s> does not end it there
  const std::vector<int> none;
  std::vector<absl::Span<const int>> prefixes(8, prefix);
  prefixes[3] = none;
  for (const int beam_size : {1, 4}) {
    const auto free = Search(sources, {.beam_size = beam_size});
    const auto found = Search(sources, {.beam_size = beam_size}, {}, prefixes);
    for (size_t i = 0; i < sources.size(); ++i) {
      const Hypothesis& best = found[i][0];
      if (i == 3) {
        EXPECT_EQ(best.ids, free[i][0].ids);
        continue;
      }
      ASSERT_GT(best.ids.size(), prefix.size());
      EXPECT_EQ(std::vector<int>(best.ids.begin(), best.ids.begin() + 3), prefix);
      EXPECT_THAT(best.log_probabilities, PointwiseNear(LogProbabilities(sources[i], best.ids)));
    }
  }
}

TEST_F(SearchTest, APrefixMayFillAllButOneToken) {
  Load(reference::SmallConfig());
  const std::vector<int> prefix = {7, 8, 9};
  for (const int beam_size : {1, 4}) {
    const auto found =
        Search({{5, 0}}, {.beam_size = beam_size, .max_output_tokens = 4}, {}, {prefix});
    EXPECT_THAT(found[0][0].ids, SizeIs(4));
  }
}

TEST_F(SearchTest, OptionsThatChangeScoresKeepTheModelsLogProbabilities) {
  Load(reference::SmallConfig());
  const auto sources = Sources(6);
  for (const SearchOptions& options :
       {SearchOptions{.min_output_tokens = 5, .repetition_penalty = 2},
        SearchOptions{.beam_size = 3, .min_output_tokens = 5, .repetition_penalty = 2},
        SearchOptions{.temperature = 3, .no_repeat_ngram_size = 1}}) {
    const auto found = Search(sources, options, {.suppress = {{3}, {4}}});
    for (size_t i = 0; i < sources.size(); ++i) {
      EXPECT_THAT(found[i][0].log_probabilities,
                  PointwiseNear(LogProbabilities(sources[i], found[i][0].ids)));
    }
  }
}

TEST_F(SearchTest, EndsAtTheTokensOfEndAt) {
  Load(reference::SmallConfig());
  const auto sources = Sources(6);
  const std::vector<Hypothesis> free = Greedy(sources);
  for (size_t i = 0; i < sources.size(); ++i) {
    if (free[i].ids.size() < 3) continue;
    const int end = free[i].ids[1];
    const Hypothesis found = Search({sources[i]}, {}, {.end_at = {end}})[0][0];
    EXPECT_EQ(found.ids.back(), end);
    EXPECT_LE(found.ids.size(), 2U);
    EXPECT_TRUE(found.finished);
  }
}

TEST_F(SearchTest, AlternativesAreTheMostProbableTokensEachCompleted) {
  Load(reference::SmallConfig());
  const auto sources = Sources(10);
  for (const int at : {0, 2}) {
    const auto found = Search(sources, {.alternatives = 4, .alternatives_at = at});
    for (size_t i = 0; i < sources.size(); ++i) {
      const Hypothesis greedy = Greedy({sources[i]})[0];
      EXPECT_EQ(found[i][0].ids, greedy.ids);
      if (greedy.ids.size() <= static_cast<size_t>(at)) {
        EXPECT_THAT(found[i], SizeIs(1));
        EXPECT_EQ(found[i][0].alternative_at, -1);
        continue;
      }
      ASSERT_THAT(found[i], SizeIs(4));
      std::vector<int> begin(greedy.ids.begin(), greedy.ids.begin() + at);
      std::vector<int> expected = MostProbable(sources[i], begin, 4);
      for (size_t k = 0; k < 4; ++k) {
        EXPECT_EQ(found[i][k].alternative_at, at);
        begin.push_back(expected[k]);
        // Completed as if it were a prefix.
        if (expected[k] == config_.target_eos_id) {
          EXPECT_EQ(found[i][k].ids, begin);
        } else {
          const int limit = 3 * static_cast<int>(sources[i].size()) + 20;
          const auto completed = Search({sources[i]}, {.max_output_tokens = limit}, {}, {begin});
          EXPECT_EQ(found[i][k].ids, completed[0][0].ids);
        }
        EXPECT_THAT(found[i][k].log_probabilities,
                    PointwiseNear(LogProbabilities(sources[i], found[i][k].ids)));
        begin.pop_back();
      }
    }
  }
}

TEST_F(SearchTest, MoreAlternativesThanTokensGiveAllTokens) {
  Load(reference::SmallConfig());
  const auto found = Search({{5, 6, 0}}, {.alternatives = 100, .max_output_tokens = 3})[0];
  std::set<int> first;
  for (const Hypothesis& hypothesis : found) first.insert(hypothesis.ids[0]);
  EXPECT_EQ(found.size(), static_cast<size_t>(config_.target_vocab_size));
  EXPECT_EQ(first.size(), found.size());
}

TEST_F(SearchTest, SamplesDependOnSeedAndSentenceOnly) {
  Load(reference::SmallConfig());
  const auto sources = Sources(20);
  const SearchOptions options = {.nbest = 3, .temperature = 1, .seed = 5};
  const auto together = Search(sources, options);
  int different = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    const Hypotheses alone = Search({sources[i]}, options)[0];
    ASSERT_THAT(alone, SizeIs(3));
    for (size_t k = 0; k < 3; ++k) EXPECT_EQ(alone[k].ids, together[i][k].ids);
    if (alone[0].ids != alone[1].ids) ++different;
    const Hypothesis first = Search({sources[i]}, {.temperature = 1, .seed = 5})[0][0];
    EXPECT_EQ(first.ids, alone[0].ids);
    const Hypothesis other_seed = Search({sources[i]}, {.temperature = 1, .seed = 6})[0][0];
    if (other_seed.ids != first.ids) ++different;
  }
  EXPECT_GT(different, 20);
}

TEST_F(SearchTest, SamplingFromOneTokenIsGreedy) {
  Load(reference::SmallConfig());
  const auto sources = Sources(10);
  const std::vector<Hypothesis> greedy = Greedy(sources);
  for (const SearchOptions& options :
       {SearchOptions{.temperature = 2, .top_k = 1}, SearchOptions{.temperature = 2, .top_p = 1e-6},
        SearchOptions{.temperature = 1e-6}}) {
    const auto found = Search(sources, options);
    for (size_t i = 0; i < sources.size(); ++i) EXPECT_EQ(found[i][0].ids, greedy[i].ids);
  }
}

// Greedy search of a single sentence uses drafts.
TEST_F(SearchTest, AStopEndsASearchBeforeItsNextStep) {
  Load(reference::SmallConfig());
  std::stop_source stop;
  stop.request_stop();
  for (const int sentences : {1, 3}) {
    batch_.Clear();
    for (const std::vector<int>& source : Sources(sentences)) batch_.Add(source);
    for (const SearchOptions& options :
         {SearchOptions{}, SearchOptions{.temperature = 1}, SearchOptions{.beam_size = 3}}) {
      if (sentences == 1) searcher_->DraftFrom({0, 1, 2, 3});
      const auto& found = searcher_->Search(
          batch_, {.options = options, .constraints = {}, .stop = {.token = stop.get_token()}});
      for (const Hypotheses& hypotheses : found) {
        for (const Hypothesis& hypothesis : hypotheses) EXPECT_TRUE(hypothesis.ids.empty());
      }
    }
  }
}

}  // namespace
}  // namespace limpid::internal

#include "engine/search/beam_search.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/search_fixture.h"
#include "tests/reference/random_model.h"

namespace limpid::internal {
namespace {

using testing::SizeIs;

// A complete translation, scored by the oracle.
struct Complete {
  std::vector<int> ids;
  double score;
};

class BeamSearchTest : public SearchTest {
 protected:
  // A model with few enough tokens to list all its translations.
  void LoadTiny(unsigned seed) {
    ModelConfig config = reference::SmallConfig();
    config.source_vocab_size = config.target_vocab_size = 5;
    config.bad_words = {3};
    Load(config, seed);
  }

  // All translations of at most `max_tokens` tokens, the best first.
  std::vector<Complete> AllTranslations(const std::vector<int>& source, int max_tokens,
                                        double length_penalty) const {
    std::vector<Complete> all;
    std::vector<Complete> growing = {{{}, 0}};
    for (int length = 1; length <= max_tokens; ++length) {
      std::vector<Complete> next;
      for (const Complete& parent : growing) {
        const std::vector<double> log_probabilities = NextLogProbabilities(source, parent.ids);
        for (int id = 0; id < config_.target_vocab_size; ++id) {
          if (std::isinf(log_probabilities[id])) continue;
          Complete child = {parent.ids, parent.score + log_probabilities[id]};
          child.ids.push_back(id);
          const bool ends = id == config_.target_eos_id || length == max_tokens;
          if (ends) child.score /= std::pow(length, length_penalty);
          (ends ? all : next).push_back(child);
        }
      }
      growing = next;
    }
    std::sort(all.begin(), all.end(),
              [](const Complete& a, const Complete& b) { return a.score > b.score; });
    return all;
  }
};

// A beam that drops nothing finds the best of all translations, however early it stops.
TEST_F(BeamSearchTest, AWideBeamFindsTheBestOfAllTranslations) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    LoadTiny(seed);
    for (const double length_penalty : {0.0, 1.0, 2.0, -1.0}) {
      for (const int nbest : {1, 7}) {
        const std::vector<int> source = {2, 4, static_cast<int>(2 + seed % 3), 0};
        const std::vector<Complete> all = AllTranslations(source, 4, length_penalty);
        const Hypotheses found = Search({source}, {.beam_size = 300,
                                                   .length_penalty = length_penalty,
                                                   .nbest = nbest,
                                                   .max_output_tokens = 4})[0];
        ASSERT_THAT(found, SizeIs(nbest));
        for (int i = 0; i < nbest; ++i) {
          EXPECT_EQ(found[i].ids, all[i].ids) << seed << " " << length_penalty << " " << i;
          EXPECT_NEAR(found[i].score, all[i].score, 1e-4);
        }
      }
    }
  }
}

// With length_penalty 0 more tokens can only lower a score, so that a higher limit costs no more
// steps.
TEST_F(BeamSearchTest, StopsWhenNoLiveHypothesisCanWin) {
  const auto steps = [&](int limit) {
    batch_.Clear();
    batch_.Add(std::vector<int>{2, 3, 0});
    const SearchOptions options = {.beam_size = 3, .length_penalty = 0, .max_output_tokens = limit};
    const TokenConstraints constraints;
    DecodingState state;
    std::vector<Hypotheses> found;
    BeamSearch(*transformer_).Search(batch_, {options, constraints}, state, found);
    EXPECT_TRUE(found[0].front().finished);
    EXPECT_EQ(state.cross_cache.keys_values.rows(), 3)
        << "one row per source token, whatever the beam";
    return state.self_cache.length(0);
  };
  for (unsigned seed = 1; seed <= 6; ++seed) {
    LoadTiny(seed);
    const int taken = steps(30);
    EXPECT_LT(taken, 30) << seed;
    EXPECT_EQ(steps(60), taken) << seed;
  }
}

TEST_F(BeamSearchTest, ReturnsAllTranslationsIfThereAreTooFew) {
  LoadTiny(2);
  const auto found = Search({{2, 0}}, {.beam_size = 50, .nbest = 50, .max_output_tokens = 2})[0];
  EXPECT_THAT(found, SizeIs(1 + 3 * 4));  // </s> alone, or one of 3 tokens and then any of 4
  EXPECT_EQ(Search({{2, 0}}, {.beam_size = 50, .max_output_tokens = 1})[0].size(), 1U);
}

TEST_F(BeamSearchTest, ABeamOfOneIsGreedyBitForBit) {
  Load(reference::SmallConfig());
  const auto sources = Sources(20);
  fast_ = false;
  const std::vector<Hypothesis> greedy = Greedy(sources);
  const SearchOptions options = {.beam_size = 1, .length_penalty = 0.6};
  const TokenConstraints constraints;
  DecodingState state;
  std::vector<Hypotheses> found;
  BeamSearch(*transformer_).Search(batch_, {options, constraints}, state, found);
  for (size_t i = 0; i < sources.size(); ++i) {
    ASSERT_THAT(found[i], SizeIs(1));
    EXPECT_EQ(found[i][0].ids, greedy[i].ids);
    EXPECT_EQ(found[i][0].log_probabilities, greedy[i].log_probabilities);
  }
}

TEST_F(BeamSearchTest, FindsMoreProbableTranslationsThanGreedy) {
  Load(reference::SmallConfig());
  const auto sources = Sources(30);
  const std::vector<Hypothesis> greedy = Greedy(sources);
  const auto found = Search(sources, {.beam_size = 6, .length_penalty = 0});
  int better = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (found[i][0].score > greedy[i].score + 1e-3) ++better;
  }
  EXPECT_GT(better, 3);
}

TEST_F(BeamSearchTest, ScoresAreThoseOfTheOracle) {
  Load(reference::SmallConfig());
  const auto sources = Sources(10);
  const auto found = Search(sources, {.beam_size = 4, .length_penalty = 0.7, .nbest = 4});
  for (size_t i = 0; i < sources.size(); ++i) {
    ASSERT_THAT(found[i], SizeIs(4));
    for (const Hypothesis& hypothesis : found[i]) {
      const std::vector<float> expected = LogProbabilities(sources[i], hypothesis.ids);
      EXPECT_THAT(hypothesis.log_probabilities, PointwiseNear(expected));
      double sum = 0;
      for (const float log_probability : expected) sum += log_probability;
      const auto length = static_cast<double>(hypothesis.ids.size());
      EXPECT_NEAR(hypothesis.score, sum / std::pow(length, 0.7), 1e-4);
    }
    EXPECT_TRUE(std::is_sorted(found[i].begin(), found[i].end(),
                               [](const auto& a, const auto& b) { return a.score > b.score; }));
  }
}

TEST_F(BeamSearchTest, ASentenceDoesNotDependOnItsNeighbours) {
  Load(reference::SmallConfig());
  const auto sources = Sources(25);
  const SearchOptions options = {.beam_size = 5, .nbest = 3};
  const auto together = Search(sources, options);
  for (size_t i = 0; i < sources.size(); ++i) {
    const Hypotheses alone = Search({sources[i]}, options)[0];
    ASSERT_EQ(alone.size(), together[i].size());
    for (size_t k = 0; k < alone.size(); ++k) {
      EXPECT_EQ(alone[k].ids, together[i][k].ids);
      EXPECT_NEAR(alone[k].score, together[i][k].score, 1e-4);
    }
  }
}

TEST_F(BeamSearchTest, AskingForMoreTranslationsDoesNotChangeTheFirst) {
  Load(reference::SmallConfig());
  const auto sources = Sources(25);
  for (const double length_penalty : {0.0, 1.0, 2.0}) {
    const auto many =
        Search(sources, {.beam_size = 6, .length_penalty = length_penalty, .nbest = 6});
    const auto one = Search(sources, {.beam_size = 6, .length_penalty = length_penalty});
    for (size_t i = 0; i < sources.size(); ++i) EXPECT_EQ(one[i][0].ids, many[i][0].ids);
  }
}

TEST_F(BeamSearchTest, TranslationsAreCutAtTheLimit) {
  ModelConfig config = reference::SmallConfig();
  config.bad_words = {config.target_eos_id};  // the model never ends by itself
  Load(config);
  const auto found =
      Search({{2, 3, 0}, {4, 5, 6, 0}}, {.beam_size = 3, .nbest = 3, .max_output_tokens = 6});
  for (const Hypotheses& hypotheses : found) {
    ASSERT_THAT(hypotheses, SizeIs(3));
    for (const Hypothesis& hypothesis : hypotheses) {
      EXPECT_THAT(hypothesis.ids, SizeIs(6));
      EXPECT_FALSE(hypothesis.finished);
    }
  }
  EXPECT_THAT(Search({{2, 3, 0}}, {.beam_size = 3, .max_output_tokens = 1000})[0][0].ids,
              SizeIs(config.max_positions));
}

}  // namespace
}  // namespace limpid::internal

#include "engine/search/logits_processor.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<float> Process(const SearchOptions& options, const TokenConstraints& constraints,
                           const std::vector<int>& ids, float offset = 0) {
  ModelConfig config;
  config.target_vocab_size = 6;
  config.decoder_start_id = 5;
  const std::vector<float> logits = {1, 2, 3, -4, -5, 6};
  std::vector<float> scores(6);
  LogitsProcessor(options, constraints, config).Apply(logits.data(), offset, ids, scores.data());
  return scores;
}

TEST(LogitsProcessorTest, WithoutOptionsOnlyTheOffsetIsAdded) {
  EXPECT_THAT(Process({}, {}, {1, 2, 3}, -10), ElementsAre(-9, -8, -7, -14, -15, -4));
  EXPECT_FALSE(LogitsProcessor({}, {}, {}).changes_logits());
}

TEST(LogitsProcessorTest, RepetitionPenaltyLowersScoresOfEitherSign) {
  EXPECT_THAT(Process({.repetition_penalty = 2}, {}, {2, 3, 2, 2}),
              ElementsAre(1, 2, 1.5, -8, -5, 3));
  EXPECT_THAT(Process({.repetition_penalty = 2}, {}, {2}, -6),
              ElementsAre(-5, -4, -6, -10, -11, 0));
}

TEST(LogitsProcessorTest, RepeatedNgramsAreForbidden) {
  EXPECT_THAT(Process({.no_repeat_ngram_size = 1}, {}, {2, 3}),
              ElementsAre(1, 2, kNever, kNever, -5, 6));
  EXPECT_THAT(Process({.no_repeat_ngram_size = 2}, {}, {1, 2, 1, 3, 1}),
              ElementsAre(1, 2, kNever, kNever, -5, 6));
  EXPECT_THAT(Process({.no_repeat_ngram_size = 3}, {}, {1, 2, 3, 1, 2}),
              ElementsAre(1, 2, 3, kNever, -5, 6));
  EXPECT_THAT(Process({.no_repeat_ngram_size = 3}, {}, {1, 2}), ElementsAre(1, 2, 3, -4, -5, 6));
}

TEST(LogitsProcessorTest, CompletionsOfSuppressedSequencesAreForbidden) {
  const TokenConstraints constraints = {.suppress = {{4}, {1, 2}, {3, 1, 0}}};
  EXPECT_THAT(Process({}, constraints, {}), ElementsAre(1, 2, 3, -4, kNever, 6));
  EXPECT_THAT(Process({}, constraints, {3, 1}), ElementsAre(kNever, 2, kNever, -4, kNever, 6));
  EXPECT_THAT(Process({}, constraints, {1, 3}), ElementsAre(1, 2, 3, -4, kNever, 6));
}

TEST(LogitsProcessorTest, CompletionsOfSuppressedTextAreForbidden) {
  const TokenConstraints constraints = {.completions = {{"ab", 'c', {1}}, {"a", 'b', {4}}},
                                        .spellings = {"", " x", " a", "b", "bc", " "}};
  EXPECT_THAT(Process({}, constraints, {2, 3}), ElementsAre(1, kNever, 3, -4, -5, 6));
  EXPECT_THAT(Process({}, constraints, {2, 0, 3}), ElementsAre(1, kNever, 3, -4, -5, 6));
  EXPECT_THAT(Process({}, constraints, {2}), ElementsAre(1, 2, 3, -4, kNever, 6));
  EXPECT_THAT(Process({}, constraints, {3}), ElementsAre(1, 2, 3, -4, -5, 6));
}

TEST(LogitsProcessorTest, TextBeginsAfterASpaceAndSpacesMerge) {
  const std::vector<std::string> spellings = {"", " x", "x", " "};
  EXPECT_TRUE(EndsIn({}, spellings, " ", 'x'));
  EXPECT_FALSE(EndsIn({}, spellings, "a", 'x'));
  EXPECT_TRUE(EndsIn(std::vector<int>{2}, spellings, " x", 'y'));
  EXPECT_TRUE(EndsIn({{2, 3, 1}}, spellings, "x x", 'y'));
  EXPECT_TRUE(EndsIn({{2, 3}}, spellings, "x", ' '));
  EXPECT_FALSE(EndsIn({{2, 3}}, spellings, "x", 'y'));
}

TEST(LogitsProcessorTest, NothingEndsBeforeMinOutputTokens) {
  const TokenConstraints constraints = {.end_at = {3}};
  EXPECT_THAT(Process({.min_output_tokens = 2}, constraints, {1}),
              ElementsAre(kNever, 2, 3, kNever, -5, 6));
  EXPECT_THAT(Process({.min_output_tokens = 2}, constraints, {1, 1}),
              ElementsAre(1, 2, 3, -4, -5, 6));
}

TEST(LogitsProcessorTest, KnowsWhatEndsATranslation) {
  const SearchOptions options;
  const TokenConstraints constraints = {.end_at = {3}};
  const ModelConfig config;
  const LogitsProcessor processor(options, constraints, config);
  EXPECT_TRUE(processor.IsEnd(0));
  EXPECT_TRUE(processor.IsEnd(3));
  EXPECT_FALSE(processor.IsEnd(2));
}

}  // namespace
}  // namespace limpid::internal

#include "limpid/search_options.h"

#include <climits>
#include <cmath>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;

TEST(SearchOptionsTest, AcceptsConsistentOptions) {
  for (const SearchOptions& options :
       {SearchOptions{}, SearchOptions{.beam_size = 4, .length_penalty = -1, .nbest = 4},
        SearchOptions{.nbest = 5, .temperature = 0.7, .top_k = 3, .top_p = 0.5, .seed = 9},
        SearchOptions{.alternatives = 3, .alternatives_at = 0, .prefix = "a"},
        SearchOptions{.max_output_tokens = 5, .min_output_tokens = 4}}) {
    EXPECT_TRUE(CheckSearchOptions(options).ok()) << CheckSearchOptions(options);
  }
}

class WrongSearchOptionsTest
    : public testing::TestWithParam<std::pair<SearchOptions, std::string>> {};

TEST_P(WrongSearchOptionsTest, AreRejectedWithAReason) {
  const absl::Status status = CheckSearchOptions(GetParam().first);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().second));
}

using Wrong = std::pair<SearchOptions, std::string>;

INSTANTIATE_TEST_SUITE_P(
    Values, WrongSearchOptionsTest,
    testing::Values(
        Wrong{{.beam_size = 0}, "beam_size must be at least 1, not 0"},
        Wrong{{.nbest = 0}, "nbest must be at least 1, not 0"},
        Wrong{{.length_penalty = std::nan("")}, "length_penalty must be a number"},
        Wrong{{.alternatives = -1}, "alternatives must be 0 (none) or more, not -1"},
        Wrong{{.alternatives = 1, .alternatives_at = -2}, "alternatives_at must be -1"},
        Wrong{{.temperature = -1}, "temperature must be 0 (no sampling) or more, not -1"},
        Wrong{{.temperature = std::nan("")}, "temperature must be 0"},
        Wrong{{.temperature = INFINITY}, "temperature must be 0"},
        Wrong{{.temperature = 1, .top_k = -1}, "top_k must be 0 (all) or more, not -1"},
        Wrong{{.temperature = 1, .top_p = 0}, "top_p must be above 0 and at most 1, not 0"},
        Wrong{{.temperature = 1, .top_p = 1.5}, "top_p must be above 0 and at most 1, not 1.5"},
        Wrong{{.max_output_tokens = -1}, "max_output_tokens must be 0"},
        Wrong{{.min_output_tokens = -1}, "min_output_tokens must be 0 or more, not -1"},
        Wrong{{.repetition_penalty = 0}, "repetition_penalty must be above 0, not 0"},
        Wrong{{.no_repeat_ngram_size = -1}, "no_repeat_ngram_size must be 0"}));

INSTANTIATE_TEST_SUITE_P(
    Sizes, WrongSearchOptionsTest,
    testing::Values(
        Wrong{{.beam_size = 1001}, "beam_size must be at most 1000, not 1001"},
        Wrong{{.beam_size = 2'000'000'000}, "beam_size must be at most 1000"},
        Wrong{{.nbest = 1001, .temperature = 1}, "nbest must be at most 1000, not 1001"},
        Wrong{{.alternatives = 1001}, "alternatives must be at most 1000, not 1001"},
        Wrong{{.alternatives = 1, .alternatives_at = INT_MAX}, "alternatives_at must be at most"},
        Wrong{{.temperature = 1, .top_k = INT_MAX}, "top_k must be at most 1000000"},
        Wrong{{.max_output_tokens = INT_MAX}, "max_output_tokens must be at most 1000000"},
        Wrong{{.min_output_tokens = INT_MAX}, "min_output_tokens must be at most 1000000"},
        Wrong{{.no_repeat_ngram_size = INT_MAX}, "no_repeat_ngram_size must be at most"}));

INSTANTIATE_TEST_SUITE_P(
    Contradictions, WrongSearchOptionsTest,
    testing::Values(
        Wrong{{.beam_size = 2, .temperature = 1}, "use one of them"},
        Wrong{{.nbest = 3}, "nbest 3 needs a beam_size of at least 3, not 1"},
        Wrong{{.beam_size = 2, .nbest = 3}, "nbest 3 needs a beam_size of at least 3, not 2"},
        Wrong{{.top_k = 3}, "top_k is for sampling"},
        Wrong{{.top_p = 0.5}, "top_p is for sampling"}, Wrong{{.seed = 5}, "seed is for sampling"},
        Wrong{{.beam_size = 2, .alternatives = 2}, "leave out beam_size"},
        Wrong{{.alternatives = 2, .temperature = 1}, "leave out temperature"},
        Wrong{{.alternatives_at = 2}, "say how many by alternatives"},
        Wrong{{.length_penalty = 2, .alternatives = 2}, "alternatives are not ranked"},
        Wrong{{.length_penalty = 0, .temperature = 1}, "samples are not ranked"},
        Wrong{{.alternatives = 2, .alternatives_at = 5, .max_output_tokens = 5},
              "alternatives_at 5 is after the last token that max_output_tokens 5 allows"},
        Wrong{{.max_output_tokens = 5, .min_output_tokens = 5},
              "min_output_tokens 5 and </s> do not fit into max_output_tokens 5"},
        Wrong{{.suppress = {"a", "b"}, .end_at = {"b"}}, "'b' is both in suppress and in end_at"}));

}  // namespace
}  // namespace limpid::internal

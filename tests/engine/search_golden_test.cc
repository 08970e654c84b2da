// Beam search and the search options against transformers' generate(). tests/golden/README.md
// describes the files.

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

constexpr double kTolerance = 1e-4;
constexpr double kRelativeTolerance = 1e-6;  // of float32: penalties make scores as low as -800

class SearchGoldenTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    absl::StatusOr<Checkpoint> checkpoint =
        ReadCheckpoint(name == "eng-deu" ? "models/eng-deu" : "tests/golden/" + name);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    weights_ = *BindWeights(checkpoint->config, checkpoint->tensors);
    transformer_.emplace(*std::move(checkpoint), weights_, ComputeType::kFloat32);
    std::ifstream in("tests/golden/search/" + name + ".json");
    cases_ = nlohmann::json::parse(in)["cases"];
    ASSERT_GT(cases_.size(), 10U);
  }

  static SearchOptions OptionsOf(const nlohmann::json& json) {
    SearchOptions options;
    options.beam_size = json.value("beam_size", options.beam_size);
    options.nbest = json.value("nbest", options.nbest);
    options.length_penalty = json.value("length_penalty", options.length_penalty);
    options.max_output_tokens = json.value("max_output_tokens", options.max_output_tokens);
    options.min_output_tokens = json.value("min_output_tokens", options.min_output_tokens);
    options.repetition_penalty = json.value("repetition_penalty", options.repetition_penalty);
    options.no_repeat_ngram_size = json.value("no_repeat_ngram_size", options.no_repeat_ngram_size);
    return options;
  }

  static void ExpectSame(const Hypotheses& found, const nlohmann::json& golden) {
    ASSERT_EQ(found.size(), golden.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].ids, golden[i]["ids"].get<std::vector<int>>()) << "hypothesis " << i;
      if (golden[i].contains("score")) {
        const double score = golden[i]["score"];
        EXPECT_NEAR(found[i].score, score, kTolerance - score * kRelativeTolerance);
      }
    }
  }

  // Searches sentences without a prefix or constraints as one batch, others one by one.
  void Check(const nlohmann::json& golden_case) {
    const SearchOptions options = OptionsOf(golden_case["options"]);
    const nlohmann::json& sentences = golden_case["sentences"];
    ASSERT_FALSE(sentences.empty());
    Searcher searcher(*transformer_);
    SourceBatch batch;
    std::vector<int> prefix;
    TokenConstraints constraints;
    for (size_t begin = 0, i = 0; i < sentences.size(); ++i) {
      const nlohmann::json& sentence = sentences[i];
      batch.Add(sentence["source_ids"].get<std::vector<int>>());
      prefix = sentence.value("prefix", std::vector<int>());
      constraints.suppress = sentence.value("suppress", std::vector<std::vector<int>>());
      constraints.end_at = sentence.value("end_at", std::vector<int>());
      const bool has_constraints = sentence.size() > 2;
      if (!has_constraints && i + 1 < sentences.size()) continue;
      std::vector<absl::Span<const int>> prefixes(batch.sentences(), prefix);
      const std::vector<Hypotheses>& found =
          searcher.Search(batch, {options, constraints, prefixes});
      for (; begin <= i; ++begin) {
        SCOPED_TRACE(testing::Message() << "sentence " << begin);
        ExpectSame(found[batch.sentences() - 1 - (i - begin)], sentences[begin]["hypotheses"]);
      }
      batch.Clear();
    }
  }

  const SingleThreadScope single_thread_;
  ModelWeights weights_;
  std::optional<Transformer> transformer_;
  nlohmann::json cases_;
};

TEST_P(SearchGoldenTest, FindsWhatTransformersFinds) {
  for (const nlohmann::json& golden_case : cases_) {
    SCOPED_TRACE(golden_case["name"]);
    Check(golden_case);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SearchGoldenTest, testing::Values("eng-deu", "base", "bad_words"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace limpid::internal

// The engine against Marian: models that Marian trained, and the results of its scorer and decoder.
// tests/golden/README.md describes the files.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "engine/math/linear.h"
#include "engine/searcher.h"
#include "engine/trace/tracer.h"
#include "engine/transformer/transformer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

// Marian prints logarithms and probabilities with six digits.
constexpr double kTolerance = 2e-4;
constexpr char kGolden[] = "tests/golden/marian";

std::vector<std::string> Models() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class MarianGoldenTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string folder = std::string(kGolden) + "/" + GetParam();
    std::ifstream stream(folder + "/golden_marian.json");
    const nlohmann::json golden = nlohmann::json::parse(stream);
    beam_size_ = golden["beam_size"];
    sentences_ = golden["sentences"];
    ASSERT_FALSE(sentences_.empty());
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(folder);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    checkpoint_ = *std::move(checkpoint);
    for (const auto& sentence : sentences_) {
      source_.Add(sentence["source_ids"].get<std::vector<int>>());
    }
  }

  Transformer Make(ComputeType type) const {
    // Marian's scorer masks no tokens.
    Checkpoint checkpoint = checkpoint_;
    checkpoint.config.bad_words.clear();
    const auto weights = BindWeights(checkpoint.config, checkpoint.tensors);
    return Transformer(std::move(checkpoint), *weights, type);
  }

  std::vector<TeacherForcing> Score(ComputeType type, const TraceRequest* request) const {
    std::vector<std::vector<int>> ids;
    for (const auto& sentence : sentences_) ids.push_back(sentence["target_ids"]);
    const std::vector<absl::Span<const int>> targets(ids.begin(), ids.end());
    const Transformer transformer = Make(type);
    return Tracer(transformer).Run(source_, targets, request);
  }

  const SingleThreadScope single_thread_;
  Checkpoint checkpoint_;
  int beam_size_ = 0;
  nlohmann::json sentences_;
  SourceBatch source_;
};

TEST_P(MarianGoldenTest, LogProbabilitiesOfGivenTargetsAgree) {
  const auto results = Score(ComputeType::kFloat32, nullptr);
  for (size_t i = 0; i < results.size(); ++i) {
    SCOPED_TRACE(sentences_[i]["source"]);
    EXPECT_THAT(results[i].log_probabilities,
                testing::Pointwise(testing::FloatNear(kTolerance),
                                   sentences_[i]["log_probabilities"].get<std::vector<float>>()));
  }
}

TEST_P(MarianGoldenTest, AlignmentHeadAgrees) {
  const ModelConfig& config = checkpoint_.config;
  TraceRequest request;
  request.kinds = {AttentionKind::kCross};
  request.layers = {config.alignment_layer};
  request.heads = {0};
  ASSERT_EQ(config.alignment_heads, 1);
  const auto results = Score(ComputeType::kFloat32, &request);
  for (size_t i = 0; i < results.size(); ++i) {
    SCOPED_TRACE(sentences_[i]["source"]);
    ASSERT_EQ(results[i].attentions.size(), 1U);
    std::vector<float> golden;
    for (const auto& row : sentences_[i]["alignment"]) {
      golden.insert(golden.end(), row.begin(), row.end());
    }
    EXPECT_THAT(results[i].attentions[0].weights,
                testing::Pointwise(testing::FloatNear(kTolerance), golden));
  }
}

TEST_P(MarianGoldenTest, GreedyOutputIsTheSame) {
  const Transformer transformer = Make(ComputeType::kFloat32);
  Searcher searcher(transformer);
  const SearchOptions options;
  const TokenConstraints constraints;
  const std::vector<Hypotheses>& found = searcher.Search(source_, {options, constraints});
  for (size_t i = 0; i < sentences_.size(); ++i) {
    if (!sentences_[i].contains("greedy_ids")) continue;
    SCOPED_TRACE(sentences_[i]["source"]);
    EXPECT_EQ(found[i].front().ids, sentences_[i]["greedy_ids"].get<std::vector<int>>());
    EXPECT_THAT(
        found[i].front().log_probabilities,
        testing::Pointwise(testing::FloatNear(kTolerance),
                           sentences_[i]["greedy_log_probabilities"].get<std::vector<float>>()));
  }
}

// Marian's beam shrinks with each finished hypothesis, so that its best may be worse than ours.
TEST_P(MarianGoldenTest, BeamSearchFindsTheSameOrBetter) {
  const Transformer transformer = Make(ComputeType::kFloat32);
  Searcher searcher(transformer);
  SearchOptions options;
  options.beam_size = beam_size_;
  const TokenConstraints constraints;
  const std::vector<Hypotheses>& found = searcher.Search(source_, {options, constraints});
  for (size_t i = 0; i < sentences_.size(); ++i) {
    if (!sentences_[i].contains("beam_ids")) continue;
    SCOPED_TRACE(sentences_[i]["source"]);
    const std::vector<double> golden = sentences_[i]["beam_log_probabilities"];
    const double golden_score =
        std::accumulate(golden.begin(), golden.end(), 0.0) / static_cast<double>(golden.size());
    const Hypothesis& best = found[i].front();
    if (best.ids == sentences_[i]["beam_ids"].get<std::vector<int>>()) {
      EXPECT_NEAR(best.score, golden_score, kTolerance);
    } else {
      EXPECT_GT(best.score, golden_score + kTolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, MarianGoldenTest, testing::ValuesIn(Models()),
                         [](const auto& param) { return param.param; });

// With Marian's int8 GEMM, log-probabilities differ from float32 by some hundredths; ours by less.
TEST(MarianInt8Test, IsNearerToFloat32ThanMarianIs) {
  if (ZeroPoint() < 128) GTEST_SKIP() << "without VNNI inputs have 7 bits, Marian's 8";
  const SingleThreadScope single_thread;
  const std::string folder = std::string(kGolden) + "/ssru_int8";
  std::ifstream stream(folder + "/golden_marian.json");
  const nlohmann::json sentences = nlohmann::json::parse(stream)["sentences"];
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(folder);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  checkpoint->config.bad_words.clear();
  const auto weights = BindWeights(checkpoint->config, checkpoint->tensors);
  const Transformer transformer(*std::move(checkpoint), *weights, ComputeType::kInt8);

  double marian_error = 0;
  double our_error = 0;
  int compared = 0;
  for (const auto& sentence : sentences) {
    // Present only if Marian's own output is the same in int8 and float32.
    if (!sentence.contains("int8_log_probabilities")) continue;
    ++compared;
    SourceBatch source;
    source.Add(sentence["source_ids"].get<std::vector<int>>());
    const std::vector<int> ids = sentence["greedy_ids"];
    const auto results = Tracer(transformer).Run(source, {ids}, nullptr);
    const std::vector<double> exact = sentence["greedy_log_probabilities"];
    const std::vector<double> marian = sentence["int8_log_probabilities"];
    for (size_t token = 0; token < exact.size(); ++token) {
      marian_error += std::abs(marian[token] - exact[token]);
      our_error += std::abs(results[0].log_probabilities[token] - exact[token]);
    }
  }
  EXPECT_GE(compared, 4);
  EXPECT_LT(our_error, marian_error);
  RecordProperty("our_error", std::to_string(our_error));
  RecordProperty("marian_error", std::to_string(marian_error));
}

}  // namespace
}  // namespace limpid::internal

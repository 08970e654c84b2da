// An Argos Translate package with bpe.model, from text to text, against Argos Translate's parts:
// sacremoses, subword-nmt and CTranslate2. tests/golden/make_argos_golden.py makes both.

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/searcher.h"
#include "engine/text/checkpoint_tokenizer.h"
#include "engine/transformer/transformer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

constexpr double kTolerance = 2e-4;
constexpr char kPackage[] = "tests/golden/argos";

class ArgosGoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(kPackage);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    auto tokenizer = Tokenizer::Create(TakeTokenizerModel(*checkpoint));
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
    weights_ = *BindWeights(checkpoint->config, checkpoint->tensors);
    transformer_.emplace(*std::move(checkpoint), weights_, ComputeType::kFloat32);
    std::ifstream file(std::string(kPackage) + "/golden_argos.json");
    golden_ = nlohmann::json::parse(file);
    ASSERT_FALSE(golden_["sentences"].empty());
  }

  const SingleThreadScope single_thread_;
  std::unique_ptr<Tokenizer> tokenizer_;
  ModelWeights weights_;
  std::optional<Transformer> transformer_;
  nlohmann::json golden_;
};

TEST_F(ArgosGoldenTest, TranslatesTheSame) {
  SourceBatch batch;
  for (const auto& sentence : golden_["sentences"]) {
    const Pieces pieces = tokenizer_->EncodeSource(sentence["text"].get<std::string>());
    auto expected = sentence["source_pieces"].get<std::vector<std::string>>();
    expected.emplace_back("</s>");
    EXPECT_EQ(pieces.texts, expected);
    batch.Add(pieces.ids);
  }
  Searcher searcher(*transformer_);
  const SearchOptions options = {.max_output_tokens = golden_["max_output_tokens"]};
  const TokenConstraints constraints;
  const std::vector<Hypotheses>& found = searcher.Search(batch, {options, constraints});
  for (size_t i = 0; i < found.size(); ++i) {
    const auto& sentence = golden_["sentences"][i];
    SCOPED_TRACE(sentence["text"]);
    const std::vector<int>& ids = found[i].front().ids;
    EXPECT_EQ(ids, sentence["output_ids"].get<std::vector<int>>());
    EXPECT_THAT(found[i].front().log_probabilities,
                testing::Pointwise(testing::FloatNear(kTolerance),
                                   sentence["log_probabilities"].get<std::vector<float>>()));
    Pieces pieces;
    EXPECT_EQ(tokenizer_->DecodeTarget(ids, &pieces), sentence["translation"].get<std::string>());
    EXPECT_EQ(pieces.texts, sentence["output_pieces"].get<std::vector<std::string>>());
  }
}

}  // namespace
}  // namespace limpid::internal

#include "engine/transformer/encoder.h"

#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/reference/random_model.h"
#include "tests/reference/reference.h"

namespace limpid::internal {
namespace {

using Ids = std::vector<int>;

SourceBatch BatchOf(const std::vector<Ids>& sentences) {
  SourceBatch batch;
  for (const Ids& ids : sentences) batch.Add(ids);
  return batch;
}

TEST(SourceBatchTest, BeginsEmpty) {
  const SourceBatch batch;
  EXPECT_EQ(batch.sentences(), 0);
  EXPECT_EQ(batch.tokens(), 0);
}

TEST(SourceBatchTest, PacksSentencesOneAfterTheOther) {
  const std::vector<Ids> sentences = {{5, 6, 7}, {8}, {9, 10, 11, 12}};
  const SourceBatch batch = BatchOf(sentences);
  ASSERT_EQ(batch.sentences(), 3);
  EXPECT_EQ(batch.tokens(), 8);
  int token = 0;
  for (int s = 0; s < 3; ++s) {
    EXPECT_EQ(batch.begin(s), token);
    ASSERT_EQ(batch.length(s), static_cast<int>(sentences[s].size()));
    for (const int id : sentences[s]) {
      EXPECT_EQ(batch.id(token), id);
      EXPECT_EQ(batch.sentence(token), s);
      ++token;
    }
  }
}

TEST(SourceBatchTest, ClearRemovesEverything) {
  SourceBatch batch = BatchOf({{5, 6, 7}, {8}});
  batch.Clear();
  EXPECT_EQ(batch.sentences(), 0);
  EXPECT_EQ(batch.tokens(), 0);
  batch.Add(Ids{9, 10, 11, 12});  // overlaps the former second sentence
  batch.Add(Ids{13});
  ASSERT_EQ(batch.sentences(), 2);
  EXPECT_EQ(batch.begin(1), 4);
  EXPECT_EQ(batch.length(1), 1);
  EXPECT_EQ(batch.id(4), 13);
  for (int token = 0; token < 5; ++token) EXPECT_EQ(batch.sentence(token), token == 4 ? 1 : 0);
}

class EncoderTest : public testing::Test {
 protected:
  EncoderTest() { Load(reference::SmallConfig()); }

  void Load(const ModelConfig& config) {
    checkpoint_ = reference::RandomModel(config, /*seed=*/5);
    weights_ = *BindWeights(checkpoint_.config, checkpoint_.tensors);
    encoder_.emplace(checkpoint_.config, weights_, ComputeType::kFloat32);
  }

  // The rows of one sentence, encoded together with the others.
  std::vector<std::vector<float>> Encode(const std::vector<Ids>& sentences, int sentence) {
    const SourceBatch batch = BatchOf(sentences);
    const Matrix& output = encoder_->Encode(batch, {0, batch.sentences()}, exec_);
    EXPECT_EQ(output.rows(), batch.tokens());
    std::vector<std::vector<float>> rows;
    for (int token = 0; token < batch.length(sentence); ++token) {
      const float* row = output.row(batch.begin(sentence) + token);
      rows.emplace_back(row, row + output.columns());
    }
    return rows;
  }

  static void ExpectNear(const std::vector<std::vector<float>>& a,
                         const std::vector<std::vector<float>>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t row = 0; row < a.size(); ++row) {
      for (size_t i = 0; i < a[row].size(); ++i) ASSERT_NEAR(a[row][i], b[row][i], 1e-5);
    }
  }

  const SingleThreadScope single_thread_;
  Checkpoint checkpoint_;
  ModelWeights weights_;
  std::optional<Encoder> encoder_;
  Execution exec_;
};

const std::vector<Ids>& Sentences() {
  static const std::vector<Ids>& sentences =
      *new std::vector<Ids>{{5}, {7, 8, 9, 10, 11, 12, 13}, {14, 15, 0}, Ids(60, 3), {9, 8, 0}};
  return sentences;
}

TEST_F(EncoderTest, MatchesTheOracle) {
  const reference::Transformer oracle(checkpoint_.config, weights_);
  for (size_t s = 0; s < Sentences().size(); ++s) {
    const auto found = Encode(Sentences(), static_cast<int>(s));
    const reference::Matrix expected = oracle.Encode(Sentences()[s]);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t row = 0; row < found.size(); ++row) {
      for (size_t i = 0; i < expected[row].size(); ++i) {
        ASSERT_NEAR(found[row][i], expected[row][i], 2e-5);
      }
    }
  }
}

TEST_F(EncoderTest, ASentenceDoesNotDependOnItsNeighbours) {
  for (size_t s = 0; s < Sentences().size(); ++s) {
    ExpectNear(Encode(Sentences(), static_cast<int>(s)), Encode({Sentences()[s]}, 0));
  }
}

// With neighbours of the same lengths the GEMMs have the same shapes: not a bit may change.
TEST_F(EncoderTest, NothingOfANeighbourLeaksIn) {
  std::vector<Ids> others = Sentences();
  for (size_t s = 0; s < others.size(); ++s) {
    if (s == 2) continue;
    for (int& id : others[s]) id = 31 - id;
  }
  EXPECT_EQ(Encode(others, 2), Encode(Sentences(), 2));
  EXPECT_NE(Encode(others, 1), Encode(Sentences(), 1));
}

TEST_F(EncoderTest, TheOrderOfTheSentencesDoesNotMatter) {
  const std::vector<Ids> reversed(Sentences().rbegin(), Sentences().rend());
  for (int s = 0; s < 5; ++s) ExpectNear(Encode(reversed, 4 - s), Encode(Sentences(), s));
}

// Every token of a sentence sees all tokens and their positions.
TEST_F(EncoderTest, EveryTokenSeesTheWholeSentence) {
  const auto before = Encode({{5, 6, 7, 8}}, 0);
  for (int changed = 0; changed < 4; ++changed) {
    Ids ids = {5, 6, 7, 8};
    ids[changed] = 20;
    const auto after = Encode({ids}, 0);
    for (int token = 0; token < 4; ++token) EXPECT_NE(after[token], before[token]);
  }
  EXPECT_NE(Encode({{6, 5, 7, 8}}, 0)[3], before[3]);
}

// Scratch memory carries nothing over from a larger batch or another model.
TEST_F(EncoderTest, ReusedScratchMemoryChangesNothing) {
  const auto fresh = Encode({Sentences()[1]}, 0);
  Encode(Sentences(), 0);
  EXPECT_EQ(Encode({Sentences()[1]}, 0), fresh);

  ModelConfig wider = reference::SmallConfig();
  wider.model_dim = 40;
  Load(wider);
  const auto expected = Encode(Sentences(), 1);
  exec_ = Execution();
  EXPECT_EQ(Encode(Sentences(), 1), expected);
}

}  // namespace
}  // namespace limpid::internal

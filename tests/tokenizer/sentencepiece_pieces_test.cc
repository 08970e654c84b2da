#include "tokenizer/sentencepiece_pieces.h"

#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;

const std::string kModels = "tests/golden/marian/";
const std::string kJoint = kModels + "post_norm/vocab.spm";
const std::string kSource = kModels + "pre_norm/srcvocab.spm";

TEST(SentencePiecePiecesTest, AreInTheOrderOfTheirIds) {
  const auto pieces = SentencePiecePieces(ReadText(kSource));
  ASSERT_TRUE(pieces.ok()) << pieces.status();
  EXPECT_EQ(pieces->size(), 40U);
  EXPECT_THAT(std::vector(pieces->begin(), pieces->begin() + 2), ElementsAre("</s>", "<unk>"));
}

TEST(SentencePiecePiecesTest, DamageDoesNoHarm) {
  const std::string spm = ReadText(kJoint);
  ASSERT_TRUE(SentencePiecePieces(spm).ok());
  std::mt19937 random(3);
  for (size_t size = 0; size < spm.size(); ++size) {
    (void)SentencePiecePieces(spm.substr(0, size));
    std::string flipped = spm;
    flipped[size] = static_cast<char>(flipped[size] ^ (1U << (random() % 8)));
    (void)SentencePiecePieces(flipped);
  }
  EXPECT_FALSE(SentencePiecePieces("").ok());
  EXPECT_FALSE(SentencePiecePieces("no model at all").ok());
  EXPECT_FALSE(
      SentencePiecePieces(std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)).ok());
}

}  // namespace
}  // namespace limpid::internal

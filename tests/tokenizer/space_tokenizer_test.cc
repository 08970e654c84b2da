#include "tokenizer/space_tokenizer.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tokenizer/tokenizers.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;

TEST(SpaceTokenizer, PiecesAreWhatSpacesSeparate) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(SpaceModel());
  const Pieces pieces = tokenizer->EncodeSource(" a \tbc  \u00fc q ");
  EXPECT_THAT(pieces.ids, ElementsAre(2, 3, 4, 1, 0));
  EXPECT_THAT(pieces.texts, ElementsAre("a", "bc", "\u00fc", "q", "</s>"));
  EXPECT_THAT(pieces.ranges, ElementsAre(ByteRange{1, 2}, ByteRange{4, 6}, ByteRange{8, 10},
                                         ByteRange{11, 12}, ByteRange{13, 13}));
  EXPECT_THAT(tokenizer->EncodeSource("").ids, ElementsAre(0));
  EXPECT_THAT(tokenizer->EncodeSource(" \t ").ids, ElementsAre(0));
  EXPECT_THAT(tokenizer->EncodeTarget("yz x a").ids, ElementsAre(4, 2, 3, 1));
}

TEST(SpaceTokenizer, ASourceMayEndWithoutEndOfSentence) {
  TokenizerModel model = SpaceModel();
  model.source_eos_id = -1;
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  EXPECT_THAT(tokenizer->EncodeSource("a bc").ids, ElementsAre(2, 3));
  EXPECT_THAT(tokenizer->EncodeSource("").ids, testing::IsEmpty());
  EXPECT_THAT(tokenizer->EncodeTarget("x").ids, ElementsAre(2, 1));
}

TEST(SpaceTokenizer, ASourceMayBeginWithBeginningOfSentence) {
  TokenizerModel model = SpaceModel();
  model.source_bos_id = 4;
  const std::unique_ptr<Tokenizer> tokenizer = Make(std::move(model));
  EXPECT_THAT(tokenizer->EncodeSource(" a bc").ids, ElementsAre(4, 2, 3, 0));
  EXPECT_THAT(tokenizer->EncodeSource(" a bc").ranges[0], (ByteRange{0, 0}));
  EXPECT_THAT(tokenizer->EncodeSource("").ids, ElementsAre(4, 0));
  EXPECT_THAT(tokenizer->EncodeTarget("x").ids, ElementsAre(2, 1));
}

TEST(SpaceTokenizer, SpacesJoinPieces) {
  const std::unique_ptr<Tokenizer> tokenizer = Make(SpaceModel());
  Pieces pieces;
  EXPECT_EQ(tokenizer->DecodeTarget({0, 2, 3, 4, 1}, &pieces), "x yz");
  EXPECT_THAT(pieces.texts, ElementsAre("<pad>", "x", "<unk>", "yz", "</s>"));
  EXPECT_THAT(pieces.ranges, ElementsAre(ByteRange{0, 0}, ByteRange{0, 1}, ByteRange{1, 1},
                                         ByteRange{2, 4}, ByteRange{4, 4}));
  EXPECT_EQ(tokenizer->DecodeTarget({1}, nullptr), "");
}

}  // namespace
}  // namespace limpid::internal

#include "models/learn/lexical_model.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/native/shortlist.h"

namespace limpid::internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kEos = 0;
constexpr int kVocab = 12;

class LexicalModelTest : public testing::Test {
 protected:
  std::vector<uint32_t> Candidates(int source, const LexicalOptions& options) {
    bytes_ = LearnShortlist(pairs_, kVocab, kVocab, kEos, options);
    const auto shortlist = ParseShortlist(
        {reinterpret_cast<const std::byte*>(bytes_.data()), bytes_.size()}, kVocab, kVocab);
    EXPECT_TRUE(shortlist.ok()) << shortlist.status();
    const auto candidates = shortlist->Candidates(source);
    return {candidates.begin(), candidates.end()};
  }

  // "das Haus", "das Buch", "ein Buch": the textbook example of IBM Model 1.
  const int the_ = 1, house_ = 2, book_ = 3, a_ = 4;
  const int das_ = 5, haus_ = 6, buch_ = 7, ein_ = 8;
  std::vector<IdPair> pairs_ = {{{the_, house_, kEos}, {das_, haus_, kEos}},
                                {{the_, book_, kEos}, {das_, buch_, kEos}},
                                {{a_, book_, kEos}, {ein_, buch_, kEos}}};
  std::string bytes_;
};

TEST_F(LexicalModelTest, LearnsTheTranslationOfEachPiece) {
  const LexicalOptions one = {.iterations = 20, .best = 1, .frequent = 0};
  EXPECT_THAT(Candidates(the_, one), ElementsAre(das_));
  EXPECT_THAT(Candidates(house_, one), ElementsAre(haus_));
  EXPECT_THAT(Candidates(book_, one), ElementsAre(buch_));
  EXPECT_THAT(Candidates(a_, one), ElementsAre(ein_));
}

TEST_F(LexicalModelTest, LimitsTheNumberAndProbabilityOfCandidates) {
  EXPECT_EQ(Candidates(book_, {.iterations = 1, .best = 2, .frequent = 0}).size(), 2U);
  EXPECT_EQ(Candidates(book_, {.iterations = 1, .best = 99, .frequent = 0}).size(), 4U);
  const LexicalOptions probable = {
      .iterations = 20, .best = 99, .min_probability = 0.5F, .frequent = 0};
  EXPECT_THAT(Candidates(book_, probable), ElementsAre(buch_));
}

TEST_F(LexicalModelTest, EndOfSentenceHasTheMostFrequentPieces) {
  const LexicalOptions options = {.iterations = 20, .best = 1, .frequent = 3};
  EXPECT_THAT(Candidates(kEos, options), ElementsAre(kEos, das_, buch_));
  EXPECT_THAT(Candidates(book_, options), Not(Contains(das_)));
}

TEST_F(LexicalModelTest, UnseenPiecesHaveNoCandidates) {
  EXPECT_THAT(Candidates(11, {.frequent = 0}), IsEmpty());
}

// The most frequent pieces are determined once, not once per source piece.
TEST_F(LexicalModelTest, ALargeVocabularyWithoutEndOfSentenceTakesNoLonger) {
  constexpr int kLarge = 60'000;
  const std::string bytes = LearnShortlist(pairs_, kLarge, kLarge, -1, {.best = 1, .frequent = 2});
  const auto shortlist = ParseShortlist(
      {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, kLarge, kLarge);
  ASSERT_TRUE(shortlist.ok()) << shortlist.status();
  EXPECT_EQ(shortlist->Candidates(kLarge - 1).size(), 2U);
}

TEST_F(LexicalModelTest, NothingToLearnFromGivesAnEmptyShortlist) {
  pairs_.clear();
  EXPECT_THAT(Candidates(kEos, {.frequent = 0}), IsEmpty());
}

}  // namespace
}  // namespace limpid::internal

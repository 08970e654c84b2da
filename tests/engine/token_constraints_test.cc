#include "engine/token_constraints.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/checkpoint_tokenizer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/checkpoint.h"

namespace limpid {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The shipped model's vocabulary.
class TokenConstraintsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    Checkpoint checkpoint = *ReadCheckpoint("models/eng-deu");
    config_ = checkpoint.config;
    tokenizer_ = *Tokenizer::Create(TakeTokenizerModel(checkpoint));
  }
  static void TearDownTestSuite() { tokenizer_.reset(); }

  static TokenConstraints Find(const SearchOptions& options) {
    auto constraints = FindConstraints(options, config_, *tokenizer_);
    EXPECT_TRUE(constraints.ok()) << constraints.status();
    return constraints.ok() ? *std::move(constraints) : TokenConstraints();
  }
  static std::string Refusal(const SearchOptions& options) {
    const auto constraints = FindConstraints(options, config_, *tokenizer_);
    if (!constraints.ok()) return std::string(constraints.status().message());
    return std::string(FindPrefix(options, *constraints, config_, *tokenizer_).status().message());
  }
  static std::vector<std::string> Pieces(const std::vector<int>& ids) {
    std::vector<std::string> pieces;
    for (const int id : ids) pieces.push_back(tokenizer_->TargetPiece(id));
    return pieces;
  }

  static inline ModelConfig config_;
  static inline std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(TokenConstraintsTest, NothingSaidIsNothingForbidden) {
  EXPECT_THAT(Find({}).suppress, IsEmpty());
  EXPECT_THAT(Find({}).end_at, IsEmpty());
  EXPECT_THAT(*FindPrefix({}, {}, config_, *tokenizer_), IsEmpty());
}

// As text, "fahren" begins a word; to the letter, it is also a piece that goes on in one.
TEST_F(TokenConstraintsTest, AWordIsMeantWhereverItStands) {
  const std::vector<std::vector<int>> suppress = Find({.suppress = {"fahren"}}).suppress;
  ASSERT_EQ(suppress.size(), 2U);
  EXPECT_THAT(Pieces(suppress[0]), ElementsAre("fahren"));
  EXPECT_THAT(Pieces(suppress[1]), ElementsAre("▁fahren"));
  EXPECT_THAT(Pieces(Find({.end_at = {"fahren"}}).end_at), ElementsAre("fahren", "▁fahren"));
  EXPECT_THAT(Pieces(Find({.end_at = {"▁fahren"}}).end_at), Contains("▁fahren"));
}

TEST_F(TokenConstraintsTest, APhraseIsForbiddenAsAWhole) {
  const std::vector<std::vector<int>> suppress = Find({.suppress = {"ein rotes"}}).suppress;
  ASSERT_EQ(suppress.size(), 1U);
  EXPECT_THAT(Pieces(suppress[0]).front(), "▁ein");
  EXPECT_GT(suppress[0].size(), 1U);
}

TEST_F(TokenConstraintsTest, WhatTheVocabularyDoesNotHaveIsNamed) {
  EXPECT_THAT(Refusal({.suppress = {""}}), HasSubstr("suppress '' is no piece of the model's"));
  EXPECT_THAT(Refusal({.suppress = {"\uE000"}}), HasSubstr("suppress '\uE000' is no piece"));
  // A translation cannot end at several pieces, so these are shown.
  EXPECT_THAT(Refusal({.end_at = {"gibtesnicht"}}),
              AllOf(HasSubstr("end_at 'gibtesnicht' is no piece of the model's vocabulary"),
                    HasSubstr("as text it is ▁gibt")));
}

TEST_F(TokenConstraintsTest, BytesThatAreNoTextAreReplacedNotFollowed) {
  EXPECT_THAT(Refusal({.suppress = {"\xff"}}), HasSubstr("is no piece"));
  const auto prefix = FindPrefix({.prefix = "Das \xff"}, {}, config_, *tokenizer_);
  ASSERT_TRUE(prefix.ok()) << prefix.status();
  EXPECT_EQ(Pieces(*prefix).front(), "▁Das");
}

TEST_F(TokenConstraintsTest, APrefixIsItsTokensWithoutTheEnd) {
  EXPECT_THAT(Pieces(*FindPrefix({.prefix = "Das ist gut"}, {}, config_, *tokenizer_)),
              ElementsAre("▁Das", "▁ist", "▁gut"));
}

TEST_F(TokenConstraintsTest, WhatLeavesNoRoomIsRefused) {
  EXPECT_THAT(Refusal({.prefix = "Das ist gut", .max_output_tokens = 3}),
              AllOf(HasSubstr("prefix has 3 tokens"), HasSubstr("max_output_tokens 3")));
  EXPECT_EQ(Refusal({.prefix = "Das ist gut", .max_output_tokens = 4}), "");
  EXPECT_THAT(Refusal({.prefix = std::string(2000, 'x')}), HasSubstr("the model takes, 512"));
  EXPECT_THAT(Refusal({.min_output_tokens = 512}), HasSubstr("more than the model takes, 512"));
  EXPECT_EQ(Refusal({.min_output_tokens = 511}), "");
}

TEST_F(TokenConstraintsTest, AlternativesStandBehindThePrefix) {
  EXPECT_THAT(Refusal({.alternatives = 2, .alternatives_at = 1, .prefix = "Das ist"}),
              HasSubstr("alternatives_at 1 is within the prefix, which has 2 tokens"));
  EXPECT_EQ(Refusal({.alternatives = 2, .alternatives_at = 2, .prefix = "Das ist"}), "");
}

TEST_F(TokenConstraintsTest, APrefixObeysTheConstraints) {
  EXPECT_THAT(Refusal({.prefix = "Das ist gut", .suppress = {"ist gut"}}),
              HasSubstr("prefix 'Das ist gut' has what suppress forbids"));
  EXPECT_EQ(Refusal({.prefix = "Das ist gut", .suppress = {"gut ist"}}), "");
  EXPECT_THAT(Refusal({.prefix = "Das ist", .end_at = {"▁ist"}}),
              HasSubstr("has '▁ist', which ends the translation"));
}

}  // namespace
}  // namespace limpid

#include "engine/text/token_constraints.h"

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "nlohmann/json.hpp"
#include "tests/tokenizer/tokenizers.h"

namespace limpid::internal {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A tokenizer without byte fallback, with as many pieces as the shipped model has.
class TokenConstraintsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    config_ = ReadCheckpoint("models/eng-deu")->config;
    config_.bad_words = {config_.decoder_start_id};  // not <unk>
    tokenizer_ = Make(NfkcModel());
    ASSERT_FALSE(tokenizer_->TargetPiece(config_.target_vocab_size - 1).empty());
  }
  static void TearDownTestSuite() { tokenizer_.reset(); }

  static TokenConstraints Find(const SearchOptions& options) {
    auto constraints = FindConstraints(options, config_, *tokenizer_);
    EXPECT_TRUE(constraints.ok()) << constraints.status();
    return constraints.ok() ? *std::move(constraints) : TokenConstraints();
  }
  static std::string Error(const SearchOptions& options) {
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

TEST_F(TokenConstraintsTest, WithoutOptionsNothingIsForbidden) {
  EXPECT_THAT(Find({}).suppress, IsEmpty());
  EXPECT_THAT(Find({}).end_at, IsEmpty());
  EXPECT_THAT(*FindPrefix({}, {}, config_, *tokenizer_), IsEmpty());
}

TEST_F(TokenConstraintsTest, TokensWithTheTextAreForbidden) {
  std::vector<std::string> pieces;
  for (const std::vector<int>& sequence : Find({.suppress = {"fahren"}}).suppress) {
    ASSERT_THAT(sequence, testing::SizeIs(1));
    pieces.push_back(tokenizer_->TargetPiece(sequence[0]));
  }
  EXPECT_THAT(pieces, AllOf(Contains("fahren"), Contains("▁fahren")));
  EXPECT_THAT(pieces, testing::Each(HasSubstr("fahren")));
}

// As text, "fahren" begins a word; as a piece, it continues one.
TEST_F(TokenConstraintsTest, EndAtFindsPiecesAtTheBeginningOfAndWithinWords) {
  EXPECT_THAT(Pieces(Find({.end_at = {"fahren"}}).end_at), ElementsAre("fahren", "▁fahren"));
  EXPECT_THAT(Pieces(Find({.end_at = {"▁fahren"}}).end_at), Contains("▁fahren"));
}

TEST_F(TokenConstraintsTest, TextIsForbiddenInAnyTokenization) {
  const TokenConstraints constraints = Find({.suppress = {"ein rotes"}});
  // Whether the last of `pieces` is forbidden after the others.
  const auto is_stopped = [&](const std::vector<std::string>& pieces) {
    std::vector<int> ids;
    for (const std::string& piece : pieces) {
      for (int id = 0; id < config_.target_vocab_size; ++id) {
        if (tokenizer_->TargetPiece(id) == piece) ids.push_back(id);
      }
    }
    EXPECT_EQ(ids.size(), pieces.size());
    bool stopped = false;
    ForEachForbidden(constraints, absl::MakeConstSpan(ids).first(ids.size() - 1),
                     [&](int token) { stopped = stopped || token == ids.back(); });
    return stopped;
  };
  EXPECT_TRUE(is_stopped({"▁ein", "▁ro", "t", "es"}));
  EXPECT_TRUE(is_stopped({"▁k", "e", "in", "▁", "r", "o", "t", "e", "s"}));
  EXPECT_TRUE(is_stopped({"e", "i", "n", "▁r", "o", "t", "es"}));
  EXPECT_TRUE(is_stopped({"▁ein", "▁", "▁ro", "t", "es"}));
  EXPECT_FALSE(is_stopped({"▁ein", "ro", "t", "es"}));
  EXPECT_FALSE(is_stopped({"▁ein", "▁ro", "t", "e"}));
}

TEST_F(TokenConstraintsTest, ASpaceMarkMeansTheBeginningOfAWord) {
  const TokenConstraints constraints = Find({.suppress = {"▁an"}});
  const auto stops = [&](const std::vector<int>& before, const std::string& piece) {
    bool stopped = false;
    ForEachForbidden(constraints, before, [&](int token) {
      stopped = stopped || tokenizer_->TargetPiece(token) == piece;
    });
    return stopped;
  };
  const std::vector<int> word = tokenizer_->EncodeTarget("Das").ids;
  const std::vector<int> das(word.begin(), word.end() - 1);
  EXPECT_TRUE(stops(das, "▁an"));
  EXPECT_FALSE(stops(das, "an"));
  EXPECT_TRUE(stops({}, "an"));  // a text begins with a word
}

TEST_F(TokenConstraintsTest, SpecialPiecesAreFoundByName) {
  EXPECT_THAT(Find({.suppress = {"<unk>"}}).suppress, Contains(ElementsAre(1)));
}

TEST_F(TokenConstraintsTest, NamesWhatTheVocabularyLacks) {
  EXPECT_THAT(Error({.suppress = {""}}), HasSubstr("suppress '' never occurs"));
  EXPECT_THAT(Error({.suppress = {"\uE000"}}), HasSubstr("suppress '\uE000' never occurs"));
  // end_at takes a single piece, so the error shows the pieces that the text consists of.
  EXPECT_THAT(Error({.end_at = {"gibtesnicht"}}),
              AllOf(HasSubstr("end_at 'gibtesnicht' is not a piece of the vocabulary"),
                    HasSubstr("as text it is ▁gibt")));
}

TEST_F(TokenConstraintsTest, RejectsInvalidUtf8) {
  EXPECT_THAT(Error({.suppress = {"\xff"}}), HasSubstr("suppress '\uFFFD' is not valid UTF-8"));
  EXPECT_THAT(Error({.end_at = {"\xff"}}), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(Error({.prefix = "Das \xff"}), HasSubstr("not valid UTF-8"));
}

TEST_F(TokenConstraintsTest, APrefixIsReproducedByteForByteOrRejected) {
  EXPECT_THAT(Error({.prefix = "São Paulo"}),
              HasSubstr("prefix 'São Paulo' has 'ã', which the vocabulary cannot spell"));
  EXPECT_THAT(Error({.prefix = "😀"}), HasSubstr("has '😀', which"));
  EXPECT_THAT(Error({.prefix = "Das  ist"}), HasSubstr("becomes 'Das ist'"));
  EXPECT_THAT(Error({.prefix = "ﬁnden"}), HasSubstr("becomes 'finden'"));
  EXPECT_EQ(Error({.prefix = " Straße, \"Zürich\" "}), "");
}

// With byte fallback a model can produce any text.
TEST(ByteFallbackTest, APrefixMayBeAnything) {
  std::ifstream file("tests/golden/tokenizer/small.target.spm", std::ios::binary);
  TokenizerModel model;
  model.source_sentencepiece = {std::istreambuf_iterator<char>(file), {}};
  model.target_sentencepiece = model.source_sentencepiece;
  std::ifstream golden("tests/golden/tokenizer/small.json");
  model.target_vocabulary =
      nlohmann::json::parse(golden)["target_vocabulary"].get<std::vector<std::string>>();
  model.source_vocabulary = model.target_vocabulary;
  ModelConfig config;
  config.target_vocab_size = static_cast<int>(model.target_vocabulary.size());
  config.max_positions = 512;
  const auto tokenizer = *Tokenizer::Create(std::move(model));
  for (const std::string prefix : {"😀", "São Paulo 日本", "Das ist 👍🏽 gut"}) {
    const auto ids = FindPrefix({.prefix = prefix}, {}, config, *tokenizer);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(tokenizer->DecodeTarget(*ids, nullptr), prefix);
  }
  // Bytes complete a suppressed text, too.
  const auto constraints = FindConstraints({.suppress = {"😀"}}, config, *tokenizer);
  ASSERT_TRUE(constraints.ok()) << constraints.status();
  EXPECT_THAT(FindPrefix({.prefix = "a 😀"}, *constraints, config, *tokenizer).status().message(),
              HasSubstr("contains what suppress forbids"));
  EXPECT_TRUE(FindPrefix({.prefix = "a 😁"}, *constraints, config, *tokenizer).ok());
}

TEST_F(TokenConstraintsTest, APrefixIsItsTokensWithoutTheEnd) {
  EXPECT_THAT(Pieces(*FindPrefix({.prefix = "Das ist gut"}, {}, config_, *tokenizer_)),
              ElementsAre("▁Das", "▁ist", "▁gut"));
}

TEST_F(TokenConstraintsTest, RejectsOptionsThatLeaveNoRoom) {
  EXPECT_THAT(Error({.prefix = "Das ist gut", .max_output_tokens = 3}),
              AllOf(HasSubstr("prefix has 3 tokens"), HasSubstr("max_output_tokens 3")));
  EXPECT_EQ(Error({.prefix = "Das ist gut", .max_output_tokens = 4}), "");
  EXPECT_THAT(Error({.prefix = std::string(2000, 'x')}), HasSubstr("the model's limit, 512"));
  EXPECT_THAT(Error({.min_output_tokens = 512}), HasSubstr("exceed the model's limit, 512"));
  EXPECT_EQ(Error({.min_output_tokens = 511}), "");
}

TEST_F(TokenConstraintsTest, AlternativesComeAfterThePrefix) {
  EXPECT_THAT(Error({.alternatives = 2, .alternatives_at = 1, .prefix = "Das ist"}),
              HasSubstr("alternatives_at 1 is within the prefix, which has 2 tokens"));
  EXPECT_EQ(Error({.alternatives = 2, .alternatives_at = 2, .prefix = "Das ist"}), "");
}

TEST_F(TokenConstraintsTest, APrefixObeysTheConstraints) {
  EXPECT_THAT(Error({.prefix = "Das ist gut", .suppress = {"ist gut"}}),
              HasSubstr("prefix 'Das ist gut' contains what suppress forbids"));
  EXPECT_EQ(Error({.prefix = "Das ist gut", .suppress = {"gut ist"}}), "");
  EXPECT_THAT(Error({.prefix = "Das ist", .end_at = {"▁ist"}}),
              HasSubstr("has '▁ist', which ends the translation"));
}

}  // namespace
}  // namespace limpid::internal

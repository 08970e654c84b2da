#include "tokenizer/subword_nmt.h"

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The pieces of a word in subword-nmt's notation.
std::vector<std::string> Pieces(const std::string& merges, const std::string& word) {
  const auto parsed = SubwordNmt::Parse(merges);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  std::vector<std::string> pieces;
  for (const ByteRange& range : (*parsed)->Cut(word)) {
    pieces.emplace_back(range.In(word));
    if (range.end < word.size()) pieces.back() += kContinues;
  }
  return pieces;
}

std::string Refusal(const std::string& merges) {
  std::string message(SubwordNmt::Parse(merges).status().message());
  return message;
}

TEST(SubwordNmt, CutsAsSubwordNmtDoes) {
  std::ifstream file("tests/golden/tokenizer/subword_nmt.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  ASSERT_FALSE(golden["tables"].empty());
  for (const auto& table : golden["tables"]) {
    const std::string merges = table["merges"];
    for (const auto& [word, pieces] :
         table["words"].get<std::vector<std::pair<std::string, std::vector<std::string>>>>()) {
      EXPECT_EQ(Pieces(merges, word), pieces) << merges << word;
    }
  }
}

TEST(SubwordNmt, AMergeIsMadeEverywhereBeforeTheNext) {
  // After one "a bc", "abc a" would come first; but the other "a bc" is made before.
  EXPECT_THAT(Pieces("abc a\nb c\na bc\n", "abcabcx"), ElementsAre("abc@@", "abc@@", "x"));
  EXPECT_THAT(Pieces("x x\n", "xxxxx"), ElementsAre("xx@@", "xx@@", "x"));
}

TEST(SubwordNmt, TheFirstOfMergesThatRepeatCounts) {
  EXPECT_THAT(Pieces("#version: 0.2\na b\nb c\na b\n", "abcd"), ElementsAre("ab@@", "c@@", "d"));
}

TEST(SubwordNmt, TakesWindowsLineEndsAndEmptyLinesAtTheEnd) {
  EXPECT_THAT(Pieces("#version: 0.2\r\na b</w>\r\n\n\n", "cab"), ElementsAre("c@@", "ab"));
}

TEST(SubwordNmt, RefusesWhatIsNoListOfMerges) {
  EXPECT_THAT(Refusal(""), HasSubstr("line 1 of the merges: expected two pieces"));
  EXPECT_THAT(Refusal("#version: 0.2\n"), HasSubstr("line 2 of the merges"));
  EXPECT_THAT(Refusal("#version: 0.3\na b\n"), HasSubstr("expected \"#version: 0.2\""));
  EXPECT_THAT(Refusal("a b\nc\n"), HasSubstr("line 2 of the merges"));
  EXPECT_THAT(Refusal("a b\nc d e\n"), HasSubstr("line 2 of the merges"));
  EXPECT_THAT(Refusal("a b\n\nc d\n"), HasSubstr("line 2 of the merges"));
  EXPECT_THAT(Refusal("a \xFF\n"), HasSubstr("UTF-8"));
}

// Quadratic time would take hours here.
TEST(SubwordNmt, AWordMayBeLong) {
  std::string merges = "a a\n";
  for (std::string piece = "aa"; piece.size() < 1024; piece += piece) {
    merges.append(piece).append(" ").append(piece).append("\n");
  }
  const std::string word(1'000'000, 'a');
  const auto parsed = SubwordNmt::Parse(merges);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  // The end of a word is not an "a": the last pieces stay small.
  EXPECT_EQ((*parsed)->Cut(word).front(), (ByteRange{0, 1024}));
}

}  // namespace
}  // namespace limpid::internal

#include "models/native/shortlist.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kSourceVocab = 4;
constexpr int kTargetVocab = 9;

struct Lists {
  std::vector<uint64_t> offsets = {0, 2, 2, 5, 6};
  std::vector<uint32_t> ids = {3, 7, 2, 4, 8, 5};

  std::string Format() const {
    return FormatShortlist({.first_num = 2, .best_num = 3, .offsets = offsets, .ids = ids});
  }
};

absl::StatusOr<Shortlist> Parse(const std::string& bytes, int source_vocab = kSourceVocab,
                                int target_vocab = kTargetVocab) {
  return ParseShortlist({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()},
                        source_vocab, target_vocab);
}

std::string MessageOf(const std::string& bytes) {
  return std::string(Parse(bytes).status().message());
}

// Replaces a uint64 of the header, which makes the checksum wrong unless it is the magic.
std::string WithField(std::string bytes, size_t field, uint64_t value) {
  std::memcpy(bytes.data() + field * sizeof(value), &value, sizeof(value));
  return bytes;
}

TEST(ShortlistTest, GivesTheCandidatesOfEachSourcePiece) {
  const std::string bytes = Lists().Format();
  const auto shortlist = Parse(bytes);
  ASSERT_TRUE(shortlist.ok()) << shortlist.status();
  EXPECT_EQ(shortlist->first_num, 2U);
  EXPECT_EQ(shortlist->best_num, 3U);
  EXPECT_THAT(shortlist->Candidates(0), ElementsAre(3, 7));
  EXPECT_THAT(shortlist->Candidates(1), IsEmpty());
  EXPECT_THAT(shortlist->Candidates(2), ElementsAre(2, 4, 8));
  EXPECT_THAT(shortlist->Candidates(3), ElementsAre(5));
}

TEST(ShortlistTest, TheLastSourcePiecesMayHaveNoOffsets) {
  const std::string bytes = Lists().Format();
  const auto shortlist = Parse(bytes, kSourceVocab + 2);
  ASSERT_TRUE(shortlist.ok()) << shortlist.status();
  EXPECT_THAT(shortlist->Candidates(3), ElementsAre(5));
  EXPECT_THAT(shortlist->Candidates(4), IsEmpty());
  EXPECT_THAT(shortlist->Candidates(5), IsEmpty());
}

TEST(ShortlistTest, HasMariansLayoutAndChecksum) {
  const std::string bytes = FormatShortlist({.first_num = 1, .best_num = 1, .offsets = {0}});
  ASSERT_EQ(bytes.size(), 7 * sizeof(uint64_t));
  uint64_t words[7];
  std::memcpy(words, bytes.data(), sizeof(words));
  // The checksum by hand: hash_combine of 1, 1, 1 (offset), 0 (ids), 0.
  uint64_t hash = 0;
  for (const uint64_t word : {1, 1, 1, 0, 0}) {
    hash ^= word + 0x9e3779b9 + (hash << 6) + (hash >> 2);
  }
  EXPECT_THAT(words, ElementsAre(0xF11A48D5013417F5, hash, 1, 1, 1, 0, 0));
}

TEST(ShortlistTest, ExplainsInvalidFiles) {
  const std::string good = Lists().Format();
  EXPECT_THAT(MessageOf(WithField(good, 0, 12)), HasSubstr("is not a binary shortlist"));
  EXPECT_THAT(MessageOf(WithField(good, 2, 4)), HasSubstr("checksum"));
  EXPECT_THAT(MessageOf(WithField(good, 4, UINT64_MAX)), HasSubstr("18446744073709551615 offsets"));
  EXPECT_THAT(MessageOf(WithField(good, 5, UINT64_MAX / 4 + 2)), HasSubstr("ids, found"));

  Lists lists;
  lists.offsets = {0, 2, 1, 5, 6};
  EXPECT_THAT(MessageOf(lists.Format()), HasSubstr("offset 2 is 1, below the one before it, 2"));
  lists.offsets = {0, 2, 2, 5, 7};
  EXPECT_THAT(MessageOf(lists.Format()), HasSubstr("the number of ids, 6, found 7"));
  lists.offsets = {0, 2, 2, 5, 5, 6};
  EXPECT_THAT(MessageOf(lists.Format()), HasSubstr("expected 1 to 5 offsets"));
  lists = {};
  lists.offsets.clear();
  lists.ids.clear();
  EXPECT_THAT(MessageOf(lists.Format()), HasSubstr("expected 1 to 5 offsets"));
  lists = {};
  lists.ids[3] = kTargetVocab;
  EXPECT_THAT(MessageOf(lists.Format()), HasSubstr("target vocabulary, 9, found 9"));
}

TEST(ShortlistTest, RejectsEveryTruncationAndTrailingByte) {
  const std::string good = Lists().Format();
  for (size_t size = 0; size < good.size(); ++size) {
    const std::string cut(good.data(), size);
    const std::vector<char> heap(cut.begin(), cut.end());  // aligned, unlike a short string
    const auto* data = reinterpret_cast<const std::byte*>(heap.data());
    EXPECT_FALSE(ParseShortlist({data, size}, kSourceVocab, kTargetVocab).ok()) << size;
  }
  EXPECT_FALSE(Parse(good + "\1").ok());
}

TEST(ShortlistTest, RejectsEveryFlippedByteBeforeTheOddIdAtTheEnd) {
  Lists lists;
  lists.ids.resize(5);
  lists.offsets.back() = 5;
  for (const std::string& good : {Lists().Format(), lists.Format()}) {
    const size_t checked = good.size() / sizeof(uint64_t) * sizeof(uint64_t);
    for (size_t at = 0; at < checked; ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x41);
      EXPECT_FALSE(Parse(bad).ok()) << at;
    }
  }
}

TEST(ShortlistTest, UnionHasEachCandidateOnceInOrder) {
  const std::vector<uint64_t> offsets = {0, 2, 2, 5};
  const std::vector<uint32_t> ids = {4, 9, 3, 4, 7};
  const Shortlist shortlist = {.first_num = 2, .offsets = offsets, .ids = ids};
  const std::vector<int> sources = {2, 0, 2};
  EXPECT_EQ(UnionOfCandidates(shortlist, sources, 10), (std::vector<int>{0, 1, 3, 4, 7, 9}));
  EXPECT_EQ(UnionOfCandidates(shortlist, {}, 10), (std::vector<int>{0, 1}));
  // A source piece without offsets has no candidates; first_num may exceed the vocabulary.
  const Shortlist all = {.first_num = 99, .offsets = offsets, .ids = ids};
  EXPECT_EQ(UnionOfCandidates(all, {50}, 10).size(), 10U);
}

}  // namespace
}  // namespace limpid::internal

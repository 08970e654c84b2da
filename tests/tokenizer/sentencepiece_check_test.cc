// Files that would make SentencePiece misbehave, alone and through the tokenizer.

#include "tokenizer/sentencepiece_check.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Protocol buffer fields; all sizes here are below 2^21.
std::string Varint(uint32_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>(value | 0x80U);
  bytes += static_cast<char>(value);
  return bytes;
}
std::string BytesField(uint32_t number, const std::string& bytes) {
  return Varint(number << 3U | 2U) + Varint(static_cast<uint32_t>(bytes.size())) + bytes;
}
std::string VarintField(uint32_t number, uint32_t value) {
  return Varint(number << 3U) + Varint(value);
}

enum PieceType : uint32_t { kNormal = 1, kUnknown = 2, kUserDefined = 4 };

std::string Piece(const std::string& text, PieceType type = kNormal) {
  return BytesField(1, BytesField(1, text) + VarintField(3, type));
}

// The smallest model: <unk> and a few letters.
std::string SmallestModel() {
  return Piece("<unk>", kUnknown) + Piece("▁") + Piece("a") + Piece("b");
}

// Normalization rules with the trie `units`.
std::string Rules(const std::vector<uint32_t>& units, const std::string& replacements) {
  const auto trie_bytes = static_cast<uint32_t>(units.size() * sizeof(uint32_t));
  std::string map(sizeof(trie_bytes) + trie_bytes, '\0');
  std::memcpy(map.data(), &trie_bytes, sizeof(trie_bytes));
  std::memcpy(map.data() + sizeof(trie_bytes), units.data(), trie_bytes);
  return BytesField(3, BytesField(2, map + replacements));
}

// Adds to a trie whose bases are multiples of 256 the child of `base` for `label`.
void AddChild(uint32_t base, uint8_t label, uint32_t child_base, std::vector<uint32_t>& units) {
  const uint32_t unit = base ^ label;
  units[unit] = (unit ^ child_base) << 10U | label;
}

// Gives the unit for `label` below `base` the replacement at `value`.
void SetValue(uint32_t base, uint8_t label, uint32_t child_base, uint32_t value,
              std::vector<uint32_t>& units) {
  AddChild(base, label, child_base, units);
  units[base ^ label] |= 0x100U;
  units[child_base] = value | 0x80000000U;
}

// A trie that replaces a run of up to `depth` "a" by the first replacement.
std::vector<uint32_t> NestedRules(uint32_t depth) {
  std::vector<uint32_t> units(size_t{depth + 2} * 256);
  units[0] = 256U << 10U;
  for (uint32_t i = 1; i <= depth; ++i) SetValue(i * 256, 'a', (i + 1) * 256, 0, units);
  return units;
}

// Loads the model and, if that works, uses it. The output does not matter.
absl::Status LoadAndUse(const std::string& sentencepiece) {
  TokenizerModel model;
  model.source_sentencepiece = sentencepiece;
  model.target_sentencepiece = sentencepiece;
  model.source_vocabulary = {"</s>", "<unk>", "a", "b", "▁", "▁a"};
  model.target_vocabulary = model.source_vocabulary;
  const auto tokenizer = Tokenizer::Create(std::move(model));
  if (!tokenizer.ok()) return tokenizer.status();
  for (const std::string text : {"", "a b, aab. ﬁ ½ 日本 ｌ",
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                 "ﷺﷺ e\u0301 \u00A8\u1E9B\u0323"}) {
    const Pieces pieces = (*tokenizer)->EncodeSource(text);
    for (const ByteRange& range : pieces.ranges) {
      EXPECT_LE(range.begin, range.end);
      EXPECT_LE(range.end, text.size());
    }
    (*tokenizer)->DecodeTarget(pieces.ids, nullptr);
  }
  return absl::OkStatus();
}

std::string Refusal(const std::string& model) {
  const absl::Status status = CheckSentencePiece(model);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(LoadAndUse(model).code(), absl::StatusCode::kInvalidArgument);
  std::string message(status.message());
  return message;
}

TEST(CheckSentencePiece, AcceptsValidModels) {
  for (const std::string& model :
       {ReadFile("models/eng-deu/source.spm"), ReadFile("tests/golden/tokenizer/nfkc.spm"),
        ReadFile("tests/golden/tokenizer/small.source.spm"), SmallestModel(),
        SmallestModel() + Rules(NestedRules(32), std::string("b\0", 2))}) {
    EXPECT_TRUE(CheckSentencePiece(model).ok()) << CheckSentencePiece(model);
    EXPECT_TRUE(LoadAndUse(model).ok()) << LoadAndUse(model);
  }
}

TEST(CheckSentencePiece, NotAProtocolBuffer) {
  EXPECT_THAT(Refusal("<html>"), HasSubstr("not a protocol buffer"));
  EXPECT_THAT(Refusal(SmallestModel() + '\x0A'), HasSubstr("cut off"));
}

TEST(CheckSentencePiece, RejectsWhatSentencePieceRejects) {
  for (const std::string& model : {Piece("a"), Piece("<unk>", kUnknown) + Piece(""),
                                   SmallestModel() + Piece("a"), Piece("<unk>", kUnknown)}) {
    EXPECT_EQ(LoadAndUse(model).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(CheckSentencePiece, RulesThatPointOutside) {
  const std::string b("b\0", 2);
  std::vector<uint32_t> units = NestedRules(2);
  units[256 + 'a'] |= 0x1FFFFFU << 10U;
  EXPECT_THAT(Refusal(SmallestModel() + Rules(units, b)), HasSubstr("outside"));

  units = NestedRules(2);
  units[512] = 2U | 0x80000000U;  // a replacement past the last
  EXPECT_THAT(Refusal(SmallestModel() + Rules(units, b)), HasSubstr("outside"));

  units = NestedRules(2);
  units[0] = 0x80000000U;  // a value as the root
  EXPECT_THAT(Refusal(SmallestModel() + Rules(units, b)), HasSubstr("outside"));

  EXPECT_THAT(Refusal(SmallestModel() + Rules(NestedRules(2), "no NUL")), HasSubstr("outside"));
  EXPECT_THAT(Refusal(SmallestModel() + Rules({0, 0, 0}, b)), HasSubstr("outside"));
  EXPECT_THAT(Refusal(SmallestModel() + Rules(NestedRules(2), std::string(1000, 'b') + '\0')),
              HasSubstr("outside"));
}

TEST(CheckSentencePiece, RulesThatAreCutOff) {
  for (const std::string bytes : {"a", "abcd", "\x04\x00\x00\x00\x00", "\xFF\xFF\xFF\xFFzzzz"}) {
    EXPECT_THAT(Refusal(SmallestModel() + BytesField(3, BytesField(2, bytes))),
                HasSubstr("cut off"));
  }
}

TEST(CheckSentencePiece, RulesThatBeginEachOther) {
  const std::string b("b\0", 2);
  EXPECT_THAT(Refusal(SmallestModel() + Rules(NestedRules(33), b)), HasSubstr("begin each other"));
  // A loop: the child of 256 for "a" is 256 again.
  std::vector<uint32_t> units(512);
  units[0] = 256U << 10U;
  SetValue(256, 'a', 256, 0, units);
  EXPECT_THAT(Refusal(SmallestModel() + Rules(units, b)), HasSubstr("begin each other"));
}

TEST(CheckSentencePiece, DenormalizationRules) {
  const std::string model = SmallestModel() + BytesField(5, BytesField(2, "rules"));
  EXPECT_THAT(Refusal(model), HasSubstr("denormalization"));
}

TEST(CheckSentencePiece, InvalidPieces) {
  EXPECT_THAT(Refusal(SmallestModel() + Piece(std::string(100000, 'a'))), HasSubstr("100000"));
  EXPECT_THAT(Refusal(SmallestModel() + Piece(std::string("a\0b", 3))), HasSubstr("NUL"));
  EXPECT_THAT(Refusal(SmallestModel() + BytesField(1, "\x0A\x7F")), HasSubstr("cut off"));
}

TEST(CheckSentencePiece, SymbolsThatBeginEachOther) {
  std::string model = SmallestModel();
  for (size_t i = 2; i <= 65; ++i) model += Piece(std::string(i, 'a'), kUserDefined);
  EXPECT_TRUE(LoadAndUse(model).ok()) << LoadAndUse(model);
  model += Piece(std::string(66, 'a'), kUserDefined);
  EXPECT_THAT(Refusal(model), HasSubstr("begin each other"));
}

TEST(CheckSentencePiece, TruncatedModelsNeverCrash) {
  for (const char* side : {"source", "target"}) {  // of types BPE and unigram
    const std::string small = ReadFile(absl::StrCat("tests/golden/tokenizer/small.", side, ".spm"));
    for (size_t size = 0; size < small.size(); size += 7) {
      LoadAndUse(small.substr(0, size)).IgnoreError();
    }
  }
  const std::string large = ReadFile("tests/golden/tokenizer/nfkc.spm");
  for (size_t size = 1; size < large.size(); size += 16384) {
    LoadAndUse(large.substr(0, size)).IgnoreError();
  }
  EXPECT_FALSE(LoadAndUse(large.substr(0, large.size() / 2)).ok());
}

TEST(CheckSentencePiece, FlippedBitsNeverCrash) {
  std::mt19937 random(1);
  int refused = 0;
  const auto flip_and_use = [&](std::string model) {
    char& byte = model[random() % model.size()];
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ 1U << random() % 8);
    if (!LoadAndUse(model).ok()) ++refused;
  };
  for (const char* side : {"source", "target"}) {
    const std::string small = ReadFile(absl::StrCat("tests/golden/tokenizer/small.", side, ".spm"));
    for (int i = 0; i < 1000; ++i) flip_and_use(small);
  }
  // A model with few pieces and Unicode's normalization rules, which come last.
  const std::string large = ReadFile("tests/golden/tokenizer/nfkc.spm");
  const size_t name = large.find("\x0A\x08nmt_nfkc");
  ASSERT_NE(name, std::string::npos);
  const size_t tag_and_size = 4;
  const std::string rules = SmallestModel() + large.substr(name - tag_and_size);
  ASSERT_TRUE(LoadAndUse(rules).ok());
  for (int i = 0; i < 300; ++i) flip_and_use(rules);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace limpid::internal

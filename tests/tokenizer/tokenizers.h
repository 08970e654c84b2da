// Tokenizers of each kind, and what their tests share.

#ifndef LIMPID_TESTS_TOKENIZER_TOKENIZERS_H_
#define LIMPID_TESTS_TOKENIZER_TOKENIZERS_H_

#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline nlohmann::json Golden(const std::string& name) {
  return nlohmann::json::parse(ReadFile("tests/golden/tokenizer/" + name + ".json"));
}

inline TokenizerModel JointModel(const std::string& sentencepiece,
                                 const nlohmann::json& vocabulary) {
  TokenizerModel model;
  model.source_sentencepiece = ReadFile(sentencepiece);
  model.target_sentencepiece = model.source_sentencepiece;
  model.source_vocabulary = vocabulary.get<std::vector<std::string>>();
  model.target_vocabulary = model.source_vocabulary;
  return model;
}

// The shipped model: unigram, byte fallback, a joint vocabulary.
inline TokenizerModel EngDeuModel() {
  return JointModel("models/eng-deu/source.spm",
                    nlohmann::json::parse(ReadFile("models/eng-deu/vocabulary.json")));
}

// Unigram, Unicode normalization, no bytes, so that rare characters are <unk>; a joint vocabulary.
inline TokenizerModel NfkcModel() {
  return JointModel("tests/golden/tokenizer/nfkc.spm", Golden("nfkc")["vocabulary"]);
}

// Byte fallback, no normalization, a vocabulary per side, ">>deu<<" in the source's.
inline TokenizerModel SmallModel() {
  const nlohmann::json golden = Golden("small");
  TokenizerModel model;
  model.source_sentencepiece = ReadFile("tests/golden/tokenizer/small.source.spm");
  model.target_sentencepiece = ReadFile("tests/golden/tokenizer/small.target.spm");
  model.source_vocabulary = golden["source_vocabulary"].get<std::vector<std::string>>();
  model.target_vocabulary = golden["target_vocabulary"].get<std::vector<std::string>>();
  return model;
}

inline TokenizerModel SpaceModel() {
  TokenizerModel model;
  model.source_vocabulary = {"</s>", "<unk>", "a", "bc", "ü"};
  model.target_vocabulary = {"<pad>", "</s>", "x", "<unk>", "yz"};
  model.target_eos_id = 1;
  model.target_unk_id = 3;
  return model;
}

// Moses and subword-nmt, from English to French.
inline TokenizerModel SubwordModel() {
  TokenizerModel model;
  model.subword_merges = "#version: 0.2\nt h\nth e</w>\nl i\n";
  model.source_language = "en";
  model.target_language = "fr";
  model.source_vocabulary = {"</s>", "<unk>", "the", "li@@", "o@@",   "n",
                             "&@@",  "s",     "...", ".",    ">>fr<<"};
  model.target_vocabulary = {"<pad>", "</s>", "<unk>", "l@@",    "&apos;", "ami",
                             "li@@",  "on",   "?",     "&quot;", "&@@",    "amp;"};
  model.target_eos_id = 1;
  model.target_unk_id = 2;
  return model;
}

inline std::unique_ptr<Tokenizer> Make(TokenizerModel model) {
  auto tokenizer = Tokenizer::Create(std::move(model));
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

inline absl::Status Error(TokenizerModel model) {
  return Tokenizer::Create(std::move(model)).status();
}

inline std::vector<std::string> Covered(std::string_view text, const Pieces& pieces) {
  std::vector<std::string> covered;
  covered.reserve(pieces.size());
  for (const ByteRange& range : pieces.ranges) covered.emplace_back(range.In(text));
  return covered;
}

// Holds for pieces of any text.
inline void ExpectValidRanges(std::string_view text, const Pieces& pieces) {
  ASSERT_EQ(pieces.texts.size(), pieces.ids.size());
  ASSERT_EQ(pieces.ranges.size(), pieces.ids.size());
  const auto at_character = [&](size_t at) {
    return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
  };
  ByteRange before;
  for (const ByteRange& range : pieces.ranges) {
    ASSERT_LE(range.begin, range.end) << text;
    ASSERT_LE(range.end, text.size()) << text;
    ASSERT_LE(before.begin, range.begin) << text;
    ASSERT_LE(before.end, range.end) << text;
    ASSERT_TRUE(at_character(range.begin) && at_character(range.end)) << text;
    before = range;
  }
}

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_TOKENIZER_TOKENIZERS_H_

// subword-nmt merges, and text for Moses' tokenizer and these merges. An input is a file of merges,
// a NUL, and text.

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"
#include "tokenizer/text.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal::fuzz {
namespace {

// Ranges must be in order and within the text.
void Check(std::string_view text, const Pieces& pieces) {
  ByteRange before;
  for (const ByteRange& range : pieces.ranges) {
    if (range.begin > range.end || range.end > text.size()) std::abort();
    if (range.begin < before.begin || range.end < before.end) std::abort();
    before = range;
  }
}

// Special tokens, and each line of the text, which need not be UTF-8.
std::vector<std::string> Vocabulary(std::string_view text) {
  std::set<std::string> pieces;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    pieces.emplace(text.substr(begin, end - begin));
    begin = end + 1;
  }
  std::vector<std::string> vocabulary = {"</s>", "<unk>"};
  for (const std::string& special : vocabulary) pieces.erase(special);
  vocabulary.insert(vocabulary.end(), pieces.begin(), pieces.end());
  return vocabulary;
}

void Run(std::string_view input) {
  const size_t end = std::min(input.find('\0'), input.size());
  const std::string_view rest = input.substr(std::min(end + 1, input.size()));
  const std::string text = ReplaceInvalidUtf8(rest);
  TokenizerModel model;
  model.subword_merges = input.substr(0, end);
  model.source_vocabulary = model.target_vocabulary = Vocabulary(rest);
  constexpr std::pair<const char*, const char*> kLanguages[] = {
      {"en", "fr"}, {"de", "cs"}, {"zh", "ko"}};
  std::tie(model.source_language, model.target_language) =
      kLanguages[input.size() % std::size(kLanguages)];
  const auto tokenizer = Tokenizer::Create(model);
  if (!tokenizer.ok()) return;
  Check(text, (*tokenizer)->EncodeSource(text));
  Check(text, (*tokenizer)->EncodeTarget(text));
  std::vector<int> ids(model.target_vocabulary.size());
  std::iota(ids.begin(), ids.end(), 0);
  Pieces pieces;
  const std::string decoded = (*tokenizer)->DecodeTarget(ids, &pieces);
  Check(decoded, pieces);
}

std::vector<std::string> Seeds() {
  const std::string merges = ReadFile("tests/golden/argos/bpe.model");
  return {merges + '\0' + "\"I'm so lazy,\" Tom said.\nDr. A… (1\u00A0000 €)",
          merges + '\0' + "l@@\n&apos;\nami\n@-@\n„\n“\n中文\n?\n$",
          std::string("a b\nab c</w>\n") + '\0' + "abc abcabc, «x»\u00A0! a.b. U.S."};
}

const bool registered = Register({"subword", Run, Seeds});

}  // namespace
}  // namespace limpid::internal::fuzz

// The tokenizer of models without one: text comes split into pieces by spaces.

#ifndef LIMPID_TOKENIZER_SPACE_TOKENIZER_H_
#define LIMPID_TOKENIZER_SPACE_TOKENIZER_H_

#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "tokenizer/vocabulary_tokenizer.h"

namespace limpid::internal {

class SpaceTokenizer : public VocabularyTokenizer {
 public:
  using VocabularyTokenizer::VocabularyTokenizer;

  std::string DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                           Pieces* pieces) const override;
  std::string TargetSpelling(int id) const override {
    return target().IsSpecial(id) ? "" : " " + target().piece(id);
  }
  std::string Spelling(std::string_view text) const override { return WithSingleSpaces(text); }

 private:
  Pieces Split(std::string_view text, Side side) const override;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SPACE_TOKENIZER_H_

// Moses' tokenizer, then subword-nmt, as in Argos Translate's models with BPE.

#ifndef LIMPID_TOKENIZER_SUBWORD_TOKENIZER_H_
#define LIMPID_TOKENIZER_SUBWORD_TOKENIZER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/types/span.h"
#include "tokenizer/subword_nmt.h"
#include "tokenizer/vocabulary_tokenizer.h"

namespace limpid::internal {

class SubwordTokenizer : public VocabularyTokenizer {
 public:
  SubwordTokenizer(std::shared_ptr<const Vocabulary> source,
                   std::shared_ptr<const Vocabulary> target, std::string source_language,
                   std::string target_language, std::shared_ptr<const SubwordNmt> merges)
      : VocabularyTokenizer(std::move(source), std::move(target)),
        source_language_(std::move(source_language)),
        target_language_(std::move(target_language)),
        merges_(std::move(merges)) {}

  std::string DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                           Pieces* pieces) const override;

  std::string TargetSpelling(int id) const override;
  std::string Spelling(std::string_view text) const override;

 private:
  Pieces Split(std::string_view text, Side side) const override;

  const std::string source_language_;
  const std::string target_language_;
  const std::shared_ptr<const SubwordNmt> merges_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SUBWORD_TOKENIZER_H_

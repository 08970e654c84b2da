// The tokenizer of models with SentencePiece: one SentencePiece model for both sides, or one each.

#ifndef LIMPID_TOKENIZER_SENTENCEPIECE_TOKENIZER_H_
#define LIMPID_TOKENIZER_SENTENCEPIECE_TOKENIZER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "tokenizer/sentencepiece_adapter.h"
#include "tokenizer/vocabulary_tokenizer.h"

namespace limpid::internal {

class SentencePieceTokenizer : public VocabularyTokenizer {
 public:
  SentencePieceTokenizer(std::shared_ptr<const Vocabulary> source,
                         std::shared_ptr<const Vocabulary> target,
                         std::shared_ptr<const SentencePieceAdapter> source_sentencepiece,
                         std::shared_ptr<const SentencePieceAdapter> target_sentencepiece)
      : VocabularyTokenizer(std::move(source), std::move(target)),
        source_sentencepiece_(std::move(source_sentencepiece)),
        target_sentencepiece_(std::move(target_sentencepiece)) {}

  std::string DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                           Pieces* pieces) const override;

  std::string TargetSpelling(int id) const override;
  std::string Spelling(std::string_view text) const override;

 private:
  // The text of tokens, and the bytes of each, including the space before it.
  struct JoinedPieces {
    std::string text;
    std::vector<ByteRange> ranges;
  };

  Pieces Split(std::string_view text, Side side) const override;
  JoinedPieces Join(absl::Span<const int> ids, absl::Span<const Copy> copies) const;

  const std::shared_ptr<const SentencePieceAdapter> source_sentencepiece_;
  const std::shared_ptr<const SentencePieceAdapter> target_sentencepiece_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SENTENCEPIECE_TOKENIZER_H_

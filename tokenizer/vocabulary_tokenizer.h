// The base of all tokenizers: special tokens, language codes and invisible characters.

#ifndef LIMPID_TOKENIZER_VOCABULARY_TOKENIZER_H_
#define LIMPID_TOKENIZER_VOCABULARY_TOKENIZER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/types/span.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocabulary.h"

namespace limpid::internal {

// What all tokenizers share; each adds how text becomes pieces and how pieces become text.
class VocabularyTokenizer : public Tokenizer {
 public:
  VocabularyTokenizer(std::shared_ptr<const Vocabulary> source,
                      std::shared_ptr<const Vocabulary> target)
      : source_(std::move(source)), target_(std::move(target)) {}

  Pieces SplitSource(std::string_view text) const override;
  void AddSourceSpecialTokens(ByteRange text, Pieces& pieces) const override;
  Pieces EncodeTarget(std::string_view text) const override;
  size_t LanguageCodeSize(std::string_view text) const override;
  bool SourceHasLetters() const override { return source_->has_letters(); }
  const std::string& TargetPiece(int id) const override { return target_->piece(id); }

 protected:
  enum class Side { kSource, kTarget };

  // Splits text into pieces, without special tokens.
  virtual Pieces Split(std::string_view text, Side side) const = 0;

  const Vocabulary& source() const { return *source_; }
  const Vocabulary& target() const { return *target_; }
  const Vocabulary& vocabulary(Side side) const {
    return side == Side::kSource ? *source_ : *target_;
  }

 private:
  // Split, after removing invisible characters that the vocabulary does not have.
  Pieces SplitVisible(std::string_view text, Side side) const;

  const std::shared_ptr<const Vocabulary> source_;
  const std::shared_ptr<const Vocabulary> target_;
};

// Whether `token` is replaced by a copy.
inline bool IsCopy(absl::Span<const Tokenizer::Copy> copies, size_t token) {
  return !copies.empty() && !copies[token].text.empty();
}

// `text` with runs of spaces collapsed to one.
std::string WithSingleSpaces(std::string_view text);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_VOCABULARY_TOKENIZER_H_

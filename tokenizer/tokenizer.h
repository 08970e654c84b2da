// Text to token ids and back, for both sides of one translation model.
//
// SentencePiece cuts text into pieces, or Moses' tokenizer and subword-nmt do; the model's
// vocabulary, not SentencePiece, gives each piece its id (the two orders differ in most published
// models). The tokenizer remembers which bytes of the text each piece covers, so that a trace can
// show words instead of pieces.

#ifndef LIMPID_TOKENIZER_TOKENIZER_H_
#define LIMPID_TOKENIZER_TOKENIZER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tokenizer/text.h"

namespace limpid::internal {

// What a tokenizer is made from. Everything is in memory; the tokenizer opens no files.
struct TokenizerModel {
  // Serialized SentencePiece models, or subword-nmt merges for both sides. All empty: text comes
  // split into pieces by spaces.
  std::string source_sentencepiece;
  std::string target_sentencepiece;
  std::string subword_merges;
  // ISO 639 codes of two letters, for Moses' tokenizer, which goes with subword-nmt.
  std::string source_language;
  std::string target_language;
  // Pieces in id order. A joint vocabulary is the same list twice.
  std::vector<std::string> source_vocabulary;
  std::vector<std::string> target_vocabulary;
  int source_bos_id = -1;  // "<s>", before every source; -1: none
  int source_eos_id = 0;   // "</s>", after every source; -1: none
  int source_unk_id = 1;   // "<unk>", for pieces outside the vocabulary
  int target_eos_id = 0;
  int target_unk_id = 1;
};

// One text as pieces. The three vectors are parallel, one element per piece.
struct Pieces {
  std::vector<int> ids;
  // SentencePiece's "▁" is the space before a piece; subword-nmt's "@@" at the end means that the
  // word continues.
  std::vector<std::string> texts;
  // The bytes of the text that each piece covers, without the space before it; empty for special
  // tokens and lone spaces. Begins and ends ascend. Pieces that share one character (the bytes of
  // an emoji, the letters of a ligature) each cover all of it.
  std::vector<ByteRange> ranges;
  size_t size() const { return ids.size(); }
  void Add(int id, std::string text, ByteRange range) {
    ids.push_back(id);
    texts.push_back(std::move(text));
    ranges.push_back(range);
  }
  void PutFirst(int id, std::string text, ByteRange range) {
    ids.insert(ids.begin(), id);
    texts.insert(texts.begin(), std::move(text));
    ranges.insert(ranges.begin(), range);
  }
  void Reserve(size_t size) {
    ids.reserve(size);
    texts.reserve(size);
    ranges.reserve(size);
  }
};

// Whether a piece is spelled like a language code of multilingual models: ">>deu<<".
bool IsLanguageCode(std::string_view piece);

// The size in bytes of the language code (">>deu<<") that text begins with, or 0. The model may not
// know the code.
size_t SpelledLanguageCodeSize(std::string_view text);

// Thread-safe once made.
class Tokenizer {
 public:
  // Fails with InvalidArgument on an unusable SentencePiece model (see sentencepiece_check.h), one
  // without the other, bad merges or merges beside SentencePiece models, an empty or repeating
  // vocabulary, and ids outside it; the message names what is wrong.
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Create(TokenizerModel model);
  virtual ~Tokenizer() = default;

  // Splits source text, valid UTF-8 below 2 GB, into pieces, without special tokens. A leading
  // ">>xx<<" that the vocabulary has (multilingual models) becomes one piece. Any other is text,
  // and so are "</s>" and the like: no text becomes a special token. All characters are accepted.
  // NUL and other control characters are left to SentencePiece's normalizer. Invisible characters
  // (soft hyphens, zero-width spaces and joiners …) are removed if no piece of the vocabulary has
  // them, except within an emoji.
  virtual Pieces SplitSource(std::string_view text) const = 0;

  // Adds <s> before and </s> after the pieces of `text`, as the model wants.
  virtual void AddSourceSpecialTokens(ByteRange text, Pieces& pieces) const = 0;

  // Both.
  Pieces EncodeSource(std::string_view text) const {
    Pieces pieces = SplitSource(text);
    AddSourceSpecialTokens({0, text.size()}, pieces);
    return pieces;
  }

  // Target text to pieces, ending with </s>: for scoring and teacher forcing.
  virtual Pieces EncodeTarget(std::string_view text) const = 0;

  // The size in bytes of the language code that text begins with and the vocabulary has, or 0.
  virtual size_t LanguageCodeSize(std::string_view text) const = 0;

  // Whether the source vocabulary has a letter of any script. A toy's may have none.
  virtual bool SourceHasLetters() const = 0;

  // Joins target ids, each inside the vocabulary, to text without white space at its ends.
  // `pieces`, if not null, receives each id's piece and its bytes in the returned text. As in
  // Hugging Face,
  // </s>, <unk> and "<pad>" have no text; unlike there, one between two spaces leaves only one.
  std::string DecodeTarget(absl::Span<const int> ids, Pieces* pieces) const {
    return DecodeTarget(ids, {}, pieces);
  }

  // Text copied from the source, and its piece there, which tells whether a space precedes it.
  struct Copy {
    std::string text;
    std::string piece;
  };

  // The same with tokens replaced by copies: `copies` has one for each token; those without text
  // replace nothing.
  virtual std::string DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                                   Pieces* pieces) const = 0;

  // For finding text in a sequence of tokens, however it is split: text occurs if its Spelling
  // occurs in the concatenated TargetSpellings, with a space before the first and runs of spaces
  // collapsed. Neither need be valid UTF-8, because some pieces are single bytes.
  virtual std::string TargetSpelling(int id) const = 0;
  virtual std::string Spelling(std::string_view text) const = 0;

  // The piece of an id.
  virtual const std::string& TargetPiece(int id) const = 0;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_TOKENIZER_H_

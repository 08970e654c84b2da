// Text to token ids and back, for both sides of one translation model.
//
// SentencePiece cuts text into pieces, or Moses' tokenizer and subword-nmt do; the model's
// vocabulary, not SentencePiece, gives each piece its id (the two orders differ in most published
// models). The tokenizer remembers which bytes of the text each piece covers, so that a trace can
// speak about words instead of pieces.

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

// What a tokenizer is made of. Everything is in memory; the tokenizer opens no files.
struct TokenizerModel {
  // Serialized SentencePiece models, or else subword-nmt's merges, which serve both sides. All
  // empty: text is already split into pieces by spaces.
  std::string source_sentencepiece;
  std::string target_sentencepiece;
  std::string subword_merges;
  // ISO 639 codes of two letters, for Moses' tokenizer, which goes with subword-nmt.
  std::string source_language;
  std::string target_language;
  // Pieces in id order. A joint vocabulary is the same list twice.
  std::vector<std::string> source_vocabulary;
  std::vector<std::string> target_vocabulary;
  int source_bos_id = -1;  // "<s>", before every encoded source; -1: nothing is
  int source_eos_id = 0;   // "</s>", appended to every encoded source; -1: nothing is
  int source_unk_id = 1;   // "<unk>", for pieces that the vocabulary does not have
  int target_eos_id = 0;
  int target_unk_id = 1;
};

// One text as pieces. The three vectors run in parallel, one element a piece.
struct Pieces {
  std::vector<int> ids;
  // As in SentencePiece: "▁" marks a space before. As in subword-nmt: "@@" at the end marks that
  // the word goes on.
  std::vector<std::string> texts;
  // The bytes of the text that the piece covers, without the space before it; empty for pieces that
  // stand for no text (</s>) or for a space alone. Begins and ends are in order. Pieces that share
  // one character (the bytes of an emoji, the letters of a ligature) each cover all of it.
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

// Whether a piece is spelled as multilingual models spell a language: ">>deu<<".
bool IsLanguageCode(std::string_view piece);

// How many bytes of text that begins with a language's code, ">>deu<<", the code has; 0 where it
// does not. Whether a model knows the code is another question.
size_t SpelledLanguageCodeSize(std::string_view text);

// Thread-safe once made.
class Tokenizer {
 public:
  // Fails with InvalidArgument on a SentencePiece model that does not parse or that could harm (see
  // sentencepiece_check.h), on one without the other, on merges that are none or come with
  // SentencePiece models, on an empty or repeating vocabulary, and on ids outside it; the message
  // names what is wrong.
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Create(TokenizerModel model);
  virtual ~Tokenizer() = default;

  // Source text, valid UTF-8 below 2 GB, to pieces, beginning with <s> and ending with </s> if the
  // model wants it. A leading ">>xx<<" that the vocabulary has as a token (multilingual models)
  // becomes that one piece; any other is text, and so are "</s>" and the like: no text becomes a
  // token that tells the model something. All characters are accepted: NUL and other control
  // characters are treated as SentencePiece's normalizer treats them, and characters that are not
  // drawn (soft hyphens, zero-width spaces and joiners …) are left out where no piece of the
  // vocabulary has them, but for those within an emoji.
  virtual Pieces EncodeSource(std::string_view text) const = 0;

  // Target text to pieces, ending with </s>: for scoring and teacher forcing.
  virtual Pieces EncodeTarget(std::string_view text) const = 0;

  // How many bytes of the text EncodeSource takes for a language's code.
  virtual size_t LanguageCodeSize(std::string_view text) const = 0;

  // Whether the source vocabulary has a letter of any script. A toy's may have none.
  virtual bool SourceHasLetters() const = 0;

  // Target ids, each inside the vocabulary, to text without white space at its ends; `pieces`
  // receives what each id became and where its bytes stand in the returned text. As in Hugging
  // Face, the ids of </s>, <unk> and "<pad>" stand for no text; unlike there, one between two
  // spaces leaves one of them. `pieces` may be null.
  std::string DecodeTarget(absl::Span<const int> ids, Pieces* pieces) const {
    return DecodeTarget(ids, {}, pieces);
  }

  // Text of the source, and the piece that it is there, which tells of spaces.
  struct Copy {
    std::string text;
    std::string piece;
  };

  // The same, but tokens stand for copies: `copies` has one for each token, without text where
  // the token stands for itself.
  virtual std::string DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                                   Pieces* pieces) const = 0;

  // For finding text in what tokens say, however it is cut: text occurs if its Spelling occurs in
  // the TargetSpellings of the tokens, one behind the other, where a space stands before the first
  // and several spaces are one. Both may be no valid UTF-8, for some pieces are single bytes.
  virtual std::string TargetSpelling(int id) const = 0;
  virtual std::string Spelling(std::string_view text) const = 0;

  // One id's piece, as the vocabulary has it.
  virtual const std::string& TargetPiece(int id) const = 0;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_TOKENIZER_H_

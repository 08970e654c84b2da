// Text to token ids and back, for both sides of one translation model.
//
// SentencePiece cuts text into pieces, or Moses' tokenizer and subword-nmt do; the model's
// vocabulary, not SentencePiece, gives each piece its id (the two orders differ in most published
// models). The tokenizer remembers which bytes of the text each piece covers, so that a trace can
// speak about words instead of pieces.

#ifndef LIMPID_TOKENIZER_TOKENIZER_H_
#define LIMPID_TOKENIZER_TOKENIZER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tokenizer/text.h"

namespace limpid {

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
};

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
  // model wants it. A
  // leading ">>xx<<" that the vocabulary has as a token (multilingual models) becomes that one
  // piece; any other is text, and so are "</s>" and the like in the text. All characters are
  // accepted: NUL and other control characters are treated as SentencePiece's normalizer treats
  // them.
  virtual Pieces EncodeSource(std::string_view text) const = 0;

  // Target text to pieces, ending with </s>: for scoring and forced decoding.
  virtual Pieces EncodeTarget(std::string_view text) const = 0;

  // Target ids, each inside the vocabulary, to text without white space at its ends; `pieces`
  // receives what each id became and where its bytes stand in the returned text. As in Hugging
  // Face, the ids of </s>, <unk> and "<pad>" stand for no text. `pieces` may be null.
  virtual std::string DecodeTarget(absl::Span<const int> ids, Pieces* pieces) const = 0;

  // One id's piece, as the vocabulary has it.
  virtual const std::string& TargetPiece(int id) const = 0;
};

}  // namespace limpid

#endif  // LIMPID_TOKENIZER_TOKENIZER_H_

// SentencePiece in terms of the standard library. SentencePiece's header declares names in
// namespace absl, so a file that includes it cannot include Abseil. Only sentencepiece_adapter.cc
// includes it.

#ifndef LIMPID_TOKENIZER_SENTENCEPIECE_ADAPTER_H_
#define LIMPID_TOKENIZER_SENTENCEPIECE_ADAPTER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}  // namespace sentencepiece

namespace limpid::internal {

// One SentencePiece model. Thread-safe once loaded.
class SentencePieceAdapter {
 public:
  // A piece, and the bytes [begin, end) of the text that SentencePiece assigns to it.
  struct Piece {
    std::string text;
    size_t begin = 0;
    size_t end = 0;
  };

  // Loads a serialized model that has passed CheckSentencePiece. Returns null if SentencePiece
  // rejects it, with the reason in `error`.
  static std::unique_ptr<const SentencePieceAdapter> Load(std::string_view model,
                                                          std::string& error);
  ~SentencePieceAdapter();

  // Splits valid UTF-8 text into pieces.
  std::vector<Piece> Encode(std::string_view text) const;

  // Returns the text of each piece. The text of a character made of several byte pieces belongs to
  // the last of them.
  std::vector<std::string> Decode(const std::vector<std::string_view>& pieces) const;

 private:
  SentencePieceAdapter();

  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SENTENCEPIECE_ADAPTER_H_

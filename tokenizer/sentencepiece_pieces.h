#ifndef LIMPID_TOKENIZER_SENTENCEPIECE_PIECES_H_
#define LIMPID_TOKENIZER_SENTENCEPIECE_PIECES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace limpid::internal {

// Returns the pieces of a serialized SentencePiece model in id order. Fails with InvalidArgument if
// it is damaged or has none.
absl::StatusOr<std::vector<std::string>> SentencePiecePieces(std::string_view model);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SENTENCEPIECE_PIECES_H_

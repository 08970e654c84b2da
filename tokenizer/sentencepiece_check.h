// What SentencePiece takes on trust in a model file, checked before it gets to see the file.

#ifndef LIMPID_TOKENIZER_SENTENCEPIECE_CHECK_H_
#define LIMPID_TOKENIZER_SENTENCEPIECE_CHECK_H_

#include <string_view>

#include "absl/status/status.h"

namespace limpid::internal {

// Checks a serialized SentencePiece model (protocol buffer ModelProto) for what would make
// SentencePiece read outside its memory, overflow its stack or abort: normalization rules whose
// trie points outside itself or holds too many rules that begin each other, over-long pieces, and
// the like. What SentencePiece reports by itself, such as a missing <unk>, is left to it. Errors
// are InvalidArgument and say what is wrong; the file is for the caller to name.
absl::Status CheckSentencePiece(std::string_view model);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SENTENCEPIECE_CHECK_H_

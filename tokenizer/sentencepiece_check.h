// Checks what SentencePiece trusts in a model file.

#ifndef LIMPID_TOKENIZER_SENTENCEPIECE_CHECK_H_
#define LIMPID_TOKENIZER_SENTENCEPIECE_CHECK_H_

#include <string_view>

#include "absl/status/status.h"

namespace limpid::internal {

// Checks a serialized SentencePiece model (protocol buffer ModelProto) for whatever would make
// SentencePiece read outside its memory, overflow its stack or abort: normalization rules whose
// trie points outside itself or nests too many rules, over-long pieces, and the like. Errors that
// SentencePiece reports itself, such as a missing <unk>, are left to it. Fails with
// InvalidArgument; the message says what is wrong, and the caller names the file.
absl::Status CheckSentencePiece(std::string_view model);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SENTENCEPIECE_CHECK_H_

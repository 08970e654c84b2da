#include "models/model/checkpoint.h"

#include "absl/strings/str_cat.h"
#include "models/io/json.h"
#include "models/model/convert_tensor.h"

namespace limpid::internal {

TokenizerKind TokenizerKindOf(const Checkpoint& checkpoint) {
  if (!checkpoint.subword_merges.empty()) return TokenizerKind::kMosesSubwordNmt;
  if (checkpoint.source_sentencepiece.empty()) return TokenizerKind::kSpaces;
  return checkpoint.source_sentencepiece == checkpoint.target_sentencepiece
             ? TokenizerKind::kSentencePiece
             : TokenizerKind::kSentencePiecePerSide;
}

absl::StatusOr<Checkpoint> WithMatricesIn(DType dtype, const Checkpoint& checkpoint) {
  Checkpoint converted = checkpoint;
  for (auto& [name, tensor] : converted.tensors) {
    const DType wanted = tensor.shape.size() < 2 ? DType::kFloat32 : dtype;
    if (absl::Status status = ConvertTensor(wanted, tensor, converted.storage); !status.ok()) {
      return InContext(absl::StrCat("tensor ", Quoted(name)), status);
    }
  }
  return converted;
}

}  // namespace limpid::internal

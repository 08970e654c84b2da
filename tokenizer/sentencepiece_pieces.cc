#include "tokenizer/sentencepiece_pieces.h"

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/protobuf.h"

namespace limpid::internal {

absl::StatusOr<std::vector<std::string>> SentencePiecePieces(std::string_view model) {
  // ModelProto: repeated SentencePiece pieces = 1; SentencePiece: string piece = 1.
  constexpr uint32_t kPieces = 1;
  constexpr uint32_t kPiece = 1;
  std::vector<std::string> pieces;
  while (!model.empty()) {
    const std::optional<ProtobufField> field = TakeField(model);
    if (!field.has_value()) {
      return absl::InvalidArgumentError("is not a SentencePiece model, or is damaged");
    }
    if (!field->IsBytes(kPieces)) continue;
    std::string& piece = pieces.emplace_back();
    for (std::string_view rest = field->bytes; !rest.empty();) {
      const std::optional<ProtobufField> part = TakeField(rest);
      if (!part.has_value()) {
        return absl::InvalidArgumentError(
            absl::StrCat("piece ", pieces.size() - 1, " of the SentencePiece model is damaged"));
      }
      if (part->IsBytes(kPiece)) piece = part->bytes;
    }
  }
  if (pieces.empty()) return absl::InvalidArgumentError("is a SentencePiece model without pieces");
  return pieces;
}

}  // namespace limpid::internal

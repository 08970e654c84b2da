#include "models/model/sentencepiece_pieces.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace limpid::internal {
namespace {

// A message of Protocol Buffers: fields, each a number, a wire type and a value.
// https://protobuf.dev/programming-guides/encoding/
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }

  // Moves on to the next field; `content` is that of a field with a length, else empty.
  bool Next(uint64_t& number, std::string_view& content) {
    uint64_t tag = 0;
    uint64_t value = 0;
    if (!Varint(tag)) return false;
    number = tag >> 3;
    content = {};
    switch (tag & 7) {
      case 0:
        return Varint(value);
      case 1:
        return Take(8, content);
      case 2:
        return Varint(value) && Take(value, content);
      case 5:
        return Take(4, content);
      default:
        return false;
    }
  }

 private:
  bool Varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool Take(uint64_t size, std::string_view& content) {
    if (size > rest_.size()) return false;
    content = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> SentencePiecePieces(std::string_view model) {
  // ModelProto: repeated SentencePiece pieces = 1; SentencePiece: string piece = 1.
  constexpr uint64_t kPieces = 1;
  constexpr uint64_t kPiece = 1;
  std::vector<std::string> pieces;
  uint64_t number = 0;
  std::string_view content;
  for (Message message(model); !message.done();) {
    if (!message.Next(number, content)) {
      return absl::InvalidArgumentError("is not a SentencePiece model, or is damaged");
    }
    if (number != kPieces) continue;
    std::string piece;
    for (Message fields(content); !fields.done();) {
      uint64_t field = 0;
      std::string_view value;
      if (!fields.Next(field, value)) {
        return absl::InvalidArgumentError(
            absl::StrCat("piece ", pieces.size(), " of the SentencePiece model is damaged"));
      }
      if (field == kPiece) piece = value;
    }
    pieces.push_back(std::move(piece));
  }
  if (pieces.empty()) return absl::InvalidArgumentError("is a SentencePiece model without pieces");
  return pieces;
}

}  // namespace limpid::internal

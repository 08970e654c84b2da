// A minimal reader of protocol buffers: https://protobuf.dev/programming-guides/encoding

#ifndef LIMPID_TOKENIZER_PROTOBUF_H_
#define LIMPID_TOKENIZER_PROTOBUF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace limpid::internal {

struct ProtobufField {
  enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  uint32_t number = 0;
  uint32_t wire_type = kVarint;
  uint64_t value = 0;      // of kVarint
  std::string_view bytes;  // of kBytes: a string, bytes or a message

  bool IsBytes(uint32_t wanted) const { return number == wanted && wire_type == kBytes; }
};

inline std::optional<uint64_t> TakeVarint(std::string_view& message) {
  uint64_t value = 0;
  for (size_t i = 0; i < message.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(message[i]);
    value |= uint64_t{byte & 0x7FU} << (7 * i);
    if (byte < 0x80) {
      message.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

// Removes the first field from `message` and returns it; nothing if the message is cut off or not a
// protocol buffer. The values of fixed-size fields are skipped.
inline std::optional<ProtobufField> TakeField(std::string_view& message) {
  const std::optional<uint64_t> tag = TakeVarint(message);
  if (!tag.has_value() || *tag > UINT32_MAX || *tag >> 3U == 0) return std::nullopt;
  ProtobufField field;
  field.number = static_cast<uint32_t>(*tag >> 3U);
  field.wire_type = static_cast<uint32_t>(*tag & 7U);
  std::optional<uint64_t> size = 0;  // of what comes next
  switch (field.wire_type) {
    case ProtobufField::kVarint:
      if (const std::optional<uint64_t> value = TakeVarint(message)) {
        field.value = *value;
        return field;
      }
      return std::nullopt;
    case ProtobufField::kFixed64:
      size = 8;
      break;
    case ProtobufField::kBytes:
      size = TakeVarint(message);
      break;
    case ProtobufField::kFixed32:
      size = 4;
      break;
    default:  // groups, which are obsolete
      return std::nullopt;
  }
  if (!size.has_value() || *size > message.size()) return std::nullopt;
  field.bytes = message.substr(0, *size);
  message.remove_prefix(*size);
  return field;
}

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_PROTOBUF_H_

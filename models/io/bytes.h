// Reads untrusted little-endian binary data field by field.

#ifndef LIMPID_MODELS_IO_BYTES_H_
#define LIMPID_MODELS_IO_BYTES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace limpid::internal {

static_assert(std::endian::native == std::endian::little, "files are read without swapping bytes");

// A position in borrowed bytes; each read advances it. A read past the end fails with
// InvalidArgument and names the field and the position.
class ByteReader {
 public:
  explicit ByteReader(absl::Span<const std::byte> bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  // `what` names the field in messages: "the number of tensors".
  template <typename T>
  absl::StatusOr<T> Read(const char* what) {
    static_assert(std::is_arithmetic_v<T>);
    const absl::StatusOr<absl::Span<const std::byte>> bytes = Take(sizeof(T), what);
    if (!bytes.ok()) return bytes.status();
    T value;
    std::memcpy(&value, bytes->data(), sizeof(T));
    return value;
  }

  // Returns a view of the next `size` bytes.
  absl::StatusOr<absl::Span<const std::byte>> Take(uint64_t size, const char* what) {
    if (size > remaining()) {
      return absl::InvalidArgumentError(absl::StrCat("ends too early: expected ", size,
                                                     " bytes for ", what, " at byte ", position_,
                                                     ", found ", remaining()));
    }
    const absl::Span<const std::byte> taken = bytes_.subspan(position_, size);
    position_ += size;
    return taken;
  }

  absl::StatusOr<std::string> TakeText(uint64_t size, const char* what) {
    const absl::StatusOr<absl::Span<const std::byte>> bytes = Take(size, what);
    if (!bytes.ok()) return bytes.status();
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }

 private:
  absl::Span<const std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_BYTES_H_

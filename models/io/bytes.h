// Little-endian binary files from outside, read field by field without trust.

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

static_assert(std::endian::native == std::endian::little, "files are read as they lie in memory");

// A place in somebody's bytes that moves on with each read. A read past the end is InvalidArgument,
// saying what was to be read and where.
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

  // The next `size` bytes, which stay where they are.
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

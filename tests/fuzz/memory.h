// Counts allocated memory, in this program's own malloc.

#ifndef LIMPID_TESTS_FUZZ_MEMORY_H_
#define LIMPID_TESTS_FUZZ_MEMORY_H_

#include <cstddef>

namespace limpid::internal::fuzz {

// The limit that .github/SECURITY.md promises for reading a model of `file_bytes` bytes in all
// files.
constexpr size_t MaxMemory(size_t file_bytes) { return (size_t{128} << 20) + 250 * file_bytes; }

// Counts from its construction on. Only one may exist at a time.
class MemoryCounter {
 public:
  MemoryCounter();
  // The peak of allocated bytes above those at construction. Always 0 with sanitizers, which bring
  // their own malloc.
  size_t peak() const;

 private:
  size_t before_;
};

}  // namespace limpid::internal::fuzz

#endif  // LIMPID_TESTS_FUZZ_MEMORY_H_

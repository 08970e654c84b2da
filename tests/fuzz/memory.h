// Counts the memory that a piece of work takes, in this program's own malloc.

#ifndef LIMPID_TESTS_FUZZ_MEMORY_H_
#define LIMPID_TESTS_FUZZ_MEMORY_H_

#include <cstddef>

namespace limpid::internal::fuzz {

// What the README promises: the most memory that it may take to read a model of so many bytes, in
// all its files, whatever they hold.
constexpr size_t MostMemory(size_t file_bytes) { return (size_t{128} << 20) + 250 * file_bytes; }

// Counts from its making on. There must be one at a time.
class MemoryCounter {
 public:
  MemoryCounter();
  // The most bytes that were allocated at once, beyond what was when counting began. Always 0 with
  // sanitizers, which have a malloc of their own.
  size_t peak() const;

 private:
  size_t before_;
};

}  // namespace limpid::internal::fuzz

#endif  // LIMPID_TESTS_FUZZ_MEMORY_H_

// How much memory this program has from its allocator; nothing with sanitizers (see
// tests/sanitized.h).

#ifndef LIMPID_TESTS_ENGINE_ALLOCATED_BYTES_H_
#define LIMPID_TESTS_ENGINE_ALLOCATED_BYTES_H_

#include <malloc.h>

#include <cstddef>

namespace limpid::internal {

inline size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_ENGINE_ALLOCATED_BYTES_H_

// How much memory this program has from its allocator.

#ifndef LIMPID_TESTS_ENGINE_ALLOCATED_BYTES_H_
#define LIMPID_TESTS_ENGINE_ALLOCATED_BYTES_H_

#include <malloc.h>

#include <cstddef>

// Sanitizers have allocators of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMPID_COUNTS_ALLOCATED_BYTES 0
#else
#define LIMPID_COUNTS_ALLOCATED_BYTES 1

namespace limpid::internal {

inline size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace limpid::internal

#endif

#endif  // LIMPID_TESTS_ENGINE_ALLOCATED_BYTES_H_

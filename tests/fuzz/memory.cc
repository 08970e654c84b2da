#include "tests/fuzz/memory.h"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "tests/sanitized.h"

namespace limpid::internal::fuzz {
namespace {

std::atomic<size_t> allocated{0};
std::atomic<size_t> max_allocated{0};

}  // namespace

MemoryCounter::MemoryCounter() : before_(allocated) { max_allocated = before_; }

size_t MemoryCounter::peak() const { return max_allocated - before_; }

#if !LIMPID_SANITIZED

namespace {

void* Counted(void* memory) {
  const size_t now = allocated += malloc_usable_size(memory);
  size_t max = max_allocated;
  while (now > max && !max_allocated.compare_exchange_weak(max, now)) {
  }
  return memory;
}

}  // namespace

// glibc lets a program replace malloc for itself and its libraries, and exports its own under these
// names.
// NOLINTBEGIN(bugprone-reserved-identifier,cppcoreguidelines-no-malloc)
extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* memory);

void* malloc(size_t size) { return Counted(__libc_malloc(size)); }

void* calloc(size_t count, size_t size) { return Counted(__libc_calloc(count, size)); }

void* realloc(void* memory, size_t size) {
  const size_t before = malloc_usable_size(memory);
  void* const moved = __libc_realloc(memory, size);
  if (moved == nullptr && size > 0) return nullptr;  // `memory` is unchanged
  allocated -= before;
  return Counted(moved);
}

void* memalign(size_t alignment, size_t size) { return Counted(__libc_memalign(alignment, size)); }

void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

void free(void* memory) {
  allocated -= malloc_usable_size(memory);
  __libc_free(memory);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,cppcoreguidelines-no-malloc)

#endif

}  // namespace limpid::internal::fuzz

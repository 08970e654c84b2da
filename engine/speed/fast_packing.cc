#include "engine/speed/fast_packing.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace limpid::internal {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kCacheLine = 64;
constexpr int kPanelWidth = 2048;

struct Chunk {
  explicit Chunk(size_t bytes)
      : size(std::max(8 * kHugePage, (bytes + kHugePage - 1) / kHugePage * kHugePage)),
        memory(static_cast<std::byte*>(std::aligned_alloc(kHugePage, size))) {
    if (memory == nullptr) throw std::bad_alloc();
    madvise(memory, size, MADV_HUGEPAGE);
  }
  ~Chunk() { std::free(memory); }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  const size_t size;
  std::byte* const memory;
  size_t used = 0;
};

}  // namespace

Packing FastPacking(ComputeType type) {
  Packing packing = type;
  packing.panel_width = kPanelWidth;
  packing.allocate = AllocateInHugePages;
  return packing;
}

std::shared_ptr<std::byte> AllocateInHugePages(size_t bytes) {
  static std::mutex& mutex = *new std::mutex;
  static std::weak_ptr<Chunk>& newest = *new std::weak_ptr<Chunk>;
  const std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<Chunk> chunk = newest.lock();
  if (chunk == nullptr || bytes > chunk->size - chunk->used) {
    chunk = std::make_shared<Chunk>(bytes);
    newest = chunk;
  }
  std::byte* const begin = chunk->memory + chunk->used;
  chunk->used = (chunk->used + bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
  return {std::move(chunk), begin};
}

}  // namespace limpid::internal

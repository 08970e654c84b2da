// Work shared out among threads, and exceptions turned into a Status.

#ifndef LIMPID_ENGINE_SPEED_PARALLEL_H_
#define LIMPID_ENGINE_SPEED_PARALLEL_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace limpid::internal {

// What is returned where memory runs out. Made beforehand, since then there is none to say it with.
const absl::Status& OutOfMemoryTranslating();
const absl::Status& OutOfMemoryLoading();

// The exception that is being handled, as a Status; `out_of_memory` for std::bad_alloc and where
// there is no memory for a message.
absl::Status StatusOfException(const absl::Status& out_of_memory) noexcept;

// Returns what `work` returns, a Status or a StatusOr. It may throw what oneDNN and the standard
// library throw; no exception goes further than here, also where no memory is left.
template <typename Work>
auto WithoutExceptions(const Work& work,
                       const absl::Status& out_of_memory = OutOfMemoryTranslating()) noexcept
    -> decltype(work()) {
  try {
    return work();
  } catch (...) {
    return StatusOfException(out_of_memory);
  }
}

// Calls work(i) for each i below `count`, on up to `threads` threads at once, of which the calling
// one is one. Where one call throws, those that have not begun are left out, and the exception
// comes back as a Status. Where the system has no more threads to give, those that there are do the
// work.
absl::Status ParallelFor(int threads, size_t count, absl::FunctionRef<void(size_t i)> work);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_PARALLEL_H_

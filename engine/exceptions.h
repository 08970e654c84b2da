// Turns exceptions of libraries and callbacks into a Status: none may leave a function of
// Translator or ThreadPool.

#ifndef LIMPID_ENGINE_EXCEPTIONS_H_
#define LIMPID_ENGINE_EXCEPTIONS_H_

#include "absl/status/status.h"

namespace limpid::internal {

// The errors for exhausted memory. Allocated beforehand, because then there is no memory for them.
const absl::Status& OutOfMemoryTranslating();
const absl::Status& OutOfMemoryLoading();

// The exception being handled as a Status: `out_of_memory` for std::bad_alloc, or if there is no
// memory for a message.
absl::Status StatusOfException(const absl::Status& out_of_memory) noexcept;

// Returns what `work` returns, a Status or StatusOr, or the exception that it throws as a Status.
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

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_EXCEPTIONS_H_

// Turns exceptions of libraries and callbacks into a Status: no function of Translator or
// ThreadPool may throw.

#ifndef LIMPID_ENGINE_EXCEPTIONS_H_
#define LIMPID_ENGINE_EXCEPTIONS_H_

#include "absl/status/status.h"

namespace limpid::internal {

// The errors for exhausted memory. Allocated up front: once memory runs out, there is none for
// them.
const absl::Status& OutOfMemoryTranslating();
const absl::Status& OutOfMemoryLoading();

// Returns the exception being handled as a Status: `out_of_memory` for std::bad_alloc and
// std::length_error, or if there is no memory for a message.
absl::Status StatusOfException(const absl::Status& out_of_memory) noexcept;

// Returns the Status or StatusOr that `work` returns; turns an exception into a Status.
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

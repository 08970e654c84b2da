// Work shared out among threads, and exceptions turned into a Status.

#ifndef LIMPID_ENGINE_PARALLEL_H_
#define LIMPID_ENGINE_PARALLEL_H_

#include <cstddef>
#include <exception>
#include <new>
#include <system_error>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace limpid {

inline constexpr char kTranslateFewer[] =
    "translate fewer sentences at a time (batch_size), or use a smaller model";

// Returns what `work` returns, a Status or a StatusOr. It may throw what oneDNN and the standard
// library throw; no exception goes further than here. `advice`: what helps where memory ran out.
template <typename Work>
auto WithoutExceptions(const Work& work, const char* advice = kTranslateFewer) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat("out of memory: ", advice));
  } catch (const std::system_error& error) {  // of a thread that could not be started
    return absl::ResourceExhaustedError(absl::StrCat("out of memory or threads: ", error.what()));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("a library failed: ", error.what()));
  }
}

// Calls work(i) for each i below `count`, on up to `threads` threads at once, of which the calling
// one is one. Where one call throws, those that have not begun are left out, and the exception
// comes back as a Status. Where the system has no more threads to give, those that there are do the
// work.
absl::Status ParallelFor(int threads, size_t count, absl::FunctionRef<void(size_t i)> work);

}  // namespace limpid

#endif  // LIMPID_ENGINE_PARALLEL_H_

// Long calls: without Python's global lock, and ended by Ctrl-C.

#ifndef LIMPID_TOOLS_PYTHON_INTERRUPTS_H_
#define LIMPID_TOOLS_PYTHON_INTERRUPTS_H_

#include <cstddef>
#include <stop_token>

#include "absl/functional/function_ref.h"

namespace limpid::python {

// How long a call takes. With a sentence or two it is over before anyone could press Ctrl-C, and
// Python handles signals after it.
enum class Duration { kMilliseconds, kLong };
inline Duration DurationFor(size_t text_bytes) {
  return text_bytes < 1000 ? Duration::kMilliseconds : Duration::kLong;
}

// Calls `work` without the GIL. If a Python signal handler raises meanwhile, as that of Ctrl-C
// does, requests `work` to stop, waits for it and raises the handler's exception.
//
// Python runs signal handlers only on its main thread. There long work has a thread of its own,
// while the main thread waits and looks for signals. Everything else runs on the calling thread,
// which saves the time to start one.
void CallWithoutGil(Duration duration, absl::FunctionRef<void(std::stop_token stop)> work);

}  // namespace limpid::python

#endif  // LIMPID_TOOLS_PYTHON_INTERRUPTS_H_

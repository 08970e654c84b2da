// Long calls: without Python's global lock, and ended by Ctrl-C.

#ifndef LIMPID_TOOLS_PYTHON_INTERRUPTS_H_
#define LIMPID_TOOLS_PYTHON_INTERRUPTS_H_

#include <stop_token>

#include "absl/functional/function_ref.h"

namespace limpid::python {

// Calls `work` without the GIL. If a Python signal handler raises meanwhile, as that of Ctrl-C
// does, requests `work` to stop, waits for it and raises the handler's exception.
//
// Python runs signal handlers only on its main thread. There `work` has a thread of its own, while
// the main thread waits and looks for signals; on other threads it runs on the calling one.
void CallWithoutGil(absl::FunctionRef<void(std::stop_token stop)> work);

}  // namespace limpid::python

#endif  // LIMPID_TOOLS_PYTHON_INTERRUPTS_H_

// Ending the program from outside: Ctrl-C, kill, a closed terminal.

#ifndef LIMPID_TOOLS_SIGNALS_H_
#define LIMPID_TOOLS_SIGNALS_H_

#include <mutex>

namespace limpid::internal {

// From now on SIGINT, SIGTERM and SIGHUP end the program at once as they usually do, but not while
// WritingMutex() is held, unless that lasts for seconds. A signal that the caller of the program
// has told it to ignore stays ignored. Call it before any thread is started.
void EndBetweenLines();

// Held while lines are written.
std::timed_mutex& WritingMutex();

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_SIGNALS_H_

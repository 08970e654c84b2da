// Signals that end the program: Ctrl-C, kill, a closed terminal.

#ifndef LIMPID_TOOLS_SIGNALS_H_
#define LIMPID_TOOLS_SIGNALS_H_

#include <mutex>

namespace limpid::internal {

// Makes SIGINT, SIGTERM and SIGHUP wait for WritingMutex(), for a few seconds at most, before they
// end the program. Signals that the program inherited as ignored stay ignored. Call this before
// starting any thread.
void EndBetweenLines();

// Held while lines are written.
std::timed_mutex& WritingMutex();

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_SIGNALS_H_

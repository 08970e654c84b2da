#include "tools/signals.h"

#include <chrono>
#include <csignal>
#include <thread>

namespace limpid::internal {
namespace {

// How long a signal waits for a line to be written: the reader may have stopped reading.
constexpr std::chrono::seconds kPatience(5);

// Waits for one of `signals`, then ends the process by it, so that a shell sees the cause.
void EndBySignal(sigset_t signals) {
  int signal_number = 0;
  while (sigwait(&signals, &signal_number) != 0) {
  }
  const std::unique_lock<std::timed_mutex> lock(WritingMutex(), kPatience);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::raise(signal_number);
}

}  // namespace

std::timed_mutex& WritingMutex() {
  // Never destroyed: a signal may arrive while the program ends.
  static auto& mutex = *new std::timed_mutex;
  return mutex;
}

void EndBetweenLines() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action = {};
    sigaction(signal_number, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&signals, signal_number);
  }
  // Later threads inherit this, so that only the one below receives the signals.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(EndBySignal, signals).detach();
}

}  // namespace limpid::internal

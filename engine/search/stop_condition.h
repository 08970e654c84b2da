// When a call must end early.

#ifndef LIMPID_ENGINE_SEARCH_STOP_CONDITION_H_
#define LIMPID_ENGINE_SEARCH_STOP_CONDITION_H_

#include <chrono>
#include <stop_token>

#include "absl/status/status.h"

namespace limpid::internal {

// Once ShouldStop() is true, it stays true.
struct StopCondition {
  using Clock = std::chrono::steady_clock;

  std::stop_token token = {};
  Clock::time_point deadline = Clock::time_point::max();

  bool ShouldStop() const {
    return token.stop_requested() ||
           (deadline != Clock::time_point::max() && Clock::now() >= deadline);
  }

  // Returns Cancelled or DeadlineExceeded if the call should stop.
  absl::Status Check() const {
    if (!ShouldStop()) return absl::OkStatus();
    return token.stop_requested() ? absl::CancelledError("the caller stopped the translation")
                                  : absl::DeadlineExceededError("the deadline has passed");
  }
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_STOP_CONDITION_H_

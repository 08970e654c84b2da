#include "engine/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace limpid {

absl::Status ParallelFor(int threads, size_t count, absl::FunctionRef<void(size_t i)> work) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  absl::Status status;  // guarded by mutex until the threads are joined
  const auto run = [&] {
    const absl::Status worked = WithoutExceptions([&] {
      for (size_t i = next++; i < count; i = next++) work(i);
      return absl::OkStatus();
    });
    if (!worked.ok()) next = count;
    const std::lock_guard<std::mutex> lock(mutex);
    status.Update(worked);
  };
  std::vector<std::jthread> others;
  WithoutExceptions([&] {
    const size_t workers = std::min(static_cast<size_t>(threads), count);
    while (others.size() + 1 < workers) others.emplace_back(run);
    return absl::OkStatus();
  }).IgnoreError();
  run();
  others.clear();  // joins
  return status;
}

}  // namespace limpid

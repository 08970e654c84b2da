#include "engine/speed/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace limpid::internal {
namespace {

// A copy of a Status takes no memory.
const absl::Status& translating = *new absl::Status(absl::ResourceExhaustedError(
    "out of memory: translate fewer sentences at a time (batch_size), or use a smaller model"));
const absl::Status& loading = *new absl::Status(
    absl::ResourceExhaustedError("out of memory: loading the model needs more; use a smaller one"));

}  // namespace

const absl::Status& OutOfMemoryTranslating() { return translating; }
const absl::Status& OutOfMemoryLoading() { return loading; }

absl::Status StatusOfException(const absl::Status& out_of_memory) noexcept {
  try {
    try {
      throw;
    } catch (const std::bad_alloc&) {
      return out_of_memory;
    } catch (const std::length_error&) {  // more than could ever be there
      return out_of_memory;
    } catch (const std::system_error& error) {  // of a thread that could not be started
      return absl::ResourceExhaustedError(absl::StrCat("out of memory or threads: ", error.what()));
    } catch (const std::exception& error) {
      return absl::InternalError(absl::StrCat("a library failed: ", error.what()));
    }
  } catch (...) {  // the message had no room
    return out_of_memory;
  }
}

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

}  // namespace limpid::internal

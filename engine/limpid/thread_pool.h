// Threads that translators share.

#ifndef LIMPID_THREAD_POOL_H_
#define LIMPID_THREAD_POOL_H_

#include <cstddef>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "limpid/export.h"

namespace limpid {

inline constexpr int kMaxThreads = 1024;

// Threads are started when work first needs them and stay until the pool is destroyed. Thread-safe.
class LIMPID_EXPORT ThreadPool {
 public:
  // Makes a pool for up to `threads` threads, including the caller of ParallelFor: it starts at
  // most threads - 1. 0: as many as this process can keep busy, according to its affinity mask and
  // its container's CPU quota. Fails with InvalidArgument outside [0, kMaxThreads].
  static absl::StatusOr<std::shared_ptr<ThreadPool>> Create(int threads = 0);
  // Joins the threads. No ParallelFor may be running.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // The maximum number of threads, including the caller.
  int threads() const;

  // Calls work(i) once for each i < count, on this thread and on free threads of the pool, and
  // returns when all calls have returned. After an error, starts no further calls and returns the
  // first error. An exception of `work` becomes an Internal error, or ResourceExhausted if memory
  // ran out. If the system refuses to start a thread, the others do its work.
  //
  // Calls from several threads share the pool. `work` may itself call ParallelFor.
  absl::Status ParallelFor(size_t count, absl::FunctionRef<absl::Status(size_t i)> work);

 private:
  class LIMPID_HIDDEN Impl;
  explicit ThreadPool(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace limpid

#endif  // LIMPID_THREAD_POOL_H_

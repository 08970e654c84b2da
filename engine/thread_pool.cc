#include "limpid/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "engine/count_check.h"
#include "engine/exceptions.h"
#include "engine/processors.h"

namespace limpid {

using internal::CheckCount;
using internal::WithoutExceptions;

// ParallelFor queues a job, works on it, removes it from the queue once no calls are left to begin,
// and waits for the threads still working on it. It does not depend on a free thread.
class ThreadPool::Impl {
 public:
  explicit Impl(int threads) : max_workers_(static_cast<size_t>(threads) - 1) {}

  ~Impl() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  int threads() const { return static_cast<int>(max_workers_) + 1; }

  absl::Status ParallelFor(size_t count, absl::FunctionRef<absl::Status(size_t i)> work) {
    Job job = {.count = count, .work = work, .helpers_wanted = std::min(max_workers_, count - 1)};
    if (job.helpers_wanted > 0) Offer(job);
    Run(job);
    return Finish(job);
  }

 private:
  // One call of ParallelFor, on its caller's stack.
  struct Job {
    const size_t count;
    const absl::FunctionRef<absl::Status(size_t i)> work;
    std::atomic<size_t> next = 0;
    // Guarded by mutex_.
    size_t helpers_wanted = 0;
    size_t helpers_running = 0;
    absl::Status status = {};
  };

  // Queues a job and wakes or starts threads for it. If memory or threads run out, fewer or none
  // help: the caller works on the job anyway.
  void Offer(Job& job) {
    WithoutExceptions([&] {
      const std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(&job);
      for (size_t i = 0; i < job.helpers_wanted; ++i) wake_.notify_one();
      size_t useful = busy_workers_;
      for (const Job* queued : jobs_) useful += queued->helpers_wanted;
      useful = std::min(useful, max_workers_);
      while (workers_.size() < useful) workers_.emplace_back([this] { Work(); });
      return absl::OkStatus();
    }).IgnoreError();
  }

  void Run(Job& job) {
    const absl::Status status = WithoutExceptions([&] {
      for (size_t i = job.next++; i < job.count; i = job.next++) {
        if (absl::Status worked = job.work(i); !worked.ok()) return worked;
      }
      return absl::OkStatus();
    });
    if (status.ok()) return;
    job.next = job.count;
    const std::lock_guard<std::mutex> lock(mutex_);
    job.status.Update(status);
  }

  absl::Status Finish(Job& job) {
    std::unique_lock<std::mutex> lock(mutex_);
    std::erase(jobs_, &job);
    finished_.wait(lock, [&] { return job.helpers_running == 0; });
    return job.status;
  }

  // The main loop of each thread in the pool.
  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      Job& job = *jobs_.front();
      if (--job.helpers_wanted == 0) jobs_.erase(jobs_.begin());
      ++job.helpers_running;
      ++busy_workers_;
      lock.unlock();
      Run(job);
      lock.lock();
      --busy_workers_;
      // The job may be gone as soon as mutex_ is unlocked.
      if (--job.helpers_running == 0) finished_.notify_all();
    }
  }

  const size_t max_workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable finished_;
  // Guarded by mutex_.
  std::vector<Job*> jobs_;  // those that want more threads, oldest first
  std::vector<std::thread> workers_;
  size_t busy_workers_ = 0;
  bool stopping_ = false;
};

ThreadPool::ThreadPool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ThreadPool::~ThreadPool() = default;

absl::StatusOr<std::shared_ptr<ThreadPool>> ThreadPool::Create(int threads) {
  return WithoutExceptions([&]() -> absl::StatusOr<std::shared_ptr<ThreadPool>> {
    absl::Status status =
        CheckCount({"threads", threads, 0, "as many as this process may use", kMaxThreads});
    if (!status.ok()) return status;
    if (threads == 0) threads = std::min(internal::UsableProcessors(), kMaxThreads);
    return std::shared_ptr<ThreadPool>(new ThreadPool(std::make_unique<Impl>(threads)));
  });
}

int ThreadPool::threads() const { return impl_->threads(); }

absl::Status ThreadPool::ParallelFor(size_t count, absl::FunctionRef<absl::Status(size_t i)> work) {
  return count == 0 ? absl::OkStatus() : impl_->ParallelFor(count, work);
}

}  // namespace limpid

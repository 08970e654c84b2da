// A pool makes every call once, on its own threads and the caller's.

#include "limpid/thread_pool.h"

#include <atomic>
#include <chrono>
#include <ctime>
#include <latch>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;

std::shared_ptr<ThreadPool> Pool(int threads) { return *ThreadPool::Create(threads); }

// Returns the threads that make `count` calls, each of which waits until `expected` threads have
// arrived, but at most 20 s.
std::set<std::thread::id> ThreadsOf(ThreadPool& pool, size_t count, size_t expected) {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const absl::Status status = pool.ParallelFor(count, [&](size_t) {
    bool all = false;
    while (!all && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
      const std::lock_guard<std::mutex> lock(mutex);
      seen.insert(std::this_thread::get_id());
      all = seen.size() >= expected;
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok());
  return seen;
}

TEST(ThreadPoolTest, EachCallIsMadeOnce) {
  for (const int threads : {1, 2, 8}) {
    const auto pool = Pool(threads);
    for (const size_t count : {0U, 1U, 7U, 1000U}) {
      std::vector<std::atomic<int>> calls(count);
      const absl::Status status = pool->ParallelFor(count, [&](size_t i) {
        ++calls[i];
        return absl::OkStatus();
      });
      EXPECT_TRUE(status.ok());
      for (const std::atomic<int>& times : calls) EXPECT_EQ(times, 1);
    }
  }
}

TEST(ThreadPoolTest, ThreadsRunInParallel) {
  for (const int threads : {2, 4}) {
    EXPECT_EQ(ThreadsOf(*Pool(threads), threads, threads).size(), static_cast<size_t>(threads));
  }
}

TEST(ThreadPoolTest, TheCallerIsOneOfTheThreads) {
  EXPECT_TRUE(ThreadsOf(*Pool(3), 3, 3).contains(std::this_thread::get_id()));
  EXPECT_EQ(ThreadsOf(*Pool(1), 20, 1), std::set{std::this_thread::get_id()});
}

TEST(ThreadPoolTest, UsesNoMoreThreadsThanAllowedAndNeeded) {
  for (const auto& [threads, count, max] :
       {std::tuple<int, size_t, size_t>{1, 100, 1}, {4, 100, 4}, {4, 2, 2}}) {
    EXPECT_LE(ThreadsOf(*Pool(threads), count, 1).size(), max);
  }
}

TEST(ThreadPoolTest, ThreadsAreStartedOnce) {
  const auto pool = Pool(2);
  const std::set<std::thread::id> first = ThreadsOf(*pool, 2, 2);
  for (int call = 0; call < 20; ++call) EXPECT_EQ(ThreadsOf(*pool, 2, 2), first);
}

// More callers than threads: each gets all its calls made.
TEST(ThreadPoolTest, CallersShareThePool) {
  const auto pool = Pool(3);
  std::atomic<int> calls = 0;
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const absl::Status status = pool->ParallelFor(5, [&](size_t) {
          ++calls;
          return absl::OkStatus();
        });
        EXPECT_TRUE(status.ok());
      }
    });
  }
  callers.clear();  // joins
  EXPECT_EQ(calls, 8 * 50 * 5);
}

TEST(ThreadPoolTest, WorkMayCallParallelFor) {
  const auto pool = Pool(3);
  std::atomic<int> calls = 0;
  const absl::Status status = pool->ParallelFor(10, [&](size_t) {
    return pool->ParallelFor(10, [&](size_t) {
      ++calls;
      return absl::OkStatus();
    });
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(calls, 100);
}

TEST(ThreadPoolTest, ThreadsWithoutWorkUseNoProcessorTime) {
  const auto pool = Pool(4);
  std::latch others_may_end(1);
  const absl::Status status = pool->ParallelFor(3, [&](size_t i) {
    if (i > 0) {
      others_may_end.wait();
      return absl::OkStatus();
    }
    return pool->ParallelFor(1, [&](size_t) {
      others_may_end.count_down();
      const std::clock_t before = std::clock();
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 50);
      return absl::OkStatus();
    });
  });
  EXPECT_TRUE(status.ok());
}

TEST(ThreadPoolTest, AnErrorEndsTheWork) {
  for (const int threads : {1, 4}) {
    std::atomic<int> calls = 0;
    const absl::Status status = Pool(threads)->ParallelFor(1000, [&](size_t) {
      ++calls;
      return absl::CancelledError("enough");
    });
    EXPECT_TRUE(absl::IsCancelled(status));
    EXPECT_LE(calls, threads);
  }
}

TEST(ThreadPoolTest, AnExceptionBecomesAStatusAndEndsTheWork) {
  for (const int threads : {1, 4}) {
    std::atomic<int> calls = 0;
    const absl::Status status = Pool(threads)->ParallelFor(1000, [&](size_t) -> absl::Status {
      ++calls;
      throw std::runtime_error("broken");
    });
    EXPECT_TRUE(absl::IsInternal(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr("broken"));
    EXPECT_LE(calls, threads);
  }
}

TEST(ThreadPoolTest, ReportsThatMemoryRanOut) {
  const absl::Status status =
      Pool(2)->ParallelFor(3, [](size_t) -> absl::Status { throw std::bad_alloc(); });
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("batch_size"));
}

TEST(ThreadPoolTest, NumbersOfThreadsOutsideTheLimitsAreRejected) {
  EXPECT_THAT(ThreadPool::Create(-1).status().message(), HasSubstr("threads must be 0"));
  EXPECT_THAT(ThreadPool::Create(kMaxThreads + 1).status().message(),
              HasSubstr("threads must be at most 1024, not 1025"));
  EXPECT_GE(Pool(0)->threads(), 1);
  EXPECT_EQ(Pool(5)->threads(), 5);
}

}  // namespace
}  // namespace limpid::internal

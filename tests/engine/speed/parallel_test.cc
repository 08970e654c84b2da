#include "engine/speed/parallel.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;

TEST(ParallelForTest, DoesEachPieceOfWorkOnce) {
  for (const int threads : {1, 2, 8}) {
    for (const size_t count : {0U, 1U, 7U, 1000U}) {
      std::vector<std::atomic<int>> calls(count);
      EXPECT_TRUE(ParallelFor(threads, count, [&](size_t i) { ++calls[i]; }).ok());
      for (const std::atomic<int>& times : calls) EXPECT_EQ(times, 1);
    }
  }
}

// Each piece waits until all threads are at work: it would wait for ever if one did it all.
TEST(ParallelForTest, ThreadsWorkSideBySide) {
  for (const int threads : {2, 4}) {
    std::atomic<int> waiting{threads};
    std::atomic<bool> all_came{true};
    const absl::Status status = ParallelFor(threads, threads, [&](size_t) {
      --waiting;
      const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (waiting > 0 && std::chrono::steady_clock::now() < patience) {
        std::this_thread::yield();
      }
      if (waiting > 0) all_came = false;
    });
    EXPECT_TRUE(status.ok());
    EXPECT_TRUE(all_came) << "of " << threads << " threads " << waiting << " did not come";
  }
}

TEST(ParallelForTest, UsesNoMoreThreadsThanAllowedAndNeeded) {
  for (const auto& [threads, count, most] :
       {std::tuple<int, size_t, size_t>{1, 100, 1}, {4, 100, 4}, {4, 2, 2}}) {
    std::mutex mutex;
    std::set<std::thread::id> seen;
    EXPECT_TRUE(ParallelFor(threads, count, [&](size_t) {
                  const std::lock_guard<std::mutex> lock(mutex);
                  seen.insert(std::this_thread::get_id());
                }).ok());
    EXPECT_LE(seen.size(), most);
  }
}

TEST(ParallelForTest, AnExceptionBecomesAStatusAndEndsTheWork) {
  for (const int threads : {1, 4}) {
    std::atomic<int> calls{0};
    const absl::Status status = ParallelFor(threads, 1000, [&](size_t) {
      ++calls;
      throw std::runtime_error("broken");
    });
    EXPECT_TRUE(absl::IsInternal(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr("broken"));
    EXPECT_LE(calls, threads);
  }
}

TEST(ParallelForTest, SaysWhenMemoryRanOut) {
  const absl::Status status = ParallelFor(2, 3, [](size_t) { throw std::bad_alloc(); });
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("batch_size"));
}

TEST(WithoutExceptionsTest, SaysWhatHelpsWhereMemoryRanOut) {
  const absl::Status status =
      WithoutExceptions([]() -> absl::Status { throw std::bad_alloc(); }, OutOfMemoryLoading());
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(), "out of memory: loading the model needs more; use a smaller one");
}

TEST(WithoutExceptionsTest, MoreThanCouldEverBeThereIsOutOfMemory) {
  const absl::Status status = WithoutExceptions([]() -> absl::Status {
    std::vector<int>().reserve(SIZE_MAX);
    return absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

}  // namespace
}  // namespace limpid::internal

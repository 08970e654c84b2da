#include "engine/exceptions.h"

#include <cstdint>
#include <new>
#include <vector>

#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

TEST(WithoutExceptionsTest, OutOfMemoryGivesAdvice) {
  const absl::Status status =
      WithoutExceptions([]() -> absl::Status { throw std::bad_alloc(); }, OutOfMemoryLoading());
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(), "out of memory: loading the model needs more; use a smaller one");
}

TEST(WithoutExceptionsTest, ALengthErrorIsOutOfMemory) {
  const absl::Status status = WithoutExceptions([]() -> absl::Status {
    std::vector<int>().reserve(SIZE_MAX);
    return absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

}  // namespace
}  // namespace limpid::internal

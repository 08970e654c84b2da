#include "engine/huge_pages.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace limpid {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

bool IsFilledWith(const std::byte* memory, size_t bytes, int value) {
  for (size_t i = 0; i < bytes; ++i) {
    if (memory[i] != static_cast<std::byte>(value)) return false;
  }
  return true;
}

TEST(HugePagesTest, PiecesOfAllSizesAreAlignedAndApart) {
  const std::vector<size_t> sizes = {
      1, 63, 64, 65, 5 * kMegabyte, 40 * kMegabyte, 7, 15 * kMegabyte, 0, 2};
  std::vector<std::shared_ptr<std::byte>> pieces;
  for (size_t i = 0; i < sizes.size(); ++i) {
    pieces.push_back(AllocateInHugePages(sizes[i]));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(pieces[i].get()) % 64, 0U);
    std::memset(pieces[i].get(), static_cast<int>(i), sizes[i]);
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_TRUE(IsFilledWith(pieces[i].get(), sizes[i], static_cast<int>(i))) << sizes[i];
  }
}

// A sanitizer sees a page that is freed too soon.
TEST(HugePagesTest, APieceStaysWhileItsNeighboursGo) {
  std::shared_ptr<std::byte> first = AllocateInHugePages(kMegabyte);
  const std::shared_ptr<std::byte> second = AllocateInHugePages(kMegabyte);
  std::memset(second.get(), 2, kMegabyte);
  first.reset();
  const std::shared_ptr<std::byte> third = AllocateInHugePages(kMegabyte);
  std::memset(third.get(), 3, kMegabyte);
  EXPECT_TRUE(IsFilledWith(second.get(), kMegabyte, 2));
}

}  // namespace
}  // namespace limpid

#include "engine/speed/huge_pages.h"

#include <sys/mman.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace limpid::internal {
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

// What the system says of the mapping that holds an address, such as "AnonHugePages".
std::string FieldOfMapping(const void* address, const std::string& field) {
  std::ifstream smaps("/proc/self/smaps");
  bool is_it = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) {
      const auto place = reinterpret_cast<uintptr_t>(address);
      is_it = begin <= place && place < end;
    } else if (is_it && line.starts_with(field + ":")) {
      return line.substr(field.size() + 1);
    }
  }
  return "";
}

int64_t HugeKilobytesAt(const void* address) {
  return std::atoll(FieldOfMapping(address, "AnonHugePages").c_str());
}

// How many kilobytes of huge pages the system gives to who asks for them by hand.
int64_t HugeKilobytesToBeHad() {
  constexpr size_t kBytes = 8 * kMegabyte;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(memory, MAP_FAILED);
  madvise(memory, kBytes, MADV_HUGEPAGE);
  std::memset(memory, 1, kBytes);
  const int64_t kilobytes = HugeKilobytesAt(memory);
  munmap(memory, kBytes);
  return kilobytes;
}

TEST(HugePagesTest, TheSystemIsAskedForThem) {
  std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
  if (!setting) GTEST_SKIP() << "this kernel has no transparent huge pages";
  const std::shared_ptr<std::byte> memory = AllocateInHugePages(16 * kMegabyte);
  std::memset(memory.get(), 1, 16 * kMegabyte);
  EXPECT_NE((FieldOfMapping(memory.get(), "VmFlags") + " ").find(" hg "), std::string::npos);
}

TEST(HugePagesTest, WhereTheSystemHasThemTheyAreHuge) {
  const int64_t to_be_had = HugeKilobytesToBeHad();
  if (to_be_had == 0) {
    std::string enabled = "nothing, as it has none";
    std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
    std::getline(setting, enabled);
    GTEST_SKIP() << "the system gives no huge pages to who asks for them; transparent_hugepage "
                    "says: "
                 << enabled;
  }
  // Memory that is in pieces may give the one that asks and not the next: one of ten is enough.
  constexpr int kTimes = 10;
  std::vector<std::shared_ptr<std::byte>> memories;
  int64_t kilobytes = 0;
  for (int i = 0; i < kTimes && kilobytes == 0; ++i) {
    memories.push_back(AllocateInHugePages(16 * kMegabyte));
    std::memset(memories.back().get(), 1, 16 * kMegabyte);
    kilobytes = HugeKilobytesAt(memories.back().get() + 8 * kMegabyte);
  }
  EXPECT_GT(kilobytes, 0);
}

}  // namespace
}  // namespace limpid::internal

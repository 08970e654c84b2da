#include "engine/speed/fast_packing.h"

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

TEST(HugePagesTest, AllocationsOfAllSizesAreAlignedAndDisjoint) {
  const std::vector<size_t> sizes = {
      1, 63, 64, 65, 5 * kMegabyte, 40 * kMegabyte, 7, 15 * kMegabyte, 0, 2};
  std::vector<std::shared_ptr<std::byte>> allocations;
  for (size_t i = 0; i < sizes.size(); ++i) {
    allocations.push_back(AllocateInHugePages(sizes[i]));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(allocations[i].get()) % 64, 0U);
    std::memset(allocations[i].get(), static_cast<int>(i), sizes[i]);
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_TRUE(IsFilledWith(allocations[i].get(), sizes[i], static_cast<int>(i))) << sizes[i];
  }
}

// A sanitizer notices a page that is freed too early.
TEST(HugePagesTest, AnAllocationOutlivesItsNeighbours) {
  std::shared_ptr<std::byte> first = AllocateInHugePages(kMegabyte);
  const std::shared_ptr<std::byte> second = AllocateInHugePages(kMegabyte);
  std::memset(second.get(), 2, kMegabyte);
  first.reset();
  const std::shared_ptr<std::byte> third = AllocateInHugePages(kMegabyte);
  std::memset(third.get(), 3, kMegabyte);
  EXPECT_TRUE(IsFilledWith(second.get(), kMegabyte, 2));
}

// A field of /proc/self/smaps, such as "AnonHugePages", for the mapping that contains an address.
std::string FieldOfMapping(const void* address, const std::string& field) {
  std::ifstream smaps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) {
      const auto place = reinterpret_cast<uintptr_t>(address);
      found = begin <= place && place < end;
    } else if (found && line.starts_with(field + ":")) {
      return line.substr(field.size() + 1);
    }
  }
  return "";
}

int64_t HugeKilobytesAt(const void* address) {
  return std::atoll(FieldOfMapping(address, "AnonHugePages").c_str());
}

// The kilobytes of huge pages that the system grants to a plain madvise of 8 MB.
int64_t AvailableHugeKilobytes() {
  constexpr size_t kBytes = 8 * kMegabyte;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(memory, MAP_FAILED);
  madvise(memory, kBytes, MADV_HUGEPAGE);
  std::memset(memory, 1, kBytes);
  const int64_t kilobytes = HugeKilobytesAt(memory);
  munmap(memory, kBytes);
  return kilobytes;
}

TEST(HugePagesTest, RequestsHugePages) {
  std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
  if (!setting) GTEST_SKIP() << "this kernel has no transparent huge pages";
  const std::shared_ptr<std::byte> memory = AllocateInHugePages(16 * kMegabyte);
  std::memset(memory.get(), 1, 16 * kMegabyte);
  EXPECT_NE((FieldOfMapping(memory.get(), "VmFlags") + " ").find(" hg "), std::string::npos);
}

TEST(HugePagesTest, GetsHugePagesIfTheSystemHasThem) {
  const int64_t available = AvailableHugeKilobytes();
  if (available == 0) {
    std::string enabled = "missing";
    std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
    std::getline(setting, enabled);
    GTEST_SKIP() << "the system grants no huge pages; transparent_hugepage/enabled: " << enabled;
  }
  // Fragmented memory may satisfy one request and not the next: one of ten is enough.
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

// Runs each fuzz target on its seeds, its committed corpus and damaged seeds: quickly, in every
// build, and in memory proportional to the input. Leaks and bad reads show with LIMPID_SANITIZE.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/memory.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

namespace fs = std::filesystem;

class ReplayTest : public testing::TestWithParam<Target> {
 protected:
  // Runs the target and checks its memory.
  static void Run(const std::string& input) {
    const MemoryCounter memory;
    GetParam().run(input);
    EXPECT_LE(memory.peak(), MaxMemory(input.size())) << input.size() << " bytes";
  }
};

TEST_P(ReplayTest, Seeds) {
  const std::vector<std::string> seeds = GetParam().seeds();
  ASSERT_FALSE(seeds.empty());
  for (const std::string& seed : seeds) {
    ASSERT_FALSE(seed.empty());
    Run(seed);
    for (const size_t eighth : {0, 1, 3, 5, 7}) {
      std::string damaged = seed;
      damaged[seed.size() * eighth / 8] ^= 0x21;
      Run(damaged);
      Run(seed.substr(0, seed.size() * eighth / 8));
    }
  }
}

// Claims sizes larger than all memory, in binary at many places and in place of numbers in digits.
TEST_P(ReplayTest, ClaimsOfSize) {
  constexpr uint64_t kClaim = 1'000'000'000'000;
  constexpr size_t kMaxBytes = 1024;
  for (const std::string& seed : GetParam().seeds()) {
    const size_t end = std::min(seed.size(), kMaxBytes);
    for (size_t at = 0; at + sizeof(kClaim) <= end; at += at < 64 ? 1 : 13) {
      std::string claiming = seed;
      std::memcpy(&claiming[at], &kClaim, sizeof(kClaim));
      Run(claiming);
    }
    const auto is_digit = [&](size_t at) { return std::isdigit(uint8_t(seed[at])) != 0; };
    for (size_t at = 1; at < end; ++at) {
      if (!is_digit(at) || is_digit(at - 1)) continue;
      for (const char* claim : {"1000000000000", "1000000", "60000"}) {
        Run(seed.substr(0, at) + claim +
            seed.substr(std::min(seed.find_first_not_of("0123456789", at), seed.size())));
      }
    }
  }
}

TEST_P(ReplayTest, Corpus) {
  const fs::path folder = fs::path("tests/fuzz/corpus") / GetParam().name;
  ASSERT_TRUE(fs::exists(folder)) << "create it with tests/fuzz/run and tests/fuzz/keep";
  for (const auto& entry : fs::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    Run(ReadFile(entry.path()));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ReplayTest, testing::ValuesIn(Targets()),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(CorpusTest, EveryFolderHasATarget) {
  std::set<std::string> names;
  for (const Target& target : Targets()) names.insert(target.name);
  for (const auto& entry : fs::directory_iterator("tests/fuzz/corpus")) {
    if (!entry.is_directory()) continue;
    EXPECT_EQ(names.count(entry.path().filename()), 1U) << entry.path();
  }
}

}  // namespace
}  // namespace limpid::internal::fuzz

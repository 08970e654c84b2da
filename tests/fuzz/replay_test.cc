// Each fuzz target's seeds and committed corpus, and simple damage to the seeds: what must run in a
// moment in every build. A crash here is what a test can show; leaks and bad reads show with
// LIMPID_SANITIZE.

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::fuzz {
namespace {

namespace fs = std::filesystem;

class ReplayTest : public testing::TestWithParam<Target> {};

TEST_P(ReplayTest, Seeds) {
  const std::vector<std::string> seeds = GetParam().seeds();
  ASSERT_FALSE(seeds.empty());
  for (const std::string& seed : seeds) {
    ASSERT_FALSE(seed.empty());
    GetParam().run(seed);
    for (const size_t eighth : {0, 1, 3, 5, 7}) {
      std::string damaged = seed;
      damaged[seed.size() * eighth / 8] ^= 0x21;
      GetParam().run(damaged);
      GetParam().run(seed.substr(0, seed.size() * eighth / 8));
    }
  }
}

TEST_P(ReplayTest, Corpus) {
  const fs::path folder = fs::path("tests/fuzz/corpus") / GetParam().name;
  if (!fs::exists(folder)) GTEST_SKIP() << "nothing was ever found";
  for (const auto& entry : fs::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    GetParam().run(ReadFile(entry.path()));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ReplayTest, testing::ValuesIn(Targets()),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(CorpusTest, EveryFolderHasItsTarget) {
  std::set<std::string> names;
  for (const Target& target : Targets()) names.insert(target.name);
  for (const auto& entry : fs::directory_iterator("tests/fuzz/corpus")) {
    if (!entry.is_directory()) continue;
    EXPECT_EQ(names.count(entry.path().filename()), 1U) << entry.path();
  }
}

}  // namespace
}  // namespace limpid::fuzz

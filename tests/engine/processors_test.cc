#include "engine/processors.h"

#include <sched.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "limpid/translator.h"
#include "tests/temporary_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

// A system as seen by a process: its /proc/self, and cgroups mounted below the same folder.
class CpuQuotaTest : public testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) const {
    const fs::path path = fs::path(folder_.path()) / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  // `root`: the group that is mounted.
  void Mount(const std::string& type, const std::string& options, const std::string& root = "/") {
    absl::StrAppend(&mounts_, "31 23 0:28 ", root, " ", folder_.path(),
                    "/groups rw,nosuid shared:9 - ", type, " source ", options, "\n");
    Write("mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda rw\n" + mounts_);
  }
  double Quota() const { return CpuQuota(folder_.path()); }

  const TemporaryFolder folder_;

 private:
  std::string mounts_;
};

TEST_F(CpuQuotaTest, WithoutControlGroupsNothingIsLimited) {
  EXPECT_EQ(Quota(), INFINITY);
  Write("cgroup", "0::/\n");
  EXPECT_EQ(Quota(), INFINITY);
  Mount("cgroup2", "rw");
  EXPECT_EQ(Quota(), INFINITY);
  Write("groups/cpu.max", "max 100000\n");
  EXPECT_EQ(Quota(), INFINITY);
}

TEST_F(CpuQuotaTest, TheQuotaOfAContainerCounts) {
  Mount("cgroup2", "rw,nsdelegate");
  Write("cgroup", "0::/\n");
  Write("groups/cpu.max", "150000 100000\n");
  EXPECT_EQ(Quota(), 1.5);
}

TEST_F(CpuQuotaTest, TheSmallestQuotaOnTheWayToTheRootCounts) {
  Mount("cgroup2", "rw");
  Write("cgroup", "0::/user.slice/app.slice/limpid.service\n");
  Write("groups/user.slice/app.slice/limpid.service/cpu.max", "800000 100000\n");
  Write("groups/user.slice/app.slice/cpu.max", "200000 100000\n");
  Write("groups/user.slice/cpu.max", "max 100000\n");
  Write("groups/user.slice/other.slice/cpu.max", "1000 100000\n");
  EXPECT_EQ(Quota(), 2);
  Write("groups/user.slice/app.slice/limpid.service/cpu.max", "50000 100000\n");
  EXPECT_EQ(Quota(), 0.5);
}

TEST_F(CpuQuotaTest, ReadsVersion1) {
  Mount("cgroup", "rw,cpu,cpuacct");
  Write("cgroup", "7:memory:/elsewhere\n4:cpu,cpuacct:/jobs/7\n0::/other\n");
  Write("groups/jobs/7/cpu.cfs_quota_us", "-1\n");
  Write("groups/jobs/7/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), INFINITY);
  Write("groups/jobs/7/cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(Quota(), 3);
}

// A Docker container without a cgroup namespace of its own.
TEST_F(CpuQuotaTest, AGroupMayBeMountedAsTheRoot) {
  Mount("cgroup", "rw,cpu", "/docker/0a1b");
  Write("cgroup", "4:cpu:/docker/0a1b\n");
  Write("groups/cpu.cfs_quota_us", "250000\n");
  Write("groups/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 2.5);
  Write("cgroup", "4:cpu:/docker/0a1b/child\n");
  Write("groups/child/cpu.cfs_quota_us", "100000\n");
  Write("groups/child/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 1);
  Write("cgroup", "4:cpu:/somewhere/else\n");  // the mounted group still limits us
  EXPECT_EQ(Quota(), 2.5);
}

TEST_F(CpuQuotaTest, MalformedFilesLimitNothing) {
  Mount("cgroup2", "rw");
  Write("cgroup", "\n0\n::::\n0::/\n");
  for (const char* text : {"", "\n", "0 0", "-5 100000", "100000 0", "nan nan", "a b", "100000"}) {
    Write("groups/cpu.max", text);
    EXPECT_EQ(Quota(), INFINITY) << text;
  }
}

TEST(UsableProcessorsTest, AreThoseThatThreadsMayRunOn) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  EXPECT_GE(UsableProcessors(), 1);
  EXPECT_LE(UsableProcessors(), CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(UsableProcessors(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

}  // namespace
}  // namespace limpid::internal

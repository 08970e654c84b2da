#include "engine/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

std::vector<std::string> ReadLines(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// A mounted hierarchy of control groups.
struct Mount {
  bool is_version_2 = false;
  fs::path root;  // the group that is mounted at `point`
  fs::path point;
};

// "36 25 0:30 ROOT POINT OPTIONS … - TYPE SOURCE OPTIONS"; none if it has no CPU quotas.
std::optional<Mount> ParseMount(const std::string& line) {
  const std::vector<std::string> fields = absl::StrSplit(line, ' ');
  const auto dash = absl::c_find(fields, "-");
  if (fields.size() < 5 || fields.end() - dash < 4) return std::nullopt;
  const std::string& type = *(dash + 1);
  const std::vector<std::string> options = absl::StrSplit(*(dash + 3), ',');
  const bool has_quotas =
      type == "cgroup2" || (type == "cgroup" && absl::c_linear_search(options, "cpu"));
  if (!has_quotas) return std::nullopt;
  return Mount{type == "cgroup2", fields[3], fields[4]};
}

// The group of the process: PATH in "0::PATH" (version 2) or in "4:cpu,cpuacct:PATH" (version 1).
std::optional<fs::path> GroupIn(const Mount& mount, const std::vector<std::string>& groups) {
  for (const std::string& line : groups) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() < 3) continue;
    const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
    if (mount.is_version_2 ? fields[0] == "0" : absl::c_linear_search(controllers, "cpu")) {
      return fields[2];
    }
  }
  return std::nullopt;
}

// Reads all numbers in a file and skips other words, such as "max".
std::vector<double> ReadNumbers(const fs::path& file) {
  std::vector<double> numbers;
  for (const std::string& line : ReadLines(file)) {
    for (const absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
      double number = 0;
      if (absl::SimpleAtod(word, &number)) numbers.push_back(number);
    }
  }
  return numbers;
}

// The quota of one group, in processors. -1 (version 1) or "max" (version 2) means none.
double QuotaOf(const fs::path& folder, bool is_version_2) {
  std::vector<double> numbers;  // quota and period
  if (is_version_2) {
    numbers = ReadNumbers(folder / "cpu.max");
  } else {
    for (const char* file : {"cpu.cfs_quota_us", "cpu.cfs_period_us"}) {
      for (const double number : ReadNumbers(folder / file)) numbers.push_back(number);
    }
  }
  const bool is_limit = numbers.size() == 2 && numbers[0] > 0 && numbers[1] > 0;
  return is_limit ? numbers[0] / numbers[1] : kNoLimit;
}

// The smallest quota of a group and its mounted parents.
double QuotaIn(const Mount& mount, const fs::path& group) {
  // In a container, `group` may be the path on the host although the group is mounted as the root.
  fs::path below = group.lexically_relative(mount.root);
  if (below.empty() || *below.begin() == "..") below = ".";
  double quota = QuotaOf(mount.point, mount.is_version_2);
  fs::path folder = mount.point;
  for (const fs::path& name : below) {
    folder /= name;
    quota = std::min(quota, QuotaOf(folder, mount.is_version_2));
  }
  return quota;
}

int ProcessorsOfAffinity() {
  // sched_getaffinity fails if the set is smaller than the kernel's, so try larger ones.
  for (size_t processors = CPU_SETSIZE; processors <= (size_t{1} << 20); processors *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(processors),
                                                               [](cpu_set_t* s) { CPU_FREE(s); });
    const size_t size = CPU_ALLOC_SIZE(processors);
    if (set != nullptr && sched_getaffinity(0, size, set.get()) == 0) {
      return CPU_COUNT_S(size, set.get());
    }
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

double CpuQuota(const std::string& process) {
  const std::vector<std::string> groups = ReadLines(fs::path(process) / "cgroup");
  double quota = kNoLimit;
  for (const std::string& line : ReadLines(fs::path(process) / "mountinfo")) {
    const std::optional<Mount> mount = ParseMount(line);
    if (!mount.has_value()) continue;
    const std::optional<fs::path> group = GroupIn(*mount, groups);
    if (group.has_value()) quota = std::min(quota, QuotaIn(*mount, *group));
  }
  return quota;
}

int UsableProcessors() {
  // Rounds up so that the process can use its whole quota.
  const double quota = std::ceil(CpuQuota());
  const int processors = ProcessorsOfAffinity();
  return std::max(1, quota < processors ? static_cast<int>(quota) : processors);
}

}  // namespace limpid::internal

// The number of processors that this process may use.

#ifndef LIMPID_ENGINE_PROCESSORS_H_
#define LIMPID_ENGINE_PROCESSORS_H_

#include <string>

namespace limpid::internal {

// The number of processors in this process's affinity mask (set by `taskset` and by containers'
// cpusets), but no more than its CPU quota, rounded up. At least 1.
int UsableProcessors();

// The smallest CPU quota of a process's control groups and their parents, in processors: 1.5 is
// 150 ms of processor time every 100 ms. Infinity if none has a quota. Reads `process`/cgroup and
// `process`/mountinfo of cgroup version 1 or 2 (man 7 cgroups). Ignores files that it cannot read.
double CpuQuota(const std::string& process = "/proc/self");

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_PROCESSORS_H_

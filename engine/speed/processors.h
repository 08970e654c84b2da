// How many processors this process may use: what the machine has is not always ours.

#ifndef LIMPID_ENGINE_SPEED_PROCESSORS_H_
#define LIMPID_ENGINE_SPEED_PROCESSORS_H_

#include <string>

namespace limpid::internal {

// The processors that threads of this process may run on (its affinity mask, which `taskset` and
// cpusets of containers set), and no more than its CPU quota pays for, rounded up. At least 1.
int UsableProcessors();

// The CPU quota of the control groups that a process is in, of all that they lie in too, as
// processors: 1.5 is 150 ms of processor time every 100 ms. Infinite where there is none. Reads
// `process`/cgroup and `process`/mountinfo, of cgroup version 1 or 2 (man 7 cgroups); what cannot
// be read limits nothing.
double CpuQuota(const std::string& process = "/proc/self");

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_PROCESSORS_H_

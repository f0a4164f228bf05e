// What ovn-controller 25.03 asks of a southbound: the tables and columns that it monitors, and the
// conditions under which it wants their rows.
#ifndef BENCH_LOAD_MONITORS_H_
#define BENCH_LOAD_MONITORS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace load {

// A request that monitors all of that, in full: as with ovn-monitor-all=true. `version` as in
// Options.
std::string MonitorRequest(int version);

// The same with the conditions that ovn-controller starts with (versions 2 and 3).
std::string FirstConditionsRequest(int version);

// The change to the conditions of a chassis that has ports on those datapaths.
std::string LocalConditionsRequest(uint64_t chassis, const std::vector<uint64_t>& datapaths);

}  // namespace load

#endif  // BENCH_LOAD_MONITORS_H_

// Runs simulated clusters: `sim_test [--seeds N] [--first-seed S] [--trace]`.
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "tests/raft/sim/cluster.h"

namespace raft::sim {
namespace {

constexpr size_t kTraceLines = 60;  // That tell of a failure without --trace.

void Print(const std::vector<std::string>& lines, size_t from) {
  for (size_t i = from; i < lines.size(); ++i) std::puts(lines[i].c_str());
}

// Whether all went well.
bool RunSeed(uint64_t seed, bool tracing, uint64_t* n_committed, uint64_t* n_steps) {
  Cluster cluster(seed, tracing);
  cluster.Run();
  *n_committed += cluster.n_committed();
  *n_steps += cluster.world().timeline.step();
  if (tracing) Print(cluster.world().trace, 0);
  if (!cluster.world().failed()) return true;
  if (!tracing) {
    // The same once more, now with an eye on how it came to that.
    Cluster again(seed, /*tracing=*/true);
    again.Run();
    const auto& trace = again.world().trace;
    Print(trace, trace.size() > kTraceLines ? trace.size() - kTraceLines : 0);
  }
  std::printf("seed %llu failed: %s\nreplay: sim_test --first-seed %llu --trace\n",
              static_cast<unsigned long long>(seed), cluster.world().failure.c_str(),
              static_cast<unsigned long long>(seed));
  return false;
}

int Main(int argc, char** argv) {
  uint64_t seeds = 0;
  uint64_t first_seed = 1;
  bool tracing = false;
  bool understood = true;
  for (int i = 1; i < argc && understood; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--trace") {
      tracing = true;
    } else if (argument == "--seeds" && i + 1 < argc) {
      understood = absl::SimpleAtoi(argv[++i], &seeds);
    } else if (argument == "--first-seed" && i + 1 < argc) {
      understood = absl::SimpleAtoi(argv[++i], &first_seed);
    } else {
      understood = false;
    }
  }
  if (!understood) {
    std::puts("usage: sim_test [--seeds N] [--first-seed S] [--trace]");
    return 2;
  }
  if (seeds == 0) seeds = 1;
  uint64_t failed = 0;
  uint64_t n_committed = 0;
  uint64_t n_steps = 0;
  for (uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
    if (!RunSeed(seed, tracing, &n_committed, &n_steps)) ++failed;
    std::fflush(stdout);
  }
  std::printf("%llu seeds, %llu failed; %llu entries committed in %llu steps\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(failed),
              static_cast<unsigned long long>(n_committed),
              static_cast<unsigned long long>(n_steps));
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace raft::sim

int main(int argc, char** argv) { return raft::sim::Main(argc, argv); }

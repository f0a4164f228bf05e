// What all parts of a simulation share: chance, time, and the trace that people read.
#ifndef TESTS_RAFT_SIM_WORLD_H_
#define TESTS_RAFT_SIM_WORLD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "raft/types.h"
#include "tests/raft/sim/random.h"
#include "tests/raft/sim/timeline.h"

namespace raft::sim {

struct World {
  World(uint64_t seed, bool tracing) : random(seed), tracing(tracing) {}

  // Call only if `tracing`: making the text costs more than what it tells of.
  void Trace(absl::string_view who, absl::string_view what);
  // Something went wrong. Only the first time counts: the rest follows from it.
  void Fail(const std::string& what);
  bool failed() const { return !failure.empty(); }

  Random random;
  Timeline timeline;
  bool tracing;
  std::vector<std::string> trace;  // Lines.
  std::string failure;
};

// Servers have ids that tell which they are, from 0 on: n0, n1 ...
ServerId IdOfNode(int node);
std::string NameOf(const ServerId& id);  // "n1"; "-" for none.

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_WORLD_H_

#include "tests/raft/sim/world.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace raft::sim {

void World::Trace(absl::string_view who, absl::string_view what) {
  trace.push_back(absl::StrFormat("%6d.%03d %-4s%s", timeline.now_ms() / 1000,
                                  timeline.now_ms() % 1000, who, what));
}

void World::Fail(const std::string& what) {
  if (failed()) return;
  failure = what;
  if (tracing) Trace("!!!", what);
}

ServerId IdOfNode(int node) {
  const auto n = static_cast<uint64_t>(node);
  return ServerId{(0xa0 + n) << 56 | 0x4000, n + 1};
}

std::string NameOf(const ServerId& id) { return id.is_zero() ? "-" : absl::StrCat("n", id.lo - 1); }

}  // namespace raft::sim

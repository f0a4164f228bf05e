// Partitions: of all kinds, and connections that break.
#include <vector>

#include "tests/raft/sim/cluster.h"
#include "tests/raft/sim/faults.h"

namespace raft::sim {

void Faults::CutFor(int from, int to, int64_t duration_ms) {
  if (from == to) return;
  Network& network = cluster_->network();
  network.Cut(from, to);
  Later(duration_ms, [&network, from, to] { network.Mend(from, to); });
}

void Faults::Separate(const std::vector<int>& some, int64_t duration_ms) {
  std::vector<bool> among(cluster_->size());
  for (const int node : some) among[node] = true;
  for (int a = 0; a < cluster_->size(); ++a) {
    for (int b = 0; b < cluster_->size(); ++b) {
      if (among[a] != among[b]) CutFor(a, b, duration_ms);
    }
  }
}

void Faults::SplitNetwork() {
  std::vector<int> some;
  for (int i = 0; i < cluster_->size(); ++i) {
    if (random().Chance(50)) some.push_back(i);
  }
  Separate(some, RandomDuration());
}

void Faults::IsolateLeader() {
  const Node* leader = cluster_->leader();
  if (leader == nullptr) return;
  const int64_t duration_ms = RandomDuration();
  const int64_t way = random().Between(0, 2);
  for (int other = 0; other < cluster_->size(); ++other) {
    if (way != 0) CutFor(leader->number(), other, duration_ms);
    if (way != 1) CutFor(other, leader->number(), duration_ms);
  }
}

void Faults::CutOneWay() {
  const int from = static_cast<int>(random().Between(0, cluster_->size() - 1));
  const int to = static_cast<int>(random().Between(0, cluster_->size() - 1));
  CutFor(from, to, RandomDuration());
}

void Faults::FlapLink() {
  const int a = static_cast<int>(random().Between(0, cluster_->size() - 1));
  const int b = static_cast<int>(random().Between(0, cluster_->size() - 1));
  int64_t at_ms = 0;
  for (int64_t times = random().Between(2, 10); times > 0; --times) {
    const int64_t duration_ms = RandomDuration() / 4 + 1;
    Later(at_ms, [this, a, b, duration_ms] {
      CutFor(a, b, duration_ms);
      CutFor(b, a, duration_ms);
    });
    at_ms += duration_ms + RandomDuration() / 4;
  }
}

void Faults::BreakConnections() {
  if (random().Chance(20)) {
    cluster_->network().BreakAll();
    return;
  }
  for (int other = 0; other < cluster_->size(); ++other) {
    if (random().Chance(50)) cluster_->network().Break(0, other);
  }
}

}  // namespace raft::sim

// What administrators do: members come and go, leaders are sent away, timers are changed, files
// compacted.
#include <algorithm>

#include "tests/raft/sim/cluster.h"
#include "tests/raft/sim/faults.h"

namespace raft::sim {

void Faults::AddServer() { cluster_->AddNode(); }

void Faults::RemoveServer() {
  if (cluster_->invariants().servers().size() < 2) return;
  Node* node = cluster_->AnyUp();
  if (node == nullptr) return;
  if (random().Chance(50)) {
    node->Ask([](Server* server) { server->Leave().IgnoreError(); });
    return;
  }
  const auto& members = cluster_->invariants().servers();
  const auto victim =
      std::next(members.begin(), random().Between(0, static_cast<int64_t>(members.size()) - 1));
  node->Ask([id = victim->first](Server* server) { server->Kick(id).IgnoreError(); });
}

void Faults::TransferLeadership() {
  if (Node* node = cluster_->leader(); node != nullptr) {
    node->Ask([](Server* server) { server->TransferLeadership("simulation"); });
  }
}

void Faults::ForceElections() {
  for (const auto& node : cluster_->nodes()) {
    if (random().Chance(50)) node->Ask([](Server* server) { server->ForceElection(); });
  }
}

void Faults::ChangeElectionTimer() {
  Node* node = cluster_->leader();
  if (node == nullptr) return;
  const auto timer_ms = static_cast<uint64_t>(
      std::min<int64_t>(random().Between(1, 2 * cluster_->election_timer_ms()), 2000));
  node->Ask([timer_ms](Server* server) { server->ChangeElectionTimer(timer_ms).IgnoreError(); });
}

void Faults::Compact() {
  for (const auto& node : cluster_->nodes()) {
    if (random().Chance(60)) node->Compact();
  }
}

}  // namespace raft::sim

// Machines that crash, stand still, and whose disks are slow, full or lost.
#include <vector>

#include "tests/raft/sim/cluster.h"
#include "tests/raft/sim/faults.h"

namespace raft::sim {
void Faults::CrashOne() {
  if (Node* node = cluster_->AnyUp(); node != nullptr) {
    node->Crash();
    cluster_->RestartLater(node, RandomDuration());
  }
}

void Faults::CrashLeader() {
  if (Node* node = cluster_->leader(); node != nullptr) {
    node->Crash();
    cluster_->RestartLater(node, RandomDuration());
  }
}

void Faults::CrashAll() {
  for (const auto& node : cluster_->nodes()) {
    node->Crash();
    cluster_->RestartLater(node.get(), RandomDuration());
  }
}

void Faults::StallOne() {
  Node* node = random().Chance(50) ? cluster_->leader() : cluster_->AnyUp();
  if (node != nullptr) node->Stall(RandomDuration());
}

void Faults::SlowDisk() {
  Node* node = cluster_->AnyUp();
  if (node == nullptr) return;
  node->SetSyncFactor(random().Between(10, 200));
  Later(RandomDuration(), [node] { node->SetSyncFactor(1); });
}

void Faults::FillDisk() {
  Node* node = random().Chance(50) ? cluster_->leader() : cluster_->AnyUp();
  if (node == nullptr) return;
  node->SetDiskFull(true);
  Later(RandomDuration(), [node] { node->SetDiskFull(false); });
}

void Faults::LoseDisk() {
  Node* node = cluster_->AnyUp();
  if (node == nullptr || !cluster_->CanLoseDisk(*node)) return;
  node->Crash();
  node->LoseDisk(cluster_->AddressesToAsk(*node));
  cluster_->RestartLater(node, random().Between(1, 500));
}

// The worst moment: what it and the leader have acknowledged, a third does not know of, and the
// third wants to lead.
void Faults::LoseDiskOfVoter() {
  Node* leader = cluster_->leader();
  if (leader == nullptr) return;
  std::vector<Node*> followers;
  for (const auto& node : cluster_->nodes()) {
    if (node.get() != leader && node->up() && cluster_->is_member(*node)) {
      followers.push_back(node.get());
    }
  }
  if (followers.size() < 2 || !cluster_->CanLoseDisk(*followers.front())) return;
  random().Shuffle(&followers);
  const int64_t apart_ms = cluster_->election_timer_ms() + random().Between(0, 1000);
  std::vector<int> minority;
  for (size_t i = 1; i <= followers.size() / 2; ++i) minority.push_back(followers[i]->number());
  Separate(minority, apart_ms);
  Node* voter = followers.front();
  Later(apart_ms - 1, [this, leader, voter] {
    if (!voter->up() || !leader->up() || !cluster_->CanLoseDisk(*voter)) return;
    leader->Crash();
    cluster_->RestartLater(leader, random().Between(2000, 6000));
    voter->Crash();
    voter->LoseDisk(cluster_->AddressesToAsk(*voter));
    voter->Start();
  });
}

}  // namespace raft::sim

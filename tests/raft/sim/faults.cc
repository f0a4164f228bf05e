#include "tests/raft/sim/faults.h"

#include "tests/raft/sim/cluster.h"

namespace raft::sim {

Faults::Faults(Cluster* cluster) : cluster_(cluster) {
  for (const Kind kind :
       {&Faults::CrashOne, &Faults::CrashLeader, &Faults::CrashAll, &Faults::StallOne,
        &Faults::SlowDisk, &Faults::FillDisk, &Faults::SplitNetwork, &Faults::IsolateLeader,
        &Faults::CutOneWay, &Faults::FlapLink, &Faults::BreakConnections, &Faults::AddServer,
        &Faults::RemoveServer, &Faults::TransferLeadership, &Faults::ForceElections,
        &Faults::ChangeElectionTimer, &Faults::Compact, &Faults::LoseDisk,
        &Faults::LoseDiskOfVoter}) {
    if (random().Chance(40)) kinds_.push_back(kind);
  }
  pause_ms_ = random().Between(100, 2000);
}

Random& Faults::random() { return cluster_->random(); }

void Faults::Start() {
  running_ = !kinds_.empty();
  Later(random().Between(0, 2000), [this] { Act(); });
}

void Faults::Act() {
  (this->*random().Pick(kinds_))();
  Later(random().Between(1, 2 * pause_ms_), [this] { Act(); });
}

void Faults::Later(int64_t delay_ms, std::function<void()> action) {
  cluster_->world().timeline.After(delay_ms, [this, action = std::move(action)] {
    if (running_) action();
  });
}

int64_t Faults::RandomDuration() {
  const int64_t timer_ms = cluster_->election_timer_ms();
  return random().Chance(30) ? random().Between(1, timer_ms) : random().Between(1, 5 * timer_ms);
}

}  // namespace raft::sim

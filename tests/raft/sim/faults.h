// What goes wrong in a cluster, and what people do to it: at random, each seed with a selection of
// its own, so that some see one kind of trouble only and some all at once.
#ifndef TESTS_RAFT_SIM_FAULTS_H_
#define TESTS_RAFT_SIM_FAULTS_H_

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "tests/raft/sim/node.h"
#include "tests/raft/sim/random.h"

namespace raft::sim {

class Cluster;

class Faults {
 public:
  explicit Faults(Cluster* cluster);

  // From now on, until Stop(); what has begun by then ends at its own time.
  void Start();
  void Stop() { running_ = false; }

 private:
  using Kind = void (Faults::*)();

  // process_faults.cc: machines and disks.
  void CrashOne();
  void CrashLeader();
  void CrashAll();
  void StallOne();
  void SlowDisk();
  void FillDisk();
  void LoseDisk();
  void LoseDiskOfVoter();

  // network_faults.cc
  void SplitNetwork();
  void IsolateLeader();
  void CutOneWay();
  void FlapLink();
  void BreakConnections();

  // admin_faults.cc
  void AddServer();
  void RemoveServer();
  void TransferLeadership();
  void ForceElections();
  void ChangeElectionTimer();
  void Compact();

  void Act();
  // In `delay_ms`, if it is still time for that.
  void Later(int64_t delay_ms, std::function<void()> action);
  // A time that means something to an election.
  int64_t RandomDuration();
  void Separate(const std::vector<int>& some, int64_t duration_ms);
  void CutFor(int from, int to, int64_t duration_ms);
  Random& random();

  Cluster* cluster_;
  std::vector<Kind> kinds_;  // The selection.
  int64_t pause_ms_ = 0;
  bool running_ = false;
};

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_FAULTS_H_

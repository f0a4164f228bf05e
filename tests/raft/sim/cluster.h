// A whole cluster with its network, disks, clients and misfortunes, in one thread on virtual time:
// all of it follows from a seed.
#ifndef TESTS_RAFT_SIM_CLUSTER_H_
#define TESTS_RAFT_SIM_CLUSTER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/raft/sim/clients.h"
#include "tests/raft/sim/invariants.h"
#include "tests/raft/sim/network.h"
#include "tests/raft/sim/node.h"
#include "tests/raft/sim/world.h"

namespace raft::sim {

class Cluster {
 public:
  explicit Cluster(uint64_t seed, bool tracing = false);

  // Bad times, then good ones, in which everything must come right. What went wrong is in the
  // world's failure.
  void Run();

  World& world() { return world_; }
  Random& random() { return world_.random; }
  Network& network() { return network_; }
  const Invariants& invariants() const { return *invariants_; }
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  int size() const { return static_cast<int>(nodes_.size()); }
  Node* node(int number) { return nodes_[number].get(); }
  // Of the newest committed configuration.
  bool is_member(const Node& node) const { return invariants_->servers().count(node.id()) != 0; }
  int64_t election_timer_ms() const {
    return static_cast<int64_t>(invariants_->election_timer_ms());
  }
  // Of those that lead, the one of the newest term; null: none.
  Node* leader();
  // One that is up; null: none.
  Node* AnyUp();

  // A new server, which asks the members to be added.
  void AddNode();
  // Whether a member may lose its disk now without more being lost than a cluster can bear: it is
  // the only one, and of three at least.
  bool CanLoseDisk(const Node& node) const;
  // What an administrator does about a server that is down.
  void Restart(Node* node);
  void RestartLater(Node* node, int64_t delay_ms);
  // Of the members but for this one.
  std::vector<std::string> AddressesToAsk(const Node& node) const;

  uint64_t n_committed() const { return invariants_->committed(); }

 private:
  static constexpr int kMaxNodes = 9;

  SnapshotInfo FirstSnapshot(int n_servers);
  Node::Habits RandomHabits();
  Weather RandomWeather();
  void Start();
  bool KnowsMembers(const Server& server) const;
  void RunFor(int64_t duration_ms);
  void Heal();
  // What is not as it should be at last; empty: all is well.
  std::string Complaint();
  void RunUntilConverged(const std::string& stage);
  void CheckThatAllWork();
  // Takes a command there, and waits until all have settled it.
  bool CanCommitAt(Node* node);

  World world_;
  Network network_;
  std::unique_ptr<Invariants> invariants_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<Clients> clients_;
};

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_CLUSTER_H_

// Clients that append unique numbers and read, at servers of their choice, and remember what they
// were told.
#ifndef TESTS_RAFT_SIM_CLIENTS_H_
#define TESTS_RAFT_SIM_CLIENTS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tests/raft/sim/history.h"
#include "tests/raft/sim/invariants.h"
#include "tests/raft/sim/node.h"
#include "tests/raft/sim/world.h"

namespace raft::sim {

class Clients : public Answers {
 public:
  using Nodes = std::vector<std::unique_ptr<Node>>;

  // `nodes` may grow later.
  Clients(World* world, const Invariants* invariants, const Nodes* nodes)
      : world_(world), invariants_(invariants), nodes_(nodes) {}

  // From now on, every so often.
  void Start(int64_t pause_ms);
  void Stop() { running_ = false; }

  // Returns the number, or 0 if the server took nothing.
  uint64_t Append(Node* node, bool on_stale_state = false);
  void Read(const Node& node);

  void Settle(const Settled& settled) override;

  bool IsCommitted(uint64_t number) const {
    return invariants_->LengthWith(IdOfCommand(number)) != 0;
  }
  absl::Status Check() const { return CheckHistory(invariants_->list(), history_); }

 private:
  void Act();

  World* world_;
  const Invariants* invariants_;
  const Nodes* nodes_;
  int64_t pause_ms_ = 0;
  bool running_ = false;
  uint64_t last_number_ = 0;
  std::vector<Operation> history_;
  absl::flat_hash_map<uint64_t, size_t> append_of_;  // Number -> place in the history.
};

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_CLIENTS_H_

#include "tests/raft/sim/clients.h"

namespace raft::sim {

void Clients::Start(int64_t pause_ms) {
  pause_ms_ = pause_ms;
  running_ = true;
  Act();
}

void Clients::Act() {
  if (!running_) return;
  Node* node = world_->random.Pick(*nodes_).get();
  if (world_->random.Chance(30)) {
    Read(*node);
  } else {
    const int64_t burst = world_->random.Chance(20) ? world_->random.Between(2, 8) : 1;
    for (int64_t i = 0; i < burst; ++i) Append(node, world_->random.Chance(2));
  }
  world_->timeline.After(world_->random.Between(1, 2 * pause_ms_), [this] { Act(); });
}

uint64_t Clients::Append(Node* node, bool on_stale_state) {
  Operation operation;
  operation.kind = Operation::kAppend;
  operation.session = node->session();
  operation.invoked = world_->timeline.step();
  operation.number = ++last_number_;
  append_of_[operation.number] = history_.size();
  history_.push_back(operation);
  if (node->Propose(operation.number, on_stale_state)) return operation.number;
  Operation& refused = history_[append_of_[operation.number]];
  refused.outcome = Operation::kRefused;
  refused.answered = world_->timeline.step();
  return 0;
}

void Clients::Read(const Node& node) {
  if (!node.responsive()) return;
  Operation operation;
  operation.kind = Operation::kRead;
  operation.outcome = Operation::kDone;
  operation.session = node.session();
  operation.invoked = operation.answered = world_->timeline.step();
  operation.number = node.list().last;
  operation.length = node.list().length;
  history_.push_back(operation);
}

void Clients::Settle(const Settled& settled) {
  Operation& operation = history_[append_of_[CommandOfId(settled.eid)]];
  if (settled.outcome == Settled::kUnknown) return;
  operation.answered = world_->timeline.step();
  operation.outcome =
      settled.outcome == Settled::kCommitted ? Operation::kDone : Operation::kRefused;
  operation.length = invariants_->LengthWith(settled.eid);
}

}  // namespace raft::sim

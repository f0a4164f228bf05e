// A machine with one server: it carries out what the raft::Server asks for, as the daemon does.
#ifndef TESTS_RAFT_SIM_NODE_H_
#define TESTS_RAFT_SIM_NODE_H_

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "raft/server.h"
#include "tests/raft/sim/disk.h"
#include "tests/raft/sim/invariants.h"
#include "tests/raft/sim/list.h"
#include "tests/raft/sim/network.h"
#include "tests/raft/sim/world.h"

namespace raft::sim {

// Hears what became of commands.
class Answers {
 public:
  virtual ~Answers() = default;
  virtual void Settle(const Settled& settled) = 0;
};

class Node : public Endpoint {
 public:
  // How slow and how careful a machine is; milliseconds.
  struct Habits {
    size_t max_append_bytes = 0;
    size_t max_in_flight_bytes = 0;
    int64_t max_sync_ms = 5;
    int64_t max_turn_ms = 1;  // From an input to the taking of effects.
  };

  Node(World* world, Network* network, Invariants* invariants, Answers* answers, int number,
       Header header, const Habits& habits);

  // ---- Life and death ----

  bool up() const { return server_ != nullptr; }
  // Does nothing if its file says that it left, or that it is not of its own cluster.
  void Start();
  void Crash();
  // In the place of what it had, of a machine that is down: a file to join with.
  void LoseDisk(std::vector<std::string> remotes);
  // The process stands still, as with SIGSTOP.
  void Stall(int64_t duration_ms);
  void SetSyncFactor(int64_t factor) { sync_factor_ = factor; }
  void SetDiskFull(bool full);
  // Its disk is fast, has room and does not fail from now on.
  void HealDisk();

  // ---- What it is asked for; nothing happens if it is down or stalled ----

  // Something that people or clients want of the server.
  void Ask(absl::AnyInvocable<void(Server*)> request);
  // False: it was refused at once, or nobody is there.
  bool Propose(uint64_t number, bool on_stale_state);
  void Compact();

  // ---- State ----

  int number() const { return number_; }
  ServerId id() const { return IdOfNode(number_); }
  const std::string& name() const { return name_; }
  // Null while it is down.
  const Server* server() const { return server_.get(); }
  const Disk& disk() const { return disk_; }
  bool left() const { return disk_.durable().left; }
  // Since when it does not have again what was committed at that time.
  bool lost_disk() const { return lost_disk_; }
  // Whether it knows of that.
  bool returning() const { return disk_.durable().returning; }
  bool responsive() const { return up() && !stalled_; }
  // In which of its lives it is, different from all other lives and nodes.
  uint64_t session() const { return life_ * 100 + static_cast<uint64_t>(number_); }
  const List& list() const { return list_; }
  Index applied() const { return applied_; }
  bool has_unsettled() const { return !proposed_.empty(); }

  bool listens() const override { return up(); }
  const std::string& address() const override { return disk_.durable().local_address; }
  void Receive(const Message& message) override;
  void Connected(const std::string& address) override;

 private:
  static constexpr int kMaxIdleTicks = 5;
  static constexpr Index kNoIndex = std::numeric_limits<Index>::max();

  void Input(absl::AnyInvocable<void(Server*)> input);
  // Lets `action` happen later, in this life only.
  void Later(int64_t delay_ms, absl::AnyInvocable<void()> action);
  void ScheduleTurn();
  void Turn();
  void ScheduleTick();
  void ScheduleSync();
  void Apply(Index index);
  void Settle(const Settled& settled);
  void SendAll(std::vector<Outgoing> messages);
  void BeginInstall(Install install);
  void FinishInstall(const Install& install);
  void FinishCompaction(Index index, const List& list);
  void CheckFileStatus(const absl::Status& status);
  void Trace(const std::string& what) const { world_->Trace(name_, what); }

  World* world_;
  Network* network_;
  Invariants* invariants_;
  Answers* answers_;
  const int number_;
  const std::string name_;
  const Habits habits_;
  Disk disk_;
  bool lost_disk_ = false;
  Index lost_up_to_ = 0;
  bool disk_full_ = false;
  int64_t sync_factor_ = 1;
  double failed_install_percent_ = 10;

  // Of one life:
  std::unique_ptr<Server> server_;
  uint64_t life_ = 0;
  Invariants::Life observed_;
  List list_;
  Index applied_ = 0;
  std::deque<EntryId> proposed_;     // And not settled.
  Index unchecked_from_ = kNoIndex;  // Entries that are not synced, or were not since CheckLog().
  bool stalled_ = false;
  std::deque<absl::AnyInvocable<void(Server*)>> inbox_;  // What waits for the process to go on.
  bool turn_scheduled_ = false;
  int64_t ticked_ms_ = 0;
  int n_idle_ticks_ = 0;    // In a row.
  int64_t tick_at_ms_ = 0;  // The earliest that is scheduled; 0: none.
  bool syncing_ = false;
  bool compacting_ = false;
};

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_NODE_H_

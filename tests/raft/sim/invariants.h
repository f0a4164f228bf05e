// What must hold in a cluster at all times (Ongaro, figure 3.2), checked by an observer who sees
// everything: all servers' states, disks and messages, and every committed entry.
#ifndef TESTS_RAFT_SIM_INVARIANTS_H_
#define TESTS_RAFT_SIM_INVARIANTS_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "raft/message.h"
#include "raft/replay.h"
#include "raft/server.h"
#include "tests/raft/sim/list.h"
#include "tests/raft/sim/world.h"

namespace raft::sim {

class Invariants {
 public:
  // `first` is what the cluster begins with.
  Invariants(World* world, const SnapshotInfo& first);

  // Whether an entry is synced on the disk of `server`, or was before that disk was lost.
  using Holds = std::function<bool(const ServerId& server, Index index, Term term)>;
  void set_holds(Holds holds) { holds_ = std::move(holds); }

  // One life of a server, from start to crash.
  struct Life {
    Index checked_commit = 0;  // All up to here was compared.
    Term led_term = 0;         // The last one it was seen to lead, ...
    Index led_from = 0;        // ... and what was committed when that began.
  };

  // After each input. Election safety, leader completeness, and what is committed: the same
  // everywhere, never taken back, on the disks of a majority.
  void Observe(const Server& server, Life* life);
  // After entries from `from` on were synced. Log matching: two entries of the same index and term
  // are equal, and so are those before them.
  void CheckLog(const PersistentState& durable, Index from);
  // That memory and file tell the same.
  void CheckFile(const Server& server, const PersistentState& written);
  // Before it is sent. One vote in a term; and what it promises is synced.
  void CheckMessage(const Message& message, const PersistentState& durable);
  // That it says of its index what the entries there led to.
  void CheckSnapshot(const ServerId& server, const SnapshotInfo& snapshot);

  // State machine safety: `list` is what `server` has, all entries up to `index` applied.
  void CheckApplied(const ServerId& server, Index index, const List& list);
  // Commands. `prereq` is the state that the client saw: nothing may come between.
  void Proposed(const EntryId& eid, const EntryId& prereq);
  void CheckSettled(const ServerId& server, const Settled& settled);

  Index committed() const { return entries_.size() - 1; }
  // All numbers that were ever committed, in order.
  const std::vector<uint64_t>& list() const { return list_; }
  // Of the list with this committed command as its last; 0 if it is not committed.
  size_t LengthWith(const EntryId& eid) const;
  // The newest committed configuration and election timer.
  const Servers& servers() const { return *entries_.back().servers; }
  uint64_t election_timer_ms() const { return entries_.back().election_timer_ms; }

 private:
  // What an entry is, and what all up to it lead to.
  struct Committed {
    Entry entry;
    Term in_term = 0;  // Of the leader that committed it.
    EntryId eid;
    ServersRef servers;
    uint64_t election_timer_ms = 0;
    List list;
  };

  void CheckLeader(const Server& server);
  void CheckCommitted(const Server& server, Index index);
  void AddCommitted(const Server& server, const Entry& entry);
  void Fail(const ServerId& server, const std::string& what);

  World* world_;
  Holds holds_;
  std::vector<Committed> entries_;  // By index. Number 0 is unused, 1 is the first snapshot.
  std::vector<uint64_t> list_;
  absl::flat_hash_map<EntryId, Index> index_of_;
  std::map<Term, ServerId> leaders_;
  std::map<std::pair<ServerId, Term>, ServerId> votes_;
  absl::flat_hash_map<std::pair<Index, Term>, std::pair<Entry, Term>>
      seen_;  // And the term before.

  struct Command {
    EntryId prereq;
    Settled::Outcome outcome = Settled::kUnknown;
  };
  absl::flat_hash_map<EntryId, Command> commands_;
};

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_INVARIANTS_H_

// The replicated log in memory: what follows the newest snapshot.
#ifndef RAFT_LOG_H_
#define RAFT_LOG_H_

#include <deque>

#include "raft/types.h"

namespace raft {

// A range of indexes [first_index(), end()) on top of a snapshot that ends right before it.
class Log {
 public:
  explicit Log(SnapshotInfo snapshot) : snapshot_(std::move(snapshot)) {}

  const SnapshotInfo& snapshot() const { return snapshot_; }
  Index first_index() const { return snapshot_.index + 1; }
  Index end() const { return first_index() + entries_.size(); }
  Index last_index() const { return end() - 1; }
  Term last_term() const { return entries_.empty() ? snapshot_.term : entries_.back().term; }

  // Requires first_index() <= index < end().
  const Entry& entry(Index index) const { return entries_[index - first_index()]; }
  // Whether the term of the entry at `index` is known: it is in the log or the snapshot's last.
  bool has_term(Index index) const { return index >= snapshot_.index && index < end(); }
  Term term(Index index) const;  // Requires has_term(index).

  // The id of the newest entry with data at or before `index`. Requires has_term(index).
  EntryId eid(Index index) const;
  EntryId last_eid() const { return eid(last_index()); }
  // The configuration and the election timer that the log up to and with `index` leads to, and
  // where the former begins to hold (the snapshot's index if before the log). Requires
  // has_term(index).
  const ServersRef& servers(Index index, Index* since = nullptr) const;
  uint64_t election_timer_ms(Index index) const;

  void Append(Entry entry);
  // Drops the entries from `index` on. Requires first_index() <= index.
  void Truncate(Index index);
  // Makes `snapshot` stand for what is before and at its index. Entries behind it are kept if the
  // log has the snapshot's last entry. Returns the others: to free so many may take long.
  std::deque<Entry> Compact(SnapshotInfo snapshot);
  // Makes `snapshot` stand for all that there is, and returns that.
  std::deque<Entry> Replace(SnapshotInfo snapshot);

 private:
  // The newest of `indexes` that is at most `index`, or 0.
  static Index Newest(const std::deque<Index>& indexes, Index index);

  SnapshotInfo snapshot_;
  std::deque<Entry> entries_;
  std::deque<Index> configurations_;   // Of the entries with servers,
  std::deque<Index> election_timers_;  // and of those with an election timer.
};

}  // namespace raft

#endif  // RAFT_LOG_H_

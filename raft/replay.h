// From the records of a file to the state that a server starts from (ovsdb(5) "Clustered Format").
#ifndef RAFT_REPLAY_H_
#define RAFT_REPLAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "raft/log.h"
#include "raft/record.h"
#include "raft/types.h"

namespace raft {

// What a server must not forget.
struct PersistentState {
  ServerId server_id;
  std::string local_address;
  std::string name;
  ClusterId cluster_id;                       // Zero: not known yet.
  std::vector<std::string> remote_addresses;  // Not empty: still to join.
  Log log{SnapshotInfo()};
  Term term = 0;
  ServerId vote;  // In `term`; zero: none.
  Index commit_index = 0;
  bool left = false;  // The cluster: never to be used again.
  // It may have been a member before, and lost what it promised then (raft/return.cc).
  bool returning = false;

  bool joining() const { return !remote_addresses.empty(); }
  bool has_log() const { return log.snapshot().index != 0; }
};

// The record of a term or vote that says what `state` has promised. Its comment says what stock's
// format has no member for: that a server that has a log already is still to join, or that it
// returns. That ends with a record of the other comment.
Record PromiseRecord(const PersistentState& state);
inline constexpr absl::string_view kJoinedComment = "joined";
// What a file needs behind a header with a snapshot that ends at `index`: the entries that follow
// it, the promises, and what is committed. Requires state.log.has_term(index).
std::vector<Record> RecordsBehind(const PersistentState& state, Index index);

// Applies records in the file's order. Errors are OVSDB errors, in stock's words where it has some;
// they number the records from 1 on, as the header is record 0.
class Replay {
 public:
  explicit Replay(Header header);  // `snapshot_data` is not kept.

  // An error says which rule the record breaks; it has not been applied then. Behind a header
  // without a snapshot there is no log: only terms and votes count.
  absl::Status Apply(Record record);
  // After the last: what makes the whole unusable, such as a server that is not in its own cluster.
  absl::Status Finish() const;

  const PersistentState& state() const { return state_; }
  PersistentState Take() && { return std::move(state_); }

 private:
  void ApplyComment(absl::string_view comment);
  absl::Status ApplyEntry(EntryRecord record);
  absl::Status ApplyVote(const VoteRecord& record);
  absl::Status ApplyLeader(const LeaderRecord& record);
  absl::Status ApplyCommit(const CommitRecord& record);
  void RaiseTerm(Term term);
  absl::Status Broken(absl::string_view rule) const;  // An error about the record at hand.

  PersistentState state_;
  uint64_t n_records_ = 0;      // That Apply() was given.
  ServerId leader_;             // That a record named in state_.term, ...
  uint64_t leader_record_ = 0;  // ... and which one.
  uint64_t left_record_ = 0;
};

}  // namespace raft

#endif  // RAFT_REPLAY_H_

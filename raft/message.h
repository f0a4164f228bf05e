// What the members of a cluster say to each other: the bodies of stock's Raft RPCs.
#ifndef RAFT_MESSAGE_H_
#define RAFT_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "raft/types.h"

namespace raft {

// First on a connection, by the side that connected.
struct HelloRequest {
  std::string address;  // Where the sender listens.
};

struct AppendRequest {
  Term term = 0;
  Index prev_log_index = 0;
  Term prev_log_term = 0;
  Index leader_commit = 0;
  std::vector<Entry> log;  // From prev_log_index + 1 on; empty in a heartbeat.
};

enum class AppendResult { kOk, kInconsistency, kIoError };

struct AppendReply {
  Term term = 0;
  Index log_end = 0;  // One past the sender's newest entry.
  // Of the request that is answered:
  Index prev_log_index = 0;
  Term prev_log_term = 0;
  uint64_t n_entries = 0;
  AppendResult result = AppendResult::kOk;
};

struct VoteRequest {
  Term term = 0;
  Index last_log_index = 0;
  Term last_log_term = 0;
  bool leadership_transfer = false;  // The leader asked for it: no one is deaf to it.
  bool is_prevote = false;           // Would you vote for me?
};

struct VoteReply {
  Term term = 0;
  ServerId vote;  // Whom the sender voted for in `term`.
  bool is_prevote = false;
};

// From a server that wants in; the cluster and the receiver may not be known yet.
struct AddServerRequest {
  std::string address;
};

struct AddServerReply {
  bool success = false;
  std::vector<std::string> remote_addresses;  // Of the members that can be asked.
};

struct RemoveServerRequest {
  ServerId server;
};

struct RemoveServerReply {
  bool success = false;
  ServerId target;  // Who was to be removed, for one that asked for another; else zero.
};

struct InstallSnapshotRequest {
  Term term = 0;
  SnapshotInfo snapshot;
  Payload data;
};

struct InstallSnapshotReply {
  Term term = 0;
  Index last_index = 0;  // Of the snapshot.
  Term last_term = 0;
};

// From the leader to the follower that it wants to be its successor.
struct BecomeLeader {
  Term term = 0;
};

// From a follower to the leader: a transaction that the follower executed on the state that
// `prereq` named, and that will name its state `eid`.
struct ExecuteRequest {
  Payload data;
  EntryId prereq;
  EntryId eid;
};

// What became of a command.
enum class CommandStatus {
  kIncomplete,
  kSuccess,
  kNotLeader,
  kBadPrereq,
  kLostLeadership,
  kShutdown,
  kIoError,
  kTimeout,
};

struct ExecuteReply {
  EntryId eid;
  CommandStatus status = CommandStatus::kIncomplete;
  Index commit_index = 0;  // Of a success.
};

struct Message {
  ClusterId cluster;  // Zero: not known to the sender.
  ServerId to;        // Zero: whoever listens there.
  ServerId from;
  std::string comment;  // For people; may be empty.

  std::variant<HelloRequest, AppendRequest, AppendReply, VoteRequest, VoteReply, AddServerRequest,
               AddServerReply, RemoveServerRequest, RemoveServerReply, InstallSnapshotRequest,
               InstallSnapshotReply, BecomeLeader, ExecuteRequest, ExecuteReply>
      body;
};

// Comments that tests and people look for.
inline constexpr absl::string_view kHeartbeat = "heartbeat";  // Echoed by the reply.
// Of append replies and add requests of a server that returns without its file: it acknowledges
// only what is committed.
inline constexpr absl::string_view kReturning = "returning";
// Of an append request that wants no more than the reply, and is no leader's (raft/return.cc).
inline constexpr absl::string_view kQuestion = "what is your term?";
// In the comment of a removal that succeeded, before the leader's "term:index" of what was
// committed.
inline constexpr absl::string_view kAsOf = ", as of ";

// The wire's word: "operation still in progress", "success", ...
absl::string_view CommandStatusText(CommandStatus status);

}  // namespace raft

#endif  // RAFT_MESSAGE_H_

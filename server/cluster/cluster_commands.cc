#include "server/cluster/cluster_commands.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "raft/status.h"

namespace server {
namespace {

using base::UnixctlArgs;
using base::UnixctlReply;

constexpr size_t kMinPrefix = 4;  // Digits that name a server.

// A command on the cluster that its first argument names.
template <typename F>  // f(ClusterStorage*, args, reply)
base::Unixctl::Command OnCluster(Server* server, F f) {
  return [server, f = std::move(f)](UnixctlArgs args, UnixctlReply reply) {
    ClusterStorage* const storage = server->FindCluster(args[0]);
    if (storage == nullptr) {
      reply.Error("unknown cluster");
    } else {
      f(storage, args, std::move(reply));
    }
  };
}

void Finish(const absl::StatusOr<std::string>& answer, UnixctlReply reply) {
  if (answer.ok()) {
    reply.Text(*answer);
  } else {
    reply.Error(answer.status().message());
  }
}

void Kick(ClusterStorage* storage, UnixctlArgs args, UnixctlReply reply) {
  const std::string& wanted = args[1];
  for (const raft::ServerStatus& server : storage->raft().status(base::MonotonicMs()).servers) {
    const bool named =
        wanted.size() >= kMinPrefix && absl::StartsWithIgnoreCase(server.id.ToString(), wanted);
    if (named || server.address == wanted) {
      Finish(storage->Kick(server.id), std::move(reply));
      return;
    }
  }
  reply.Error("unknown server");
}

void SetBacklogThreshold(ClusterStorage* storage, UnixctlArgs args, UnixctlReply reply) {
  int64_t messages = 0;
  int64_t bytes = 0;
  if (!absl::SimpleAtoi(args[1], &messages) || !absl::SimpleAtoi(args[2], &bytes)) {
    reply.Error("invalid argument");
  } else if (messages < static_cast<int64_t>(Peer::kMinBacklogMessages) || bytes < 0) {
    reply.Error("values out of range");
  } else {
    storage->SetBacklogLimit({static_cast<size_t>(messages), static_cast<size_t>(bytes)});
    reply.Text("");
  }
}

void EngageFailureTest(Server* server, UnixctlArgs args, UnixctlReply reply) {
  const std::optional<FailureTest::Scenario> scenario = FailureTest::Named(args[0]);
  if (!scenario) {
    reply.Error("unknown test scenario");
    return;
  }
  server->ForEachCluster([&](ClusterStorage& storage) { storage.EngageFailureTest(*scenario); });
  reply.Text(*scenario == FailureTest::kNone ? "test dismissed" : "test engaged");
}

void ChangeElectionTimer(ClusterStorage* storage, UnixctlArgs args, UnixctlReply reply) {
  uint64_t timer_ms = 0;
  if (!absl::SimpleAtoi(args[1], &timer_ms)) timer_ms = 0;
  Finish(storage->ChangeElectionTimer(timer_ms), std::move(reply));
}

// ---- cluster/status ----

absl::string_view PhaseText(raft::Phase phase) {
  switch (phase) {
    case raft::Phase::kStable:
      break;
    case raft::Phase::kCatchup:
      return "adding: catchup";
    case raft::Phase::kCaughtUp:
      return "adding: caught up";
    case raft::Phase::kCommitting:
      return "adding: committing";
    case raft::Phase::kRemoving:
      return "removing";
  }
  return "stable";
}

// Servers by the names that people use.
class Names {
 public:
  Names(const raft::ServerId& self, const raft::Status& status) : self_(self), status_(status) {}

  std::string Of(const raft::ServerId& id) const {
    for (const raft::ServerStatus& server : status_.servers) {
      if (server.id == id) return raft::Nickname(server.address, id);
    }
    return id.Short(4);
  }
  // At the other end of a connection, which may not have said anything yet.
  std::string At(const Peers::Connection& connection) const {
    for (const raft::ServerStatus& server : status_.servers) {
      if (server.address == connection.address) return raft::Nickname(server.address, server.id);
    }
    return connection.id.is_zero() ? "0000" : Of(connection.id);
  }
  std::string OrSelf(const raft::ServerId& id) const {
    if (id.is_zero()) return "unknown";
    return id == self_ ? "self" : Of(id);
  }

 private:
  const raft::ServerId self_;
  const raft::Status& status_;
};

std::string ServerLine(const raft::ServerStatus& server, const raft::Status& status,
                       const Names& names) {
  std::string line = absl::StrCat("    ", raft::Nickname(server.address, server.id), " (",
                                  server.id.Short(4), " at ", server.address, ")");
  if (server.self) line += " (self)";
  if (server.phase != raft::Phase::kStable) {
    absl::StrAppend(&line, " (", PhaseText(server.phase), ")");
  }
  if (status.role == raft::Role::kCandidate && !server.voted_for.is_zero()) {
    absl::StrAppend(&line, " (voted for ", names.Of(server.voted_for), ")");
  }
  if (status.role == raft::Role::kLeader) {
    absl::StrAppend(&line, " next_index=", server.next_index, " match_index=", server.match_index);
  }
  if (server.last_message_ms) {
    absl::StrAppend(&line, " last msg ", *server.last_message_ms, " ms ago");
  }
  return line + "\n";
}

std::string Connections(const ClusterStorage& storage, const Names& names) {
  std::string text;
  for (const Peers::Connection& connection : storage.peers().connections()) {
    const std::string arrow = absl::StrCat(connection.incoming ? "<-" : "->", names.At(connection));
    absl::StrAppend(&text, " ", connection.connected ? arrow : absl::StrCat("(", arrow, ")"));
  }
  return text;
}

}  // namespace

absl::string_view MembershipText(const raft::Status& status) {
  switch (status.membership) {
    case raft::Membership::kJoining:
      return "joining cluster";
    case raft::Membership::kLeaving:
      return "leaving cluster";
    case raft::Membership::kLeft:
      return "left cluster";
    case raft::Membership::kMember:
      break;
  }
  if (status.failed) return "failed";
  return status.disconnected ? "disconnected from the cluster (election timeout)"
                             : "cluster member";
}

absl::string_view RoleText(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return "follower";
    case raft::Role::kCandidate:
      return "candidate";
    case raft::Role::kLeader:
      break;
  }
  return "leader";
}

std::string ClusterStatusText(const ClusterStorage& storage) {
  const raft::Server& server = storage.raft();
  const raft::Status status = server.status(base::MonotonicMs());
  const raft::PersistentState& state = server.state();
  const Names names(server.id(), status);
  const auto id = [](const ovsdb::Uuid& uuid) {
    return absl::StrCat(uuid.Short(4), " (", uuid.ToString(), ")");
  };

  std::string text = absl::StrCat(
      raft::Nickname(state.local_address, server.id()), "\nName: ", state.name,
      "\nCluster ID: ", state.cluster_id.is_zero() ? "not yet known" : id(state.cluster_id),
      "\nServer ID: ", id(server.id()), "\nAddress: ", state.local_address,
      "\nStatus: ", MembershipText(status), "\n");
  if (status.membership == raft::Membership::kJoining) {
    absl::StrAppend(&text, "Remotes for joining: ", absl::StrJoin(status.remote_addresses, " "),
                    "\n");
  }
  if (status.role == raft::Role::kLeader) {
    for (const raft::ServerStatus& adding : status.adding) {
      absl::StrAppend(&text, "Adding server ", raft::Nickname(adding.address, adding.id), " (",
                      adding.id.Short(4), " at ", adding.address, ") (", PhaseText(adding.phase),
                      ")\n");
    }
    for (const raft::ServerStatus& removing : status.removing) {
      absl::StrAppend(&text, "Removing server ", raft::Nickname(removing.address, removing.id),
                      " (", removing.id.Short(4), " at ", removing.address, ") (",
                      PhaseText(removing.phase), ")\n");
    }
  }
  absl::StrAppend(&text, "Role: ", RoleText(status.role), "\nTerm: ", status.term,
                  "\nLeader: ", names.OrSelf(status.leader), "\nVote: ", names.OrSelf(status.vote),
                  "\n\n");
  if (status.election_started_ms) {
    absl::StrAppend(
        &text, "Last Election started ", *status.election_started_ms,
        " ms ago, reason: ", status.election_by_transfer ? "leadership_transfer" : "timeout", "\n");
  }
  if (status.election_won_ms) {
    absl::StrAppend(&text, "Last Election won: ", *status.election_won_ms, " ms ago\n");
  }
  absl::StrAppend(&text, "Election timer: ", status.election_timer_ms);
  if (status.election_timer_pending_ms != 0) {
    absl::StrAppend(&text, " (changing to ", status.election_timer_pending_ms, ")");
  }
  absl::StrAppend(&text, "\nLog: [", status.log_start, ", ", status.log_end,
                  "]\nEntries not yet committed: ", status.log_end - 1 - status.commit_index,
                  "\nEntries not yet applied: ", status.log_end - 1 - storage.applied_index(),
                  "\nConnections:", Connections(storage, names),
                  "\nDisconnections: ", storage.peers().n_disconnections(), "\nServers:\n");
  for (const raft::ServerStatus& member : status.servers) {
    text += ServerLine(member, status, names);
  }
  return text;
}

void RegisterClusterCommands(base::Unixctl* unixctl, Server* server) {
  unixctl->Register("cluster/cid", "DB", 1, 1,
                    OnCluster(server, [](ClusterStorage* storage, UnixctlArgs, UnixctlReply reply) {
                      const raft::ClusterId& id = storage->raft().cluster_id();
                      if (id.is_zero()) {
                        reply.Error("cluster id not yet known");
                      } else {
                        reply.Text(id.ToString());
                      }
                    }));
  unixctl->Register("cluster/sid", "DB", 1, 1,
                    OnCluster(server, [](ClusterStorage* storage, UnixctlArgs, UnixctlReply reply) {
                      reply.Text(storage->raft().id().ToString());
                    }));
  unixctl->Register("cluster/status", "DB", 1, 1,
                    OnCluster(server, [](ClusterStorage* storage, UnixctlArgs, UnixctlReply reply) {
                      reply.Text(ClusterStatusText(*storage));
                    }));
  unixctl->Register("cluster/leave", "DB", 1, 1,
                    OnCluster(server, [](ClusterStorage* storage, UnixctlArgs, UnixctlReply reply) {
                      const absl::Status status = storage->Leave();
                      if (status.ok()) {
                        reply.Text("");
                      } else {
                        reply.Error(status.message());
                      }
                    }));
  unixctl->Register("cluster/kick", "DB SERVER", 2, 2, OnCluster(server, Kick));
  unixctl->Register("cluster/change-election-timer", "DB TIME", 2, 2,
                    OnCluster(server, ChangeElectionTimer));
  unixctl->Register("cluster/set-backlog-threshold", "DB N_MSGS N_BYTES", 3, 3,
                    OnCluster(server, SetBacklogThreshold));
  unixctl->Register("cluster/failure-test", "FAILURE SCENARIO", 1, 1,
                    [server](UnixctlArgs args, UnixctlReply reply) {
                      EngageFailureTest(server, args, std::move(reply));
                    });
}

}  // namespace server

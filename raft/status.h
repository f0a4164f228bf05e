// What a server tells about itself, for cluster/status and `_Server`.
#ifndef RAFT_STATUS_H_
#define RAFT_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "raft/types.h"

namespace raft {

enum class Role { kFollower, kCandidate, kLeader };

// Where a server is on its way in or out of the configuration, as the leader sees it.
enum class Phase { kStable, kCatchup, kCaughtUp, kCommitting, kRemoving };

enum class Membership { kJoining, kMember, kLeaving, kLeft };

struct ServerStatus {
  ServerId id;
  std::string address;
  Phase phase = Phase::kStable;
  bool self = false;
  ServerId voted_for;    // On a candidate: what it answered; zero: nothing yet.
  Index next_index = 0;  // These on a leader.
  Index match_index = 0;
  std::optional<int64_t> last_message_ms;  // How long ago.
};

struct Status {
  Membership membership = Membership::kMember;
  bool failed = false;        // Its disk takes nothing.
  bool disconnected = false;  // No leader for longer than the election timer.
  Role role = Role::kFollower;
  Term term = 0;
  ServerId leader;                             // Zero: unknown.
  ServerId vote;                               // Zero: none.
  std::optional<int64_t> election_started_ms;  // How long ago, if it started one.
  bool election_by_transfer = false;
  std::optional<int64_t> election_won_ms;
  uint64_t election_timer_ms = 0;
  uint64_t election_timer_pending_ms = 0;  // 0: no change under way.
  Index log_start = 0;
  Index log_end = 0;
  Index commit_index = 0;
  std::vector<ServerStatus> servers;  // Of the configuration, by id.
  std::vector<ServerStatus> adding;   // On a leader.
  std::vector<ServerStatus> removing;
  std::vector<std::string> remote_addresses;  // While joining.
};

// How people call a server: by the first digits of its id, or, where it listens on a unix socket,
// by the name of that without its suffix.
std::string Nickname(const std::string& address, const ServerId& id);

}  // namespace raft

#endif  // RAFT_STATUS_H_

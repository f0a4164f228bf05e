// Who belongs to the cluster: joining, leaving, and the leader's part in both, one server at a time
// (Raft section 4.1). Also what two servers say first to each other.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "raft/planted_bugs.h"
#include "raft/server.h"

namespace raft {

namespace {

constexpr int64_t kAskAgainMs = 1000;
constexpr size_t kMaxJoining = 32;     // At a time.
constexpr size_t kMaxAddresses = 100;  // That a joining server learns of.

}  // namespace

// ---- Coming and going ----

void Server::TickMembership() {
  if (membership_ == Membership::kMember || now_ms_ < membership_tick_ms_) return;
  membership_tick_ms_ = now_ms_ + kAskAgainMs;
  if (membership_ == Membership::kJoining) {
    for (const std::string& address : peer_addresses()) {
      SendToAddress(address, AddServerRequest{state_.local_address});
    }
  } else if (role_ == Role::kLeader) {
    // Nobody took over: then it removes itself.
    RequestRemoval(id(), id());
  } else {
    for (const auto& [id, peer] : peers_) Send(id, RemoveServerRequest{state_.server_id});
  }
}

void Server::Join() {
  membership_ = Membership::kMember;
  state_.remote_addresses.clear();
  effects_.peers_changed = true;
  Say(LogLine::kInfo, "finished joining the cluster");
  ArmElectionTimer();
}

void Server::Leave(absl::string_view reason) {
  if (membership_ == Membership::kLeft) return;
  Say(LogLine::kInfo, absl::StrCat("left the cluster: ", reason));
  Write({NoteRecord{Note::kLeft}, {}});
  state_.left = true;
  membership_ = Membership::kLeft;
  SetLeader({});
  BecomeFollower();
  SettleAll(Settled::kUnknown);
  effects_.peers_changed = true;
}

absl::Status Server::Leave() {
  switch (membership_) {
    case Membership::kJoining:
      return absl::FailedPreconditionError("can't leave while join in progress");
    case Membership::kFailed:
      return absl::FailedPreconditionError("can't leave after failure");
    case Membership::kLeaving:
    case Membership::kLeft:
      return absl::FailedPreconditionError("already in progress leaving cluster");
    case Membership::kMember:
      break;
  }
  const Servers& committed = *log().servers(commit_index());
  if (is_member() && servers().size() == 1 && committed.size() == 1) {
    Leave("it was the only server");
    return absl::OkStatus();
  }
  Say(LogLine::kInfo, "starting to leave cluster");
  membership_ = Membership::kLeaving;
  TransferLeadership("this server is leaving the cluster");
  // As a leader it gives its successor time to take over.
  membership_tick_ms_ = now_ms_ + (role_ == Role::kLeader ? election_timer_ms() : 0);
  TickMembership();
  return absl::OkStatus();
}

absl::StatusOr<std::string> Server::Kick(const ServerId& server) {
  if (servers().count(server) == 0) return absl::NotFoundError("unknown server");
  if (role_ == Role::kLeader) {
    RequestRemoval(server, id());
    return "started removal";
  }
  for (const auto& [id, peer] : peers_) {
    if (leader_.is_zero() || leader_ == id) Send(id, RemoveServerRequest{server});
  }
  return "sent removal request to leader";
}

absl::StatusOr<std::string> Server::ChangeElectionTimer(uint64_t timer_ms) {
  if (role_ != Role::kLeader) {
    return absl::FailedPreconditionError("election timer must be changed through leader.");
  }
  if (timer_ms < kMinElectionTimerMs || timer_ms > kMaxElectionTimerMs) {
    return absl::InvalidArgumentError(absl::StrCat("election timer must be between ",
                                                   kMinElectionTimerMs, " and ",
                                                   kMaxElectionTimerMs, ", in msec."));
  }
  if (log().election_timer_ms(log().last_index()) != election_timer_ms_) {
    return absl::FailedPreconditionError("election timer change pending.");
  }
  if (timer_ms == election_timer_ms_) return "change election timer to current value.";
  // A cluster whose messages take longer than half its timer would not survive more at a time.
  if (timer_ms > election_timer_ms_ * 2) {
    return absl::InvalidArgumentError(
        "election timer increase should not exceed the current value x 2.");
  }
  Entry entry;
  entry.term = term();
  entry.election_timer_ms = timer_ms;
  AppendEntry(std::move(entry));
  return "change of election timer initiated.";
}

// ---- The leader ----

// Begins the next change, if the last one is committed and the leader knows that it still leads.
void Server::Reconfigure() {
  if (commit_index() < term_start_) return;
  Index since = 0;
  log().servers(log().last_index(), &since);
  if (since > commit_index()) return;
  for (auto& [id, peer] : peers_) {
    if (peer.member || peer.phase != Phase::kCaughtUp) continue;
    peer.phase = Phase::kCommitting;
    Servers members = servers();
    members[id] = peer.address;
    AppendConfiguration(std::move(members));
    return;
  }
  while (!removals_.empty()) {
    const ServerId server = removals_.begin()->first;
    Servers members = servers();
    if (members.erase(server) == 0) {
      AnswerRemoval(server, true, "already not in cluster");
    } else if (members.empty()) {
      AnswerRemoval(server, false, "empty configuration");
    } else {
      AppendConfiguration(std::move(members));
      return;
    }
  }
}

void Server::AppendConfiguration(Servers servers) {
  Entry entry;
  entry.term = term();
  entry.servers = std::make_shared<const Servers>(std::move(servers));
  AppendEntry(std::move(entry));
}

void Server::ConfigurationCommitted() {
  const ServersRef members = log().servers(commit_index());
  if (role_ == Role::kLeader) {
    for (auto& [id, peer] : peers_) {
      if (peer.phase != Phase::kCommitting || members->count(id) == 0) continue;
      peer.phase = Phase::kStable;
      SendAddReply(id, true, "operation completed");
    }
    for (auto it = removals_.begin(); it != removals_.end();) {
      const ServerId server = (it++)->first;
      if (members->count(server) == 0) AnswerRemoval(server, true, "operation completed");
    }
  }
  // A newcomer waits for the leader's word: it may come back under an old id, and read of its own
  // comings and goings in the log.
  if (membership_ != Membership::kJoining && members->count(id()) == 0 && !is_member()) {
    Leave("the configuration of the cluster is without this server");
  }
}

void Server::RequestRemoval(const ServerId& server, const ServerId& requester) {
  std::vector<ServerId>& requesters = removals_[server];
  if (std::find(requesters.begin(), requesters.end(), requester) == requesters.end()) {
    requesters.push_back(requester);
  }
}

// Tells who is concerned what became of the removal of `server`, and forgets it.
void Server::AnswerRemoval(const ServerId& server, bool success, absl::string_view comment) {
  std::vector<ServerId> requesters = std::move(removals_[server]);
  removals_.erase(server);
  if (success && std::find(requesters.begin(), requesters.end(), server) == requesters.end()) {
    requesters.push_back(server);
  }
  for (const ServerId& requester : requesters) {
    if (requester != id()) SendRemoveReply(requester, server, success, comment);
  }
}

// This leader leads no more: who is to come or go asks the next one.
void Server::AbandonChanges() {
  for (auto& [id, peer] : peers_) {
    if (!peer.member) SendAddReply(id, false, "lost leadership");
    peer.phase = Phase::kStable;
  }
  while (!removals_.empty()) AnswerRemoval(removals_.begin()->first, false, "lost leadership");
  RefreshPeers();
}

void Server::SendAddReply(const ServerId& to, bool success, absl::string_view comment) {
  AddServerReply reply;
  reply.success = success;
  for (const auto& [id, address] : servers()) {
    if (id != to) reply.remote_addresses.push_back(address);
  }
  Send(to, std::move(reply), 0, comment);
}

void Server::SendRemoveReply(const ServerId& to, const ServerId& target, bool success,
                             absl::string_view comment) {
  Send(to, RemoveServerReply{success, to == target ? ServerId() : target}, 0, comment);
}

// ---- What others say ----

void Server::On(const Message& message, const HelloRequest& request) {
  const auto it = peers_.find(message.from);
  if (it == peers_.end()) return;
  // What was on its way over an older connection may be lost.
  it->second.installing = 0;
  if (role_ == Role::kLeader) Rewind(&it->second, it->second.match_index + 1);
}

void Server::On(const Message& message, const AddServerRequest& request) {
  if (role_ != Role::kLeader) {
    SendAddReply(message.from, false, "not leader");
    return;
  }
  if (servers().count(message.from) != 0) {
    // Not before that is committed: it could be taken back. And not before it knows.
    Index since = 0;
    const auto known = peers_.find(message.from);
    if (known != peers_.end() && log().servers(commit_index(), &since)->count(message.from) != 0 &&
        known->second.match_index >= since) {
      SendAddReply(message.from, true, "already in cluster");
    }
    return;
  }
  const auto n_joining = std::count_if(peers_.begin(), peers_.end(),
                                       [](const auto& peer) { return !peer.second.member; });
  const auto [it, is_new] = peers_.try_emplace(message.from);
  Peer& peer = it->second;
  if (!is_new) return;
  if (static_cast<size_t>(n_joining) >= kMaxJoining) {
    peers_.erase(it);
    SendAddReply(message.from, false, "another operation in progress");
    return;
  }
  Say(LogLine::kInfo, absl::StrCat("starting to add server ", Name(message.from), " (",
                                   request.address, ") to cluster"));
  peer.address = request.address;
  peer.phase = Phase::kCatchup;
  peer.heard_ms = now_ms_;
  Rewind(&peer, log().end());
  effects_.peers_changed = true;
}

void Server::On(const Message& message, const AddServerReply& reply) {
  if (membership_ != Membership::kJoining) return;
  if (reply.success && is_member()) {
    Join();
    return;
  }
  for (const std::string& address : reply.remote_addresses) {
    std::vector<std::string>& known = state_.remote_addresses;
    if (known.size() < kMaxAddresses && address != state_.local_address &&
        std::find(known.begin(), known.end(), address) == known.end()) {
      known.push_back(address);
      effects_.peers_changed = true;
    }
  }
}

void Server::On(const Message& message, const RemoveServerRequest& request) {
  if (role_ != Role::kLeader) {
    SendRemoveReply(message.from, request.server, false, "not leader");
  } else {
    // Also of one that is not in the newest configuration: it is answered when that is committed.
    RequestRemoval(request.server, message.from);
  }
}

void Server::On(const Message& message, const RemoveServerReply& reply) {
  if (!reply.success || (!reply.target.is_zero() && reply.target != id())) return;
  if (membership_ == Membership::kMember || membership_ == Membership::kLeaving) {
    Leave("the cluster removed this server");
  }
}

}  // namespace raft

// Who belongs to the cluster: joining, leaving, and the leader's part in both, one server at a time
// (Raft section 4.1). Also what two servers say first to each other.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "raft/planted_bugs.h"
#include "raft/server.h"

namespace raft {

namespace {

constexpr int64_t kAskAgainMs = 1000;
constexpr int64_t kWarnAgainMs = 60'000;
constexpr size_t kMaxJoining = 32;     // At a time.
constexpr size_t kMaxAddresses = 100;  // That a joining server learns of.

// "term:index", from the comment of a reply. Nothing: it is of stock, which does not say.
std::optional<std::pair<Term, Index>> ReadAsOf(absl::string_view comment) {
  const std::vector<std::string> parts = absl::StrSplit(comment, kAsOf);
  const std::vector<std::string> numbers = absl::StrSplit(parts.back(), ':');
  std::pair<Term, Index> as_of;
  if (parts.size() != 2 || numbers.size() != 2 || !absl::SimpleAtoi(numbers[0], &as_of.first) ||
      !absl::SimpleAtoi(numbers[1], &as_of.second)) {
    return std::nullopt;
  }
  return as_of;
}

}  // namespace

// ---- Coming and going ----

void Server::TickMembership() {
  if (membership_ == Membership::kMember || now_ms_ < membership_tick_ms_) return;
  membership_tick_ms_ = now_ms_ + kAskAgainMs;
  if (membership_ == Membership::kJoining) {
    for (const std::string& address : peer_addresses()) AskToJoin(address);
    AskForTerms();
  } else if (IsAlone()) {
    Say(LogLine::kWarning, "all others left the cluster: this server stays");
    membership_ = Membership::kMember;
  } else if (role_ == Role::kLeader) {
    TransferLeadership("this server is leaving the cluster");
  } else {
    for (const auto& [id, peer] : peers_) Send(id, RemoveServerRequest{state_.server_id});
  }
}

void Server::AskToJoin(const std::string& address) {
  SendToAddress(address, AddServerRequest{state_.local_address},
                returning() ? kReturning : absl::string_view());
}

void Server::Join() {
  membership_ = Membership::kMember;
  state_.remote_addresses.clear();
  state_.returning = false;
  Record joined = PromiseRecord(state_);
  joined.comment = std::string(kJoinedComment);
  promise_record_ = Write(std::move(joined));
  effects_.peers_changed = true;
  Say(LogLine::kInfo, "finished joining the cluster");
  ArmElectionTimer();
}

void Server::Leave(absl::string_view reason) {
  if (membership_ == Membership::kLeft) return;
  Say(LogLine::kInfo, absl::StrCat("left the cluster: ", reason));
  Write({NoteRecord{Note::kLeft}, "this server left the cluster"});  // As stock writes it.
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
    case Membership::kLeaving:
    case Membership::kLeft:
      return absl::FailedPreconditionError("already in progress leaving cluster");
    case Membership::kMember:
      break;
  }
  if (IsAlone()) {
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
    if (server == id() && IsAlone()) {
      return absl::FailedPreconditionError("the only server can't be removed, but may leave");
    }
    RequestRemoval(server, id());
    return "started removal";
  }
  if (leader_.is_zero()) return absl::UnavailableError("failed to send removal request");
  Send(leader_, RemoveServerRequest{server});
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
    if (peer.member || peer.phase != Phase::kCaughtUp || peer.returning) continue;
    peer.phase = Phase::kCommitting;
    Servers members = servers();
    members[id] = peer.address;
    AppendConfiguration(std::move(members));
    return;
  }
  for (auto it = removals_.begin(); it != removals_.end();) {
    const ServerId server = it->first;
    const Removal& removal = (it++)->second;
    if (removal.is_of_predecessor && IsAlive(server, removal)) {
      Say(LogLine::kWarning,
          absl::StrCat("server ", Name(server), " (", server.ToString(),
                       ") is alive, but another server joined at its address: one of them names a "
                       "wrong one"));
      removals_.erase(server);
      continue;
    }
    Servers members = servers();
    if (members.erase(server) == 0) {
      AnswerRemoval(server, true, "already not in cluster");
    } else if (CanSpare(server, removal.since_ms) && !IsToWait(removal)) {
      if (removal.is_of_predecessor) {
        Say(LogLine::kWarning, absl::StrCat("server ", Name(server), " (", server.ToString(),
                                            ") does not answer, and another server joined at its "
                                            "address: that takes its place"));
      }
      AppendConfiguration(std::move(members));
      return;
    }
  }
}

// Whether those who would stay can go on by themselves, by what they said since the removal was
// asked for: it takes effect at once, and only a majority of them can commit or undo it.
bool Server::CanSpare(const ServerId& server, int64_t since_ms) const {
  size_t n_staying = is_member() ? 1 : 0;
  for (const auto& [id, peer] : peers_) {
    if (!peer.member || id == server || peer.returning) continue;
    n_staying += HasAnsweredSince(peer, since_ms) ? 1 : 0;
  }
  return n_staying > (servers().size() - 1) / 2;
}

bool Server::HasAnsweredSince(const Peer& peer, int64_t since_ms) const {
  const int64_t on_its_way_ms = election_timer_ms() / 3;  // So old an answer may be.
  return peer.answered_ms > since_ms + on_its_way_ms;
}

bool Server::IsAlone() const {
  return is_member() && servers().size() == 1 && log().servers(commit_index())->size() == 1;
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
      ReplacePredecessors(id, peer.address);
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
  if (server == id()) {
    RequestOwnRemoval(requester);
    return;
  }
  const auto [removal, is_new] = removals_.try_emplace(server);
  if (is_new) removal->second.since_ms = now_ms_;
  removal->second.is_of_predecessor = false;
  std::vector<ServerId>& requesters = removal->second.requesters;
  if (std::find(requesters.begin(), requesters.end(), requester) == requesters.end()) {
    requesters.push_back(requester);
  }
}

// A leader that took itself out of the configuration would lead a cluster that it does not belong
// to: it hands over, and asks its successor.
void Server::RequestOwnRemoval(const ServerId& requester) {
  if (IsAlone()) {
    if (requester != id()) SendRemoveReply(requester, id(), false, "empty configuration");
  } else if (membership_ == Membership::kMember) {
    Leave().IgnoreError();
  }
}

// Who was at the address of a server that just joined, and lost its file perhaps, will never answer
// there again. It would count for the majority all the same, until somebody thought of it.
void Server::ReplacePredecessors(const ServerId& joined, const std::string& address) {
  for (const auto& [id, peer] : peers_) {
    if (!peer.member || id == joined || peer.address != address) continue;
    const auto [removal, is_new] = removals_.try_emplace(id);
    if (!is_new) continue;
    removal->second.since_ms = now_ms_;
    removal->second.is_of_predecessor = true;
  }
}

// Whether that member still has time to show that it is alive.
bool Server::IsToWait(const Removal& removal) const {
  return removal.is_of_predecessor && now_ms_ < removal.since_ms + election_timer_ms();
}

// Whether it has: then two members name one address, and people have to look into it.
bool Server::IsAlive(const ServerId& predecessor, const Removal& removal) const {
  const auto peer = peers_.find(predecessor);
  return peer != peers_.end() && HasAnsweredSince(peer->second, removal.since_ms);
}

// Tells who is concerned what became of the removal of `server` (a copy: the caller's may be the
// key of what is forgotten), and forgets it.
void Server::AnswerRemoval(ServerId server, bool success, absl::string_view comment) {
  std::vector<ServerId> requesters = std::move(removals_[server].requesters);
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
  Send(to, RemoveServerReply{success, to == target ? ServerId() : target}, 0,
       success ? absl::StrCat(comment, kAsOf, term(), ":", commit_index()) : std::string(comment));
}

// ---- What others say ----

// Two servers with one id, one of them perhaps started from a copy of the other's file, are a
// danger that only people can avert.
void Server::NoteAddress(const ServerId& server, const std::string& address) {
  const auto peer = peers_.find(server);
  if (peer == peers_.end() || peer->second.address == address) return;
  Say(LogLine::kWarning,
      absl::StrCat("server ", Name(server), " (", server.ToString(), ") says that it listens at ",
                   address, ", but in the configuration of the cluster it is at ",
                   peer->second.address, ": it has moved, or two servers use one ID"));
}

// A follower that answers has no reason to look for another leader.
void Server::NoteRival(const ServerId& candidate) {
  const auto it = peers_.find(candidate);
  if (it == peers_.end()) return;
  Peer& peer = it->second;
  if (peer.answered_ms == 0 || now_ms_ - peer.answered_ms >= election_timer_ms() / 2) return;
  if (peer.rival_ms && now_ms_ - *peer.rival_ms < kWarnAgainMs) return;
  peer.rival_ms = now_ms_;
  Say(LogLine::kWarning,
      absl::StrCat("ignoring vote request received as leader from server ", Name(candidate), " (",
                   candidate.ToString(), "), which follows this one: two servers may use one ID"));
}

void Server::On(const Message& message, const HelloRequest& request) {
  NoteAddress(message.from, request.address);
  const auto it = peers_.find(message.from);
  if (it == peers_.end()) return;
  Reconnect(&it->second);
}

void Server::On(const Message& message, const AddServerRequest& request) {
  if (role_ != Role::kLeader) {
    SendAddReply(message.from, false, "not leader");
    return;
  }
  if (servers().count(message.from) != 0) {
    NoteAddress(message.from, request.address);
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
  // It could not acknowledge its own configuration yet; or it finds out that it is a member or was
  // removed, and does not ask again.
  peer.returning = absl::StrContains(message.comment, kReturning);
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
  if (reply.success && is_member() && !returning()) {
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

// Whether this server came back after it had been found missing in what was committed then: that
// news was late. What it has from the same or a newer leader at a later place is newer; what it has
// from an older one, the sender had, or it never counted.
bool Server::IsInSince(const std::optional<std::pair<Term, Index>>& as_of) const {
  if (!as_of || !is_member()) return false;
  Index since = 0;
  log().servers(log().last_index(), &since);
  return std::pair(log().term(since), since) > *as_of;
}

void Server::On(const Message& message, const RemoveServerReply& reply) {
  if (!reply.success || (!reply.target.is_zero() && reply.target != id())) return;
  if (IsInSince(ReadAsOf(message.comment))) return;
  if (membership_ == Membership::kMember || membership_ == Membership::kLeaving) {
    Leave("the cluster removed this server");
  }
}

}  // namespace raft

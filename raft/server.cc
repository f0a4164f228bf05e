#include "raft/server.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "raft/planted_bugs.h"

namespace raft {

Server::Server(PersistentState state, const Options& options, int64_t now_ms)
    : options_(options),
      state_(std::move(state)),
      random_(options.seed),
      now_ms_(now_ms),
      election_timer_ms_(state_.log.election_timer_ms(state_.commit_index)),
      membership_tick_ms_(now_ms) {
  if (state_.left) {
    membership_ = Membership::kLeft;
  } else if (state_.joining()) {
    membership_ = Membership::kJoining;
  }
  effects_.commit_index = state_.commit_index;
  RefreshPeers();
  ArmElectionTimer();
  // Nobody to wait for.
  if (membership_ == Membership::kMember && is_member() && servers().size() == 1) {
    StartElection(/*prevote=*/false, /*transfer=*/false);
  }
}

void Server::Tick(int64_t now_ms) {
  if (membership_ == Membership::kLeft) return;
  // If it slept for longer than it asked for, the news that came meanwhile is still to be read:
  // nobody is judged by time that this server did not live through.
  const int64_t overslept = now_ms - std::max(now_ms_, next_tick_ms());
  now_ms_ = std::max(now_ms_, now_ms);
  if (overslept > election_timer_ms() / 2) {
    ArmElectionTimer();
    majority_check_ms_ = now_ms_ + election_timer_ms();
  }
  if (role_ == Role::kLeader) {
    if (now_ms_ >= majority_check_ms_) {
      if (!HeardFromMajority()) {
        Say(LogLine::kInfo, absl::StrCat("term ", term(),
                                         ": lost contact with a majority of the cluster; "
                                         "leader steps down"));
        SetLeader({});
        BecomeFollower();
      } else {
        majority_check_ms_ = now_ms_ + election_timer_ms() / 4;
      }
    }
  } else if (now_ms_ >= election_at_ms_) {
    OnElectionTimeout();
  }
  TickTurns();
  TickInstall();
  Dispatch();
  TickMembership();
}

int64_t Server::next_tick_ms() const {
  if (membership_ == Membership::kLeft) return std::numeric_limits<int64_t>::max();
  int64_t next = election_at_ms_;
  if (role_ == Role::kLeader) {
    next = majority_check_ms_;
    if (turn_) next = std::min(next, turn_->until_ms);
    if (!turn_ && !late_.empty()) next = std::min(next, next_turn_ms_);
    for (const auto& [id, peer] : peers_) {
      if (!peer.member && peer.phase == Phase::kStable) continue;
      next = std::min(next, peer.sent_ms + election_timer_ms() / 3);
    }
  } else if (!leader_.is_zero()) {
    next = std::min(next, DispatchAgainMs());
  }
  if (ask_again_ms_ && disk_.ok()) next = std::min(next, *ask_again_ms_);
  if (membership_ != Membership::kMember) next = std::min(next, membership_tick_ms_);
  return next;
}

void Server::Receive(const Message& message) {
  if (membership_ == Membership::kLeft) return;
  if (state_.cluster_id.is_zero()) state_.cluster_id = message.cluster;
  if (auto peer = peers_.find(message.from); peer != peers_.end()) peer->second.heard_ms = now_ms_;
  std::visit([&](const auto& body) { On(message, body); }, message.body);
}

void Server::Connected(const std::string& address) {
  for (auto& [id, peer] : peers_) {
    if (peer.address != address) continue;
    Reconnect(&peer);
  }
  if (membership_ == Membership::kJoining) {
    AskToJoin(address);
  } else {
    SendToAddress(address, HelloRequest{state_.local_address});
    if (membership_ == Membership::kLeaving) SendToAddress(address, RemoveServerRequest{id()});
  }
}

void Server::Persisted(uint64_t record) {
  persisted_record_ = std::max(persisted_record_, std::min(record, last_record_));
  while (!unsynced_.empty() && unsynced_.front().second <= persisted_record_) unsynced_.pop_front();
  const auto end = held_.upper_bound(persisted_record_);
  for (auto it = held_.begin(); it != end; ++it) effects_.messages.push_back(std::move(it->second));
  held_.erase(held_.begin(), end);
  if (role_ == Role::kCandidate) CountVotes();
  if (role_ == Role::kLeader) AdvanceCommit();
  TryToReturn();
}

void Server::SetDiskStatus(const absl::Status& status) {
  disk_ = status;
  if (!disk_.ok() && role_ == Role::kLeader) {
    Say(LogLine::kWarning,
        absl::StrCat("term ", term(), ": steps down, for it cannot write: ", disk_.message()));
    TransferLeadership("disk failure");
    SetLeader({});
    BecomeFollower();
  }
}

Effects Server::TakeEffects() {
  if (role_ == Role::kLeader) {
    Reconfigure();
    AdvanceCommit();
    Replicate();
  }
  effects_.last_record = last_record_;
  Effects taken = std::move(effects_);
  effects_ = Effects();
  effects_.commit_index = taken.commit_index;
  return taken;
}

uint64_t Server::Write(Record record) {
  effects_.records.push_back(std::move(record));
  return ++last_record_;
}

void Server::Send(const ServerId& to, decltype(Message::body) body, uint64_t after,
                  absl::string_view comment) {
  Outgoing outgoing;
  if (const auto peer = peers_.find(to); peer != peers_.end())
    outgoing.address = peer->second.address;
  outgoing.message.cluster = state_.cluster_id;
  outgoing.message.to = to;
  outgoing.message.from = id();
  outgoing.message.comment = std::string(comment);
  outgoing.message.body = std::move(body);
  // A term that others hear of must not be forgotten.
  after = std::max(after, promise_record_);
  if (after <= persisted_record_ || Planted(Bug::kAcknowledgeBeforeSync)) {
    effects_.messages.push_back(std::move(outgoing));
  } else {
    held_.emplace(after, std::move(outgoing));
  }
}

void Server::SendToAddress(const std::string& address, decltype(Message::body) body,
                           absl::string_view comment) {
  Outgoing outgoing;
  outgoing.message.comment = std::string(comment);
  outgoing.address = address;
  outgoing.message.cluster = state_.cluster_id;
  outgoing.message.from = id();
  outgoing.message.body = std::move(body);
  effects_.messages.push_back(std::move(outgoing));
}

void Server::Say(LogLine::Level level, std::string text) {
  effects_.log_lines.push_back({level, std::move(text)});
}

std::string Server::Name(const ServerId& server) const {
  const auto peer = peers_.find(server);
  return Nickname(peer == peers_.end() ? "" : peer->second.address, server);
}

// Whether a message of `term` is of the present; goes along with a newer term.
bool Server::SeeTerm(Term term, const ServerId& from) {
  if (term > state_.term) {
    SetTerm(term);
    SetLeader({});
    BecomeFollower();
  } else if (term < state_.term) {
    Say(LogLine::kDebug, absl::StrCat("ignoring a message of term ", term, " < ", state_.term,
                                      " from server ", Name(from)));
    return false;
  }
  return true;
}

void Server::SetTerm(Term term) {
  state_.term = term;
  state_.vote = {};
  promise_record_ = Write({TermRecord{term}, {}});
}

void Server::AppendEntry(Entry entry) {
  const Index index = state_.log.end();
  const bool configuration = entry.servers != nullptr;
  unsynced_.emplace_back(index, Write({EntryRecord{index, entry}, {}}));
  state_.log.Append(std::move(entry));
  if (configuration) RefreshPeers();
}

// The file needs no record of this: an entry at an index that it already has takes the place of
// that one and of all behind it.
void Server::TruncateLog(Index index) {
  const bool configuration = [&] {
    Index since = 0;
    state_.log.servers(state_.log.last_index(), &since);
    return since >= index;
  }();
  while (!unsynced_.empty() && unsynced_.back().first >= index) unsynced_.pop_back();
  state_.log.Truncate(index);
  if (configuration) RefreshPeers();
}

// The number of the record that must be on disk for all entries up to `index` to be.
uint64_t Server::RecordOf(Index index) const {
  const auto it = std::upper_bound(
      unsynced_.begin(), unsynced_.end(), index,
      [](Index wanted, const std::pair<Index, uint64_t>& entry) { return wanted < entry.first; });
  return it == unsynced_.begin() ? 0 : std::prev(it)->second;
}

Index Server::synced_index() const {
  return unsynced_.empty() ? log().last_index() : unsynced_.front().first - 1;
}

void Server::Commit(Index index) {
  const Index before = commit_index();
  if (index <= before) return;
  state_.commit_index = index;
  effects_.commit_index = index;
  Write({CommitRecord{index}, {}});
  bool configuration = false;
  for (Index i = before + 1; i <= index; ++i) {
    const Entry& entry = log().entry(i);
    configuration = configuration || entry.servers != nullptr;
    if (entry.election_timer_ms != 0) {
      Say(LogLine::kInfo, absl::StrCat("Election timer changed from ", election_timer_ms_, " to ",
                                       entry.election_timer_ms));
      election_timer_ms_ = entry.election_timer_ms;
    }
    SettleCommands(i, entry);
  }
  if (role_ == Role::kLeader) AnswerForwarded(CommandStatus::kSuccess, index);
  if (configuration) ConfigurationCommitted();
}

const Servers& Server::servers() const {
  static const Servers& none = *new Servers();
  const ServersRef& servers = log().servers(log().last_index());
  return servers == nullptr ? none : *servers;
}

// Makes the peers those of the newest configuration, and those on their way into it.
void Server::RefreshPeers() {
  const Servers& members = servers();
  for (auto it = peers_.begin(); it != peers_.end();) {
    Peer& peer = it->second;
    const bool was_member = peer.member;
    peer.member = members.count(it->first) != 0;
    // A configuration that was taken back takes the newcomer with it; the next leader is asked.
    const bool adding = !was_member && role_ == Role::kLeader && peer.phase != Phase::kStable;
    it = peer.member || adding ? std::next(it) : peers_.erase(it);
  }
  for (const auto& [id, address] : members) {
    if (id == state_.server_id) continue;
    const auto [it, is_new] = peers_.try_emplace(id);
    it->second.address = address;
    it->second.member = true;
    if (is_new) it->second.next_index = log().end();
  }
  effects_.peers_changed = true;
}

bool Server::connected() const {
  return membership_ == Membership::kMember && disk_.ok() && ever_had_leader_ &&
         failed_elections_ <= 1;
}

std::vector<std::string> Server::peer_addresses() const {
  std::vector<std::string> addresses;
  if (membership_ == Membership::kLeft) return addresses;
  if (state_.joining()) addresses = state_.remote_addresses;
  for (const auto& [id, peer] : peers_) {
    if (peer.address != state_.local_address &&
        std::find(addresses.begin(), addresses.end(), peer.address) == addresses.end()) {
      addresses.push_back(peer.address);
    }
  }
  return addresses;
}

SnapshotInfo Server::SnapshotAt(Index index) const {
  SnapshotInfo info;
  info.index = index;
  info.term = log().term(index);
  info.eid = log().eid(index);
  info.servers =
      Planted(Bug::kForgetServersInSnapshot) ? log().snapshot().servers : log().servers(index);
  info.election_timer_ms = log().election_timer_ms(index);
  return info;
}

void Server::Compacted(Index index) {
  if (index <= log().snapshot().index) return;
  effects_.discarded = state_.log.Compact(SnapshotAt(index));
}

Status Server::status(int64_t now_ms) const {
  Status status;
  status.membership = membership_;
  status.failed = !disk_.ok();
  // As stock has it: one that has never had a leader since it started gets one chance less.
  status.disconnected = failed_elections_ > 1 || (role_ == Role::kCandidate && !ever_had_leader_);
  status.role = role_;
  status.term = term();
  status.leader = leader_;
  status.vote = state_.vote;
  if (election_started_ms_) status.election_started_ms = now_ms - *election_started_ms_;
  status.election_by_transfer = election_by_transfer_;
  if (election_won_ms_) status.election_won_ms = now_ms - *election_won_ms_;
  status.election_timer_ms = election_timer_ms_;
  const uint64_t newest = log().election_timer_ms(log().last_index());
  if (newest != election_timer_ms_) status.election_timer_pending_ms = newest;
  status.log_start = log().first_index();
  status.log_end = log().end();
  status.commit_index = commit_index();
  status.remote_addresses = state_.remote_addresses;
  for (const auto& [id, address] : servers()) {
    ServerStatus server;
    server.id = id;
    server.address = address;
    server.self = id == state_.server_id;
    if (server.self) {
      server.next_index = log().end();
      server.match_index = synced_index();
      server.voted_for = state_.vote;
    }
    status.servers.push_back(std::move(server));
  }
  for (const auto& [id, peer] : peers_) {
    ServerStatus server;
    server.id = id;
    server.address = peer.address;
    server.phase = removals_.count(id) != 0 ? Phase::kRemoving : peer.phase;
    server.voted_for = peer.voted_for;
    server.next_index = peer.next_index;
    server.match_index = peer.match_index;
    if (peer.heard_ms) server.last_message_ms = now_ms - *peer.heard_ms;
    if (!peer.member) {
      status.adding.push_back(std::move(server));
      continue;
    }
    for (ServerStatus& known : status.servers) {
      if (known.id == id) known = server;
    }
    if (removals_.count(id) != 0) status.removing.push_back(std::move(server));
  }
  return status;
}

}  // namespace raft

// From the leader's log to the others': append requests with many entries in flight, snapshots for
// those who are too far behind, and what is committed.
#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "raft/planted_bugs.h"
#include "raft/server.h"

namespace raft {

namespace {

// A snapshot that is not acknowledged is sent again after so many election timers, and then each
// time after twice as many, up to 2^kMaxInstallDoublings: it may be large, or the way to the peer
// slow.
constexpr int64_t kInstallPatience = 20;
constexpr int kMaxInstallDoublings = 5;
// A server that could not install one asks for another after this.
constexpr int64_t kAskAgainMs = 1000;

size_t DataBytes(const Entry& entry) { return entry.data == nullptr ? 0 : entry.data->size(); }

}  // namespace

// ---- The leader ----

void Server::Replicate() {
  const int64_t quiet = election_timer_ms() / 3;
  for (auto& [id, peer] : peers_) {
    if (!peer.member && peer.phase == Phase::kStable) continue;
    const bool heartbeat = now_ms_ - peer.sent_ms >= quiet;
    SendEntries(id, &peer, heartbeat);
    if (!heartbeat) continue;
    for (const Forwarded& forwarded : forwarded_) {
      if (forwarded.from == id)
        Send(id, ExecuteReply{forwarded.eid, CommandStatus::kIncomplete, 0});
    }
  }
}

// Sends `peer` what it may need: entries, or the news of what is committed, or a sign of life.
void Server::SendEntries(const ServerId& id, Peer* peer, bool heartbeat) {
  if (peer->installing != 0 &&
      now_ms_ - peer->install_sent_ms >
          (kInstallPatience << peer->install_repeats) * election_timer_ms()) {
    peer->installing = 0;
    peer->install_repeats = std::min(peer->install_repeats + 1, kMaxInstallDoublings);
  }
  bool sent = false;
  const auto send = [&](std::vector<Entry> entries, size_t bytes, absl::string_view comment) {
    AppendRequest request;
    request.term = term();
    request.prev_log_index = peer->next_index - 1;
    request.prev_log_term = log().term(request.prev_log_index);
    request.leader_commit = commit_index();
    request.log = std::move(entries);
    if (!request.log.empty()) {
      peer->next_index += request.log.size();
      peer->in_flight.push_back({peer->next_index - 1, bytes});
      peer->in_flight_bytes += bytes;
      peer->waiting = peer->probing;
    }
    peer->commit_sent = commit_index();
    peer->sent_ms = now_ms_;
    sent = true;
    Send(id, std::move(request), 0, comment);
  };

  // Whatever is on the way to it: the entries that it needs next are gone.
  if (peer->installing == 0 && !log().has_term(peer->next_index - 1)) SendSnapshot(id, peer);
  while (peer->installing == 0 && peer->next_index < log().end() && !peer->waiting &&
         peer->in_flight_bytes < options_.max_in_flight_bytes) {
    std::vector<Entry> entries;
    size_t bytes = 0;
    for (Index i = peer->next_index; i < log().end() && bytes < options_.max_append_bytes; ++i) {
      entries.push_back(log().entry(i));
      bytes += DataBytes(entries.back());
    }
    send(std::move(entries), bytes, {});
  }
  if (sent) return;
  const bool news = peer->commit_sent < commit_index() && peer->match_index >= commit_index();
  if (!heartbeat && !news) return;
  if (log().has_term(peer->next_index - 1)) {
    send({}, 0, heartbeat ? kHeartbeat : absl::string_view());
  } else {
    // It waits for a snapshot: all it needs to know is that there is a leader.
    AppendRequest request;
    request.term = term();
    request.prev_log_index = log().last_index();
    request.prev_log_term = log().last_term();
    request.leader_commit = commit_index();
    peer->sent_ms = now_ms_;
    Send(id, std::move(request), 0, kHeartbeat);
  }
}

void Server::SendSnapshot(const ServerId& id, Peer* peer) {
  InstallSnapshotRequest request;
  request.term = term();
  request.snapshot = log().snapshot();
  peer->installing = request.snapshot.index;
  peer->install_sent_ms = now_ms_;
  Say(LogLine::kInfo, absl::StrCat("sending snapshot to server ", Name(id), ", ", log().end(),
                                   " > ", peer->next_index));
  Send(id, std::move(request), RecordOf(log().snapshot().index));
}

// Forgets what is on the way to `peer`, and goes on from `next_index`, which is a guess.
void Server::Rewind(Peer* peer, Index next_index) {
  peer->next_index = std::clamp<Index>(next_index, 1, log().end());
  peer->in_flight.clear();
  peer->in_flight_bytes = 0;
  peer->probing = true;
  peer->waiting = false;
}

// What was on its way over an older connection may be lost. Of one that has not answered this
// leader nothing is known: it is asked whether it has all but the newest entry.
void Server::Reconnect(Peer* peer) {
  peer->installing = 0;
  if (role_ != Role::kLeader) return;
  const Index newest = std::max(log().last_index(), log().first_index());
  Rewind(peer, peer->match_index != 0 ? peer->match_index + 1 : newest);
}

bool Server::HeardFromMajority() const {
  size_t n = is_member() ? 1 : 0;
  for (const auto& [id, peer] : peers_) {
    n += peer.member && peer.heard_ms && now_ms_ - *peer.heard_ms < election_timer_ms() ? 1 : 0;
  }
  return n >= majority();
}

// Commits what a majority has on disk, if an entry of this term is among it: only then no other
// leader can undo it (Raft section 3.6.2).
void Server::AdvanceCommit() {
  std::vector<Index> matches;
  if (is_member()) matches.push_back(disk_.ok() ? synced_index() : 0);
  for (const auto& [id, peer] : peers_) {
    if (peer.member) matches.push_back(peer.match_index);
  }
  if (matches.size() < majority()) return;
  std::nth_element(matches.begin(), matches.begin() + static_cast<ptrdiff_t>(majority() - 1),
                   matches.end(), std::greater<>());
  const Index index = matches[majority() - 1];
  if (index <= commit_index()) return;
  if (log().term(index) == term() || Planted(Bug::kCommitOldTermByCount)) Commit(index);
}

void Server::On(const Message& message, const AppendReply& reply) {
  const bool of_now = SeeTerm(reply.term, message.from);
  HearTerm(message.from, reply);
  if (!of_now || role_ != Role::kLeader) return;
  const auto it = peers_.find(message.from);
  if (it == peers_.end()) return;
  Peer& peer = it->second;
  peer.answered_ms = now_ms_;
  if (peer.member && message.comment == kReturning) {
    peer.returning = true;
    peer.returning_ms = now_ms_;
  } else if (peer.member && now_ms_ - peer.returning_ms >= election_timer_ms()) {
    peer.returning = false;  // Before, this may be from its last life.
  }
  switch (reply.result) {
    case AppendResult::kOk: {
      const Index match = std::min(reply.prev_log_index + reply.n_entries, log().last_index());
      while (!peer.in_flight.empty() && peer.in_flight.front().last <= match) {
        peer.in_flight_bytes -= peer.in_flight.front().bytes;
        peer.in_flight.pop_front();
      }
      peer.match_index = std::max(peer.match_index, match);
      peer.next_index = std::max(peer.next_index, match + 1);
      peer.probing = false;
      peer.waiting = false;
      peer.installing = 0;
      if (peer.phase == Phase::kCatchup && peer.match_index >= commit_index()) {
        peer.phase = Phase::kCaughtUp;
      }
      AdvanceCommit();
      break;
    }
    case AppendResult::kInconsistency:
      if (peer.installing != 0 && reply.log_end > peer.installing) {
        peer.installing = 0;  // The reply to the snapshot was lost.
        Rewind(&peer, reply.log_end);
        break;
      }
      // An answer to what was sent before the last rewinding tells nothing new.
      if (reply.prev_log_index >= peer.next_index || peer.installing != 0) break;
      // Less than before: it has lost its file.
      if (reply.log_end > 0) peer.match_index = std::min(peer.match_index, reply.log_end - 1);
      Rewind(&peer, std::min(reply.prev_log_index, reply.log_end));
      break;
    case AppendResult::kIoError:
      // It will be asked again with the next heartbeat.
      Rewind(&peer, reply.prev_log_index + 1);
      peer.waiting = true;
      break;
  }
}

void Server::On(const Message& message, const InstallSnapshotReply& reply) {
  if (!SeeTerm(reply.term, message.from) || role_ != Role::kLeader) return;
  const auto it = peers_.find(message.from);
  if (it == peers_.end()) return;
  Peer& peer = it->second;
  if (peer.installing != 0 && reply.last_index == 0) {
    Say(LogLine::kInfo, absl::StrCat("server ", Name(message.from),
                                     " could not install its snapshot, starting over"));
    peer.installing = 0;
  }
  // It may have been given a newer one than it was to have. Or it was busy with an older one, and
  // will have dropped what came meanwhile.
  if (peer.installing == 0) return;
  if (reply.last_index < peer.installing && reply.last_index <= peer.match_index) return;
  const bool same = log().has_term(reply.last_index)
                        ? log().term(reply.last_index) == reply.last_term
                        : reply.last_index < log().snapshot().index;
  Say(LogLine::kInfo, absl::StrCat("installed snapshot on server ", Name(message.from), " up to ",
                                   reply.last_term, ":", reply.last_index));
  peer.installing = 0;
  peer.install_repeats = 0;
  Rewind(&peer, reply.last_index + 1);
  if (same) peer.match_index = std::max(peer.match_index, reply.last_index);
}

// ---- A follower ----

void Server::On(const Message& message, const AppendRequest& request) {
  AppendReply reply;
  reply.prev_log_index = request.prev_log_index;
  reply.prev_log_term = request.prev_log_term;
  reply.n_entries = request.log.size();
  uint64_t after = 0;
  if (message.comment == kQuestion || !SeeTerm(request.term, message.from)) {
    reply.result = AppendResult::kInconsistency;
  } else if (role_ == Role::kLeader) {
    Say(LogLine::kError, absl::StrCat("server ", Name(message.from), " claims to lead term ",
                                      term(), ", which this server does"));
    return;
  } else {
    if (role_ == Role::kCandidate) BecomeFollower();
    SetLeader(message.from);
    leader_heard_ms_ = now_ms_;
    ArmElectionTimer();
    // Silence serves better than an "I/O error" for each request: a leader of stock's counts back
    // one entry for each, below zero in the end, and then asks what cannot be understood.
    if (!disk_.ok()) return;
    reply.result = StoreEntries(request);
    if (reply.result == AppendResult::kOk) {
      const Index last = request.prev_log_index + request.log.size();
      after = RecordOf(last);
      Commit(std::min({request.leader_commit, last, log().last_index()}));
      if (returning()) {
        Match(last);
        if (!AcknowledgeCommitted(&reply)) return;
      }
    }
  }
  reply.term = term();
  reply.log_end = log().end();
  Send(message.from, reply, after,
       returning()                     ? kReturning
       : message.comment == kHeartbeat ? kHeartbeat
                                       : "");
}

// Makes the log agree with the leader's up to the last of the request's entries.
AppendResult Server::StoreEntries(const AppendRequest& request) {
  // The snapshot stands for entries that are committed: those of the request are the same ones.
  const Index first = request.prev_log_index + 1;
  const Index skip = log().first_index() > first ? log().first_index() - first : 0;
  if (install_ || log().snapshot().index == 0) return AppendResult::kInconsistency;
  if (skip >= request.log.size() && skip > 0) return AppendResult::kOk;
  const bool matches = log().has_term(request.prev_log_index) &&
                       log().term(request.prev_log_index) == request.prev_log_term;
  if (skip == 0 && !matches &&
      !(Planted(Bug::kSkipLogMatching) && log().has_term(request.prev_log_index))) {
    return AppendResult::kInconsistency;
  }
  for (size_t i = skip; i < request.log.size(); ++i) {
    const Index index = first + i;
    if (index < log().end()) {
      if (log().term(index) == request.log[i].term || Planted(Bug::kLoseTruncation)) continue;
      if (index <= commit_index()) {
        Say(LogLine::kError,
            absl::StrCat("refusing an entry of term ", request.log[i].term, " at index ", index,
                         ", where one of term ", log().term(index), " is committed"));
        return AppendResult::kInconsistency;
      }
      TruncateLog(index);
    }
    AppendEntry(request.log[i]);
  }
  return AppendResult::kOk;
}

void Server::On(const Message& message, const InstallSnapshotRequest& request) {
  // No answer to who leads no more: one of stock's does not look whether it does, goes on sending,
  // and dies of it.
  if (!SeeTerm(request.term, message.from) || role_ == Role::kLeader) return;
  if (!leader_.is_zero() && leader_ != message.from) return;  // It led this term if anybody did.
  if (role_ == Role::kCandidate) BecomeFollower();
  SetLeader(message.from);
  leader_heard_ms_ = now_ms_;
  ArmElectionTimer();
  const Index index = request.snapshot.index;
  if (index > commit_index() && log().has_term(index) &&
      log().term(index) == request.snapshot.term) {
    Commit(index);  // All is here, and what follows it must not be lost.
  }
  if (index <= commit_index()) {
    Send(message.from, InstallSnapshotReply{term(), index, request.snapshot.term}, RecordOf(index));
    return;
  }
  if (install_) return;
  if (!disk_.ok()) {
    ask_again_ms_ = now_ms_ + kAskAgainMs;
    return;
  }
  install_ = request.snapshot;
  effects_.install = Install{request.snapshot, request.data};
}

// Tells the leader that what it sent was not installed, when that may go better.
void Server::TickInstall() {
  if (!ask_again_ms_ || now_ms_ < *ask_again_ms_ || !disk_.ok()) return;
  ask_again_ms_.reset();
  if (role_ == Role::kLeader || install_) return;
  if (!leader_.is_zero() && leader_heard_ms_ &&
      now_ms_ - *leader_heard_ms_ < election_timer_ms() / 2) {
    Send(leader_, InstallSnapshotReply{term(), 0, 0});
  } else {
    // The leader that waits for the answer may be heard of again. Stock's never asks for it.
    ask_again_ms_ = now_ms_ + kAskAgainMs;
  }
}

void Server::Installed(const absl::Status& status) {
  if (!install_) return;
  const SnapshotInfo snapshot = *std::exchange(install_, std::nullopt);
  ArmElectionTimer();
  if (!status.ok()) {
    ask_again_ms_ = now_ms_ + kAskAgainMs;
    return;
  }
  unsynced_.clear();
  effects_.discarded = state_.log.Replace(snapshot);
  state_.commit_index = snapshot.index;
  effects_.commit_index = snapshot.index;
  election_timer_ms_ = snapshot.election_timer_ms;
  // What was proposed may be among what the snapshot stands for.
  if (!commands_.empty() && commands_.back().eid == snapshot.eid) {
    SettleAll(Settled::kCommitted);
  } else {
    SettleAll(Settled::kUnknown);
  }
  if (returning()) Match(snapshot.index);
  RefreshPeers();
  // If another one leads now, its own snapshot may have come meanwhile.
  if (!leader_.is_zero()) {
    Send(leader_, InstallSnapshotReply{term(), snapshot.index, snapshot.term});
  } else {
    ask_again_ms_ = now_ms_ + kAskAgainMs;
  }
}

}  // namespace raft

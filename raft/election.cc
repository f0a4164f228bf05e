// Who leads: the election timer, pre-votes and votes (Raft section 3.4, pre-votes section 9.6 of
// Ongaro's dissertation).
#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "raft/planted_bugs.h"
#include "raft/server.h"

namespace raft {

namespace {

// Waits differ by up to this share of the timer, or by stock's second where that is less, so that
// seldom two servers stand at once. Short ones are likelier than long ones: the first of several
// servers waits as little as if all were to wait for a third of this at most, with fewer ties.
int64_t RandomWait(int64_t timer_ms, std::mt19937_64* random) {
  const auto spread = static_cast<uint64_t>(std::clamp<int64_t>(timer_ms / 2, 1, 1000));
  const uint64_t even = (*random)() % spread;
  return static_cast<int64_t>(even * even / spread);
}

}  // namespace

void Server::ArmElectionTimer() {
  election_at_ms_ = now_ms_ + election_timer_ms() + RandomWait(election_timer_ms(), &random_);
  if (delay_elections_) election_at_ms_ += election_timer_ms();
}

// A newcomer that has not heard yet that it is in may stand, too: without it there may be no
// majority.
bool Server::MayStand() const {
  return membership_ != Membership::kLeft && disk_.ok() && !install_ && !returning() && is_member();
}

void Server::OnElectionTimeout() {
  ArmElectionTimer();
  if (!MayStand()) return;
  if (role_ == Role::kCandidate || !leader_.is_zero()) ++failed_elections_;
  SetLeader({});
  StartElection(/*prevote=*/servers().size() > 1, /*transfer=*/false);
}

void Server::ForceElection() {
  if (role_ == Role::kLeader || !MayStand()) return;
  StartElection(/*prevote=*/false, /*transfer=*/false);
}

void Server::DelayElections(bool on) {
  if (on && !delay_elections_) election_at_ms_ += election_timer_ms();
  delay_elections_ = on;
}

void Server::StartElection(bool prevote, bool transfer) {
  if (!disk_.ok() || term() >= static_cast<Term>(std::numeric_limits<int64_t>::max())) return;
  role_ = Role::kCandidate;
  prevote_ = prevote;
  transfer_ = transfer;
  if (servers().size() > 1) election_started_ms_ = now_ms_;  // Alone it asks nobody.
  election_by_transfer_ = transfer;
  Say(LogLine::kInfo, absl::StrCat("term ", prevote ? term() : term() + 1, ": ",
                                   transfer ? "received leadership transfer; " : "",
                                   prevote ? "starting pre-vote" : "starting election"));
  if (!prevote) {
    ++state_.term;
    state_.vote = id();
    SetLeader({});
    promise_record_ = Write({VoteRecord{term(), id()}, {}});
    ArmElectionTimer();
  }
  VoteRequest request;
  request.term = term();
  request.last_log_index = log().last_index();
  request.last_log_term = log().last_term();
  request.leadership_transfer = transfer;
  request.is_prevote = prevote;
  for (auto& [id, peer] : peers_) {
    peer.supports = false;
    peer.voted_for = {};
    if (peer.member) Send(id, request, RecordOf(log().last_index()));
  }
  CountVotes();
}

void Server::CountVotes() {
  // Its own vote counts when it is on disk, like those of others.
  size_t n = is_member() && (prevote_ || promise_record_ <= persisted_record_) ? 1 : 0;
  for (const auto& [id, peer] : peers_) n += peer.member && peer.supports ? 1 : 0;
  if (n < majority()) return;
  if (prevote_) {
    StartElection(/*prevote=*/false, /*transfer=*/false);
  } else {
    BecomeLeader();
  }
}

void Server::BecomeLeader() {
  role_ = Role::kLeader;
  SetLeader(id());
  if (membership_ == Membership::kJoining) Join();
  election_won_ms_ = now_ms_;
  Say(LogLine::kInfo, absl::StrCat("term ", term(), ": elected leader by ", majority(), "+ of ",
                                   servers().size(), " servers"));
  Write({LeaderRecord{term(), id()}, {}});
  for (auto& [id, peer] : peers_) {
    peer.phase = Phase::kStable;
    peer.match_index = 0;
    peer.commit_sent = 0;
    peer.answered_ms = 0;
    peer.installing = 0;
    peer.sent_ms = now_ms_ - election_timer_ms();
    // Time begins anew for everybody.
    peer.heard_ms = now_ms_;
    Rewind(&peer, log().end());
  }
  majority_check_ms_ = now_ms_ + election_timer_ms();
  forwarded_.clear();
  late_.clear();
  turn_.reset();
  Entry no_op;
  no_op.term = term();
  term_start_ = log().end();
  AppendEntry(std::move(no_op));
  Dispatch();
}

// Keeps the leader, if one is known.
void Server::BecomeFollower() {
  if (role_ == Role::kFollower) return;
  const bool led = role_ == Role::kLeader;
  role_ = Role::kFollower;
  ArmElectionTimer();
  if (!led) return;
  AnswerForwarded(CommandStatus::kLostLeadership, 0);
  AbandonChanges();
}

void Server::SetLeader(const ServerId& leader) {
  if (leader == leader_) return;
  leader_ = leader;
  if (leader.is_zero()) {
    // Even if the next leader is the same: it may have forgotten.
    for (Command& command : commands_) command.sent_to = {};
    return;
  }
  ever_had_leader_ = true;
  failed_elections_ = 0;
  if (leader != id()) {
    Say(LogLine::kInfo, absl::StrCat("server ", Name(leader), " is leader for term ", term()));
    Write({LeaderRecord{term(), leader}, {}});
  }
  Dispatch();
}

bool Server::IsUpToDate(Index last_index, Term last_term) const {
  return last_term > log().last_term() ||
         (last_term == log().last_term() && last_index >= log().last_index());
}

void Server::On(const Message& message, const VoteRequest& request) {
  if (returning()) return;
  // Who leads or hears a leader has no reason to help another one.
  if (!request.leadership_transfer) {
    if (role_ == Role::kLeader) {
      NoteRival(message.from);
      // It was removed, and has not heard of it.
      if (peers_.count(message.from) == 0 && commit_index() >= term_start_ &&
          log().servers(commit_index())->count(message.from) == 0) {
        SendRemoveReply(message.from, message.from, true, "already not in cluster");
      }
      return;
    }
    if (leader_heard_ms_ && !leader_.is_zero() &&
        now_ms_ - *leader_heard_ms_ < election_timer_ms()) {
      return;
    }
  }
  if (request.is_prevote) {
    // Also of one that cannot be helped: else two that know of different terms, the better log
    // being the one of the older term, would never hear of each other.
    if (!SeeTerm(request.term, message.from)) return;
    if (!IsUpToDate(request.last_log_index, request.last_log_term)) return;
    Send(message.from, VoteReply{term(), message.from, true});
    return;
  }
  if (!SeeTerm(request.term, message.from)) {
    Send(message.from, VoteReply{term(), state_.vote, false});
    return;
  }
  const bool free = state_.vote.is_zero() || Planted(Bug::kVoteTwice);
  if (free && disk_.ok() && IsUpToDate(request.last_log_index, request.last_log_term)) {
    state_.vote = message.from;
    promise_record_ = Write({VoteRecord{term(), message.from}, {}});
    ArmElectionTimer();
  }
  Send(message.from, VoteReply{term(), state_.vote, false}, RecordOf(log().last_index()));
}

void Server::On(const Message& message, const VoteReply& reply) {
  if (!SeeTerm(reply.term, message.from)) return;
  const auto peer = peers_.find(message.from);
  if (role_ != Role::kCandidate || reply.is_prevote != prevote_ || peer == peers_.end()) return;
  peer->second.voted_for = reply.vote;
  peer->second.supports = reply.vote == id();
  CountVotes();
}

void Server::On(const Message& message, const raft::BecomeLeader& request) {
  if (!SeeTerm(request.term, message.from) || role_ == Role::kLeader || !MayStand()) return;
  if (membership_ != Membership::kMember) return;
  Say(LogLine::kInfo, absl::StrCat("received leadership transfer from ", Name(message.from),
                                   " in term ", request.term));
  StartElection(/*prevote=*/false, /*transfer=*/true);
}

void Server::TransferLeadership(absl::string_view reason) {
  if (role_ != Role::kLeader) return;
  // Chance, for one that cannot lead may be as up to date as another.
  std::vector<ServerId> best;
  Index match = 0;
  for (const auto& [id, peer] : peers_) {
    if (!peer.member || removals_.count(id) != 0 || peer.match_index < match) continue;
    if (peer.match_index > match) best.clear();
    match = peer.match_index;
    best.push_back(id);
  }
  if (best.empty()) return;
  const ServerId& next = best[random_() % best.size()];
  Say(LogLine::kInfo, absl::StrCat("Transferring leadership to ", Name(next), ": ", reason));
  Write({NoteRecord{Note::kTransferLeadership}, {}});
  Send(next, raft::BecomeLeader{term()});
}

}  // namespace raft

// A member that comes back under its id without its file.
//
// It has forgotten whom it voted for and what it acknowledged, and others may still build on that:
// an election that its vote decides, an entry that is committed because it had it. So it asks all
// other members for their terms, and the leader for the end of its log. As long as not all of that
// has come, and all of that log is on its disk,
//
//  - it neither votes nor stands, and
//  - it acknowledges nothing but what is committed, for which nobody needs it.
//
// Then it is as if nothing had been lost. Who won or can still win an election with a vote that it
// forgot has told a term at least as high, in which it votes no more. And the leader of the highest
// term has all that was committed with its help: it was elected without a vote from the time of
// ignorance, and had its log's end when nothing older could be acknowledged any more.
//
// The questions are append requests of a term that has passed and with a nonsensical previous
// entry, to which stock as well as Boreas answers with its term and its log's end, repeating the
// nonsense, by which the answers to this life's questions are known. (In a cluster's first term
// there is none that has passed: stock takes the asking server for the leader then, until it hears
// of the right one.)
#include <algorithm>

#include "raft/planted_bugs.h"
#include "raft/server.h"

namespace raft {

namespace {

// Not an index that a log could have.
constexpr Index kNonce = Index{1} << 62;

}  // namespace

bool Server::returning() const { return state_.returning && !Planted(Bug::kVoteAfterLostDisk); }

// All who may hold a promise of this server: the members by any configuration that may still count.
Servers Server::Witnesses() const {
  Servers witnesses;
  const auto add = [&witnesses](const ServersRef& servers) {
    if (servers != nullptr) witnesses.insert(servers->begin(), servers->end());
  };
  add(log().servers(commit_index()));
  for (Index i = commit_index() + 1; i < log().end(); ++i) add(log().entry(i).servers);
  witnesses.erase(id());
  return witnesses;
}

void Server::AskForTerms() {
  if (!returning()) return;
  if (return_.nonce == 0) return_.nonce = kNonce + random_() % kNonce;
  AppendRequest question;
  question.term = std::max<Term>(term(), 2) - 1;
  question.prev_log_index = return_.nonce;
  for (const auto& [id, address] : Witnesses()) {
    Send(id, question, 0, kQuestion);
  }
}

// To one of the questions, or to something else.
void Server::HearTerm(const ServerId& from, const AppendReply& reply) {
  if (!returning() || return_.nonce == 0 || reply.prev_log_index != return_.nonce) return;
  return_.answered.insert(from);
  if (from == leader_ && reply.term == term() && return_.leader_term != term()) {
    return_.leader_term = term();
    return_.leader_end = reply.log_end;
  }
  TryToReturn();
}

// The log is the leader's up to `index`.
void Server::Match(Index index) {
  if (return_.matched_term != term()) return_.matched = 0;
  return_.matched_term = term();
  return_.matched = std::max(return_.matched, index);
}

void Server::TryToReturn() {
  if (!returning() || role_ != Role::kFollower || leader_.is_zero()) return;
  if (return_.leader_term != term() || return_.matched_term != term()) return;
  if (std::min(return_.matched, synced_index()) + 1 < return_.leader_end) return;
  for (const auto& [id, address] : Witnesses()) {
    if (return_.answered.count(id) == 0) return;
  }
  Say(LogLine::kInfo, "has again what it may have acknowledged before its file was lost");
  state_.returning = false;
  // It may have voted in this term.
  if (state_.vote.is_zero()) state_.vote = leader_;
  promise_record_ = Write(PromiseRecord(state_));
  if (log().servers(commit_index())->count(id()) != 0) Join();
}

// Cuts an acknowledgement down to what is committed. False: nothing is left of it.
bool Server::AcknowledgeCommitted(AppendReply* reply) const {
  if (reply->prev_log_index > commit_index()) return false;
  reply->n_entries = std::min(reply->n_entries, commit_index() - reply->prev_log_index);
  return true;
}

}  // namespace raft

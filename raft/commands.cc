// What is proposed here, from Propose() to its outcome.
//
// A command is tied to a place: it can be in the log only right behind the entry with data that it
// names as its prerequisite. So it may be sent to one leader after the other without harm, and its
// outcome is read off the log: committed when it is among the committed entries, refused for good
// when another entry took its place.
//
// A leader that has one entry after the other under way would leave no place for what others
// forward, which is based on what they know to be committed. So whoever came too late gets a turn:
// the leader proposes nothing of its own while that one's commands come, a short time at most. Then
// it has at least as much time for itself. Whoever used its turn gets another one without asking,
// since stock's followers forward nothing, and so are not refused, as long as they know of entries
// that are not committed.
#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "raft/planted_bugs.h"
#include "raft/server.h"

namespace raft {

namespace {

constexpr int64_t kTurnMs = 20;  // At most.

}  // namespace

bool Server::accepts_proposals() const {
  if (membership_ != Membership::kMember && membership_ != Membership::kLeaving) return false;
  if (!disk_.ok() || leader_.is_zero()) return false;
  // What this server appended as a leader, or has forwarded, must be settled by those who can.
  const bool leads = role_ == Role::kLeader;
  if (leads && (commit_index() < term_start_ || turn_)) return false;
  return commands_.empty() || (commands_.front().index != 0) == leads;
}

absl::Status Server::Propose(Payload data, const EntryId& prereq, const EntryId& eid) {
  if (!accepts_proposals()) return absl::FailedPreconditionError("no leader that takes proposals");
  const EntryId newest = role_ == Role::kLeader ? log().last_eid()
                         : commands_.empty()    ? log().eid(commit_index())
                                                : commands_.back().eid;
  if (prereq != newest) return absl::FailedPreconditionError("not based on the newest state");
  Command command;
  command.data = std::move(data);
  command.prereq = prereq;
  command.eid = eid;
  commands_.push_back(std::move(command));
  Dispatch(&commands_.back(), /*again=*/false);
  if (Planted(Bug::kAnswerBeforeCommit)) SettleAll(Settled::kCommitted);
  return absl::OkStatus();
}

// Brings what is not settled to the leader of the day.
void Server::Dispatch() {
  if (commands_.empty() || leader_.is_zero()) return;
  const bool late = now_ms_ >= DispatchAgainMs();
  for (Command& command : commands_) Dispatch(&command, late);
}

// When those that were forwarded are to be forwarded again: by the oldest, as they are in order.
int64_t Server::DispatchAgainMs() const {
  const auto oldest = std::find_if(commands_.begin(), commands_.end(),
                                   [](const Command& command) { return command.index == 0; });
  if (oldest == commands_.end() || !oldest->sent) return std::numeric_limits<int64_t>::max();
  return oldest->sent_ms + 2 * election_timer_ms();
}

void Server::Dispatch(Command* command, bool again) {
  // What was appended here stands or falls with its entry.
  if (command->index != 0) return;
  if (role_ == Role::kLeader) {
    AppendOwn(command);
  } else if (command->sent_to != leader_ || again) {
    command->sent_to = leader_;
    command->sent_ms = now_ms_;
    command->sent = true;
    Send(leader_, ExecuteRequest{command->data, command->prereq, command->eid});
  }
}

// As the leader. A command that cannot follow the log's last entry is too late: it is settled when
// what took its place is committed.
void Server::AppendOwn(Command* command) {
  // Another leader may have taken it.
  if (const Index index = command->sent ? FindUncommitted(command->eid) : 0; index != 0) {
    command->index = index;
    command->term = log().term(index);
    return;
  }
  if (command->prereq != log().last_eid()) return;
  command->index = log().end();
  command->term = term();
  Entry entry;
  entry.term = term();
  entry.data = command->data;
  entry.eid = command->eid;
  AppendEntry(std::move(entry));
}

// The index of the entry, or 0.
Index Server::FindUncommitted(const EntryId& eid) const {
  for (Index i = log().last_index(); i > commit_index(); --i) {
    if (log().entry(i).data != nullptr && log().entry(i).eid == eid) return i;
  }
  return 0;
}

void Server::SettleFront(Settled::Outcome outcome, Index index) {
  effects_.settled.push_back({commands_.front().eid, outcome, index});
  commands_.pop_front();
}

void Server::SettleAll(Settled::Outcome outcome) {
  while (!commands_.empty()) SettleFront(outcome, 0);
}

// `entry` is committed at `index`: what does that mean for the oldest command, and for those that
// build on it?
void Server::SettleCommands(Index index, const Entry& entry) {
  if (commands_.empty()) return;
  const Command& front = commands_.front();
  if (entry.data != nullptr && entry.eid == front.eid) {
    SettleFront(Settled::kCommitted, index);
    return;
  }
  const bool replaced = entry.data != nullptr && log().eid(index - 1) == front.prereq;
  // No log that has an entry of a newer term here can have the older one behind it.
  const bool undone = front.index != 0 && (index >= front.index || entry.term > front.term);
  if (replaced || (undone && !front.sent)) {
    SettleAll(Settled::kRefused);
  } else if (undone) {
    // Copies that were sent before may still arrive: it is as if it had only been sent.
    for (Command& command : commands_) command.index = 0;
  }
}

void Server::AnswerForwarded(CommandStatus status, Index commit_index) {
  while (!forwarded_.empty() &&
         (status != CommandStatus::kSuccess || forwarded_.front().index <= commit_index)) {
    const Forwarded forwarded = forwarded_.front();
    forwarded_.pop_front();
    Send(forwarded.from, ExecuteReply{forwarded.eid, status, commit_index});
  }
}

void Server::On(const Message& message, const ExecuteRequest& request) {
  if (role_ != Role::kLeader) {
    Send(message.from, ExecuteReply{request.eid, CommandStatus::kNotLeader, 0});
    return;
  }
  if (request.prereq != log().last_eid()) {
    // Sent twice, and received already?
    for (Forwarded& forwarded : forwarded_) {
      if (forwarded.eid == request.eid) return;
    }
    AskForTurn(message.from);
    Send(message.from, ExecuteReply{request.eid, CommandStatus::kBadPrereq, 0});
    return;
  }
  if (turn_ && turn_->of == message.from) GoOnWithTurn();
  forwarded_.push_back({request.eid, log().end(), message.from});
  Entry entry;
  entry.term = term();
  entry.data = request.data;
  entry.eid = request.eid;
  AppendEntry(std::move(entry));
}

void Server::AskForTurn(const ServerId& follower) {
  if (peers_.count(follower) == 0 || (turn_ && turn_->of == follower)) return;
  const auto waiting = std::find_if(late_.begin(), late_.end(),
                                    [&](const Late& late) { return late.follower == follower; });
  if (waiting == late_.end()) {
    late_.push_back({follower, kTurnMs});
  } else {
    waiting->wait_ms = kTurnMs;
  }
  TickTurns();
}

void Server::TickTurns() {
  if (turn_ && now_ms_ >= turn_->until_ms) EndTurn();
  if (turn_ || late_.empty() || now_ms_ < next_turn_ms_) return;
  const Late& next = late_.front();
  turn_ = Turn{next.follower, now_ms_, now_ms_, now_ms_ + next.wait_ms, 0};
  late_.pop_front();
}

// A command has come from the one whose turn it is. Its next one needs no refusal first, but that
// this one is committed; if it does not come in about that time, there is none.
void Server::GoOnWithTurn() {
  turn_->wait_ms = 2 * (now_ms_ - turn_->last_ms) + 2;
  turn_->last_ms = now_ms_;
  turn_->until_ms = std::min(turn_->since_ms + kTurnMs, now_ms_ + turn_->wait_ms);
}

void Server::EndTurn() {
  next_turn_ms_ = now_ms_ + std::max<int64_t>(1, now_ms_ - turn_->since_ms);
  if (turn_->wait_ms != 0) late_.push_back({turn_->of, turn_->wait_ms});
  turn_.reset();
}

void Server::On(const Message& message, const ExecuteReply& reply) {
  const auto command = std::find_if(commands_.begin(), commands_.end(),
                                    [&](const Command& c) { return c.eid == reply.eid; });
  if (command == commands_.end() || command->index != 0 || message.from != command->sent_to) return;
  switch (reply.status) {
    case CommandStatus::kIncomplete:
      command->sent_ms = now_ms_;
      break;
    case CommandStatus::kSuccess: {
      // The news may come before that of the commit. An entry of this term came from this leader,
      // and so did all before it.
      const Index index = FindUncommitted(reply.eid);
      if (index != 0 && index <= reply.commit_index && message.from == leader_ &&
          log().term(index) == term()) {
        Commit(index);
      }
      break;
    }
    default:
      // A refusal is of one copy of the command, and there may be others on their way. The log will
      // tell: what took its place, or that the next leader took it.
      break;
  }
}

}  // namespace raft

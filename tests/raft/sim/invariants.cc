#include "tests/raft/sim/invariants.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "tests/raft/sim/describe.h"

namespace raft::sim {
namespace {

bool SameServers(const ServersRef& a, const ServersRef& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

bool SameEntry(const Entry& a, const Entry& b) {
  return a.term == b.term && a.eid == b.eid && (a.data == nullptr) == (b.data == nullptr) &&
         (a.data == b.data || *a.data == *b.data) && SameServers(a.servers, b.servers) &&
         a.election_timer_ms == b.election_timer_ms;
}

bool HasEntry(const PersistentState& state, Index index, Term term) {
  return index <= state.log.snapshot().index ||
         (state.log.has_term(index) && state.log.term(index) == term);
}

}  // namespace

Invariants::Invariants(World* world, const SnapshotInfo& first) : world_(world) {
  Committed none;
  Committed snapshot;
  snapshot.entry.term = first.term;
  snapshot.in_term = first.term;
  snapshot.eid = first.eid;
  snapshot.servers = first.servers;
  snapshot.election_timer_ms = first.election_timer_ms;
  entries_ = {none, snapshot};
}

void Invariants::Fail(const ServerId& server, const std::string& what) {
  world_->Fail(absl::StrCat(NameOf(server), ": ", what));
}

// ---- Elections ----

void Invariants::Observe(const Server& server, Life* life) {
  if (server.role() == Role::kLeader && life->led_term != server.term()) {
    life->led_term = server.term();
    life->led_from = server.commit_index();
    CheckLeader(server);
  }
  const Index commit = server.commit_index();
  if (commit < life->checked_commit) {
    Fail(server.id(),
         absl::StrCat("commit index goes back from ", life->checked_commit, " to ", commit));
  }
  // Entries of older terms only go along with one of the leader's own: as long as none of these is
  // on the disks of a majority, another leader may undo them (section 3.6.2).
  if (server.role() == Role::kLeader && life->led_from < commit &&
      server.log().term(commit) != server.term()) {
    Fail(server.id(), absl::StrCat("commits ", commit, " of term ", server.log().term(commit),
                                   " as the leader of term ", server.term()));
  }
  while (life->checked_commit < commit && !world_->failed()) {
    // What a snapshot brought is checked with the snapshot.
    const Index next = std::max(life->checked_commit + 1, server.log().snapshot().index);
    CheckCommitted(server, next);
    life->checked_commit = next;
  }
}

void Invariants::CheckLeader(const Server& server) {
  const auto [it, is_new] = leaders_.emplace(server.term(), server.id());
  if (!is_new && it->second != server.id()) {
    Fail(server.id(), absl::StrCat("election safety: leads term ", server.term(), ", which ",
                                   NameOf(it->second), " led"));
  }
  // Older entries are there if the newest is, by log matching. A leader of an old term that comes
  // late need not have what was committed since.
  for (Index index = committed(); index > 0; --index) {
    if (entries_[index].in_term > server.term()) continue;
    if (!HasEntry(server.state(), index, entries_[index].entry.term)) {
      Fail(server.id(), absl::StrCat("leader completeness: leads term ", server.term(),
                                     " without the committed entry ", index, " of term ",
                                     entries_[index].entry.term));
    }
    break;
  }
}

// ---- Commitment ----

void Invariants::CheckCommitted(const Server& server, Index index) {
  if (index >= server.log().end() || index > committed() + 1) {
    Fail(server.id(), absl::StrCat("commits ", index, ", which nobody has"));
    return;
  }
  const bool in_snapshot = index == server.log().snapshot().index;
  if (index > committed()) {
    if (in_snapshot) {
      Fail(server.id(), absl::StrCat("has a snapshot of ", index, ", which nobody committed"));
      return;
    }
    AddCommitted(server, server.log().entry(index));
    return;
  }
  if (in_snapshot) {
    CheckSnapshot(server.id(), server.log().snapshot());
  } else if (!SameEntry(server.log().entry(index), entries_[index].entry)) {
    Fail(server.id(),
         absl::StrCat("state machine safety: commits ", Describe(server.log().entry(index)), " at ",
                      index, ", where others committed ", Describe(entries_[index].entry)));
  }
}

// `server` is the first to know: its leader.
void Invariants::AddCommitted(const Server& server, const Entry& entry) {
  Committed next = entries_.back();
  next.entry = entry;
  next.in_term = server.term();
  const Index index = entries_.size();
  if (entry.servers != nullptr) next.servers = entry.servers;
  if (entry.election_timer_ms != 0) next.election_timer_ms = entry.election_timer_ms;
  if (entry.data != nullptr) {
    const auto number = ParseCommand(entry.data);
    const auto command = commands_.find(entry.eid);
    if (!number || command == commands_.end() || CommandOfId(entry.eid) != *number) {
      Fail(server.id(), absl::StrCat("commits what nobody proposed at ", index));
      return;
    }
    if (!index_of_.emplace(entry.eid, index).second) {
      Fail(server.id(), absl::StrCat("commits c", *number, " twice"));
    }
    if (command->second.prereq != next.eid) {
      Fail(server.id(), absl::StrCat("commits c", *number, " behind c", CommandOfId(next.eid),
                                     ", not c", CommandOfId(command->second.prereq)));
    }
    if (command->second.outcome == Settled::kRefused) {
      Fail(server.id(), absl::StrCat("commits c", *number, ", which was refused"));
    }
    next.eid = entry.eid;
    next.list.Append(*number);
    list_.push_back(*number);
  }
  entries_.push_back(std::move(next));

  if (server.role() != Role::kLeader || !holds_) return;
  const Servers& members = *server.log().servers(server.log().last_index());
  const auto n = std::count_if(members.begin(), members.end(), [&](const auto& member) {
    return holds_(member.first, index, entry.term);
  });
  if (static_cast<size_t>(n) <= members.size() / 2) {
    Fail(server.id(), absl::StrCat("commits ", index, ", which is synced on ", n, " of ",
                                   members.size(), " disks only"));
  }
}

// ---- Logs, files and messages ----

void Invariants::CheckLog(const PersistentState& durable, Index from) {
  const Log& log = durable.log;
  for (Index index = std::max(from, log.first_index()); index < log.end(); ++index) {
    const Entry& entry = log.entry(index);
    const Term before = log.term(index - 1);
    const auto [it, is_new] =
        seen_.try_emplace(std::make_pair(index, entry.term), std::make_pair(entry, before));
    if (!is_new && (!SameEntry(it->second.first, entry) || it->second.second != before)) {
      Fail(durable.server_id,
           absl::StrCat("log matching: has ", Describe(entry), " at ", index,
                        " behind one of term ", before, ", others have ",
                        Describe(it->second.first), " behind one of term ", it->second.second));
    }
    if (before > entry.term) {
      Fail(durable.server_id,
           absl::StrCat("has term ", entry.term, " behind term ", before, " at ", index));
    }
  }
}

void Invariants::CheckFile(const Server& server, const PersistentState& written) {
  const PersistentState& state = server.state();
  if (written.term != state.term || written.vote != state.vote) {
    Fail(server.id(),
         absl::StrCat("is in term ", state.term, " and voted for ", NameOf(state.vote),
                      ", but its file says ", written.term, " and ", NameOf(written.vote)));
  }
  if (written.returning != state.returning || written.joining() != state.joining()) {
    Fail(server.id(), "is on its way into the cluster or not, but its file says otherwise");
  }
  if (!written.has_log()) return;
  if (written.log.end() != state.log.end() || written.log.last_term() != state.log.last_term() ||
      written.commit_index != state.commit_index || written.left != state.left) {
    Fail(server.id(),
         absl::StrCat("has a log to ", state.log.end(), " of term ", state.log.last_term(),
                      " and commit ", state.commit_index, ", but its file says ", written.log.end(),
                      ", ", written.log.last_term(), " and ", written.commit_index));
  }
}

void Invariants::CheckMessage(const Message& message, const PersistentState& durable) {
  if (const auto* reply = std::get_if<VoteReply>(&message.body);
      reply != nullptr && !reply->is_prevote && !reply->vote.is_zero()) {
    const auto [it, is_new] =
        votes_.try_emplace(std::make_pair(message.from, reply->term), reply->vote);
    if (!is_new && it->second != reply->vote) {
      Fail(message.from, absl::StrCat("votes for ", NameOf(reply->vote), " in term ", reply->term,
                                      ", where it voted for ", NameOf(it->second)));
    }
    if (durable.term < reply->term) {
      Fail(message.from, absl::StrCat("votes in term ", reply->term, ", which is not synced"));
    }
  }
  if (const auto* reply = std::get_if<AppendReply>(&message.body);
      reply != nullptr && reply->result == AppendResult::kOk) {
    const Index last = reply->prev_log_index + reply->n_entries;
    if (durable.term < reply->term) {
      Fail(message.from, absl::StrCat("replies in term ", reply->term, ", which is not synced"));
    }
    if (durable.term == reply->term && durable.log.last_index() < last) {
      Fail(message.from, absl::StrCat("acknowledges ", last, ", which is not synced"));
    }
  }
  if (const auto* request = std::get_if<InstallSnapshotRequest>(&message.body)) {
    CheckSnapshot(message.from, request->snapshot);
    const auto list = ParseSnapshot(request->data);
    if (!list || request->snapshot.index > committed() ||
        *list != entries_[request->snapshot.index].list) {
      Fail(message.from, "sends a snapshot with data of another index");
    }
  }
}

void Invariants::CheckSnapshot(const ServerId& server, const SnapshotInfo& snapshot) {
  if (snapshot.index == 0) return;  // Of a server that is still to join.
  if (snapshot.index > committed()) {
    Fail(server, absl::StrCat("has a snapshot of ", snapshot.index, ", which nobody committed"));
    return;
  }
  const Committed& there = entries_[snapshot.index];
  if (snapshot.term != there.entry.term || snapshot.eid != there.eid ||
      !SameServers(snapshot.servers, there.servers) ||
      snapshot.election_timer_ms != there.election_timer_ms) {
    Fail(server,
         absl::StrCat("snapshot of ", snapshot.index, " says t", snapshot.term, " c",
                      CommandOfId(snapshot.eid), " ",
                      snapshot.servers == nullptr ? "no servers" : Describe(*snapshot.servers), " ",
                      snapshot.election_timer_ms, "ms, but that is t", there.entry.term, " c",
                      CommandOfId(there.eid), " ", Describe(*there.servers), " ",
                      there.election_timer_ms, "ms"));
  }
}

// ---- Commands ----

size_t Invariants::LengthWith(const EntryId& eid) const {
  const auto it = index_of_.find(eid);
  return it == index_of_.end() ? 0 : entries_[it->second].list.length;
}

void Invariants::CheckApplied(const ServerId& server, Index index, const List& list) {
  if (index > committed()) {
    Fail(server, absl::StrCat("applies ", index, ", which nobody committed"));
  } else if (list != entries_[index].list) {
    Fail(server, absl::StrCat("state machine safety: at ", index, " it has a list of ", list.length,
                              " that ends with ", list.last, ", others have ",
                              entries_[index].list.length, " and ", entries_[index].list.last));
  }
}

void Invariants::Proposed(const EntryId& eid, const EntryId& prereq) {
  commands_[eid].prereq = prereq;
}

void Invariants::CheckSettled(const ServerId& server, const Settled& settled) {
  Command& command = commands_[settled.eid];
  if (command.outcome != Settled::kUnknown) {
    Fail(server, absl::StrCat("settles c", CommandOfId(settled.eid), " twice"));
  }
  command.outcome = settled.outcome;
  const auto it = index_of_.find(settled.eid);
  if (settled.outcome == Settled::kCommitted && it == index_of_.end()) {
    Fail(server,
         absl::StrCat("says that c", CommandOfId(settled.eid), " is committed, which it is not"));
  }
  if (settled.outcome == Settled::kCommitted && it != index_of_.end() && settled.index != 0 &&
      settled.index != it->second) {
    Fail(server, absl::StrCat("says that c", CommandOfId(settled.eid), " is at ", settled.index,
                              ", but it is at ", it->second));
  }
  if (settled.outcome == Settled::kRefused && it != index_of_.end()) {
    Fail(server, absl::StrCat("refuses c", CommandOfId(settled.eid), ", which is committed at ",
                              it->second));
  }
}

}  // namespace raft::sim

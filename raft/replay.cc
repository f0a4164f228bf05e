#include "raft/replay.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

namespace raft {
namespace {

constexpr char kOvsdbError[] = "ovsdb error";
constexpr size_t kNickDigits = 4;

std::string Nick(const ServerId& server) { return server.Short(kNickDigits); }

}  // namespace

Replay::Replay(Header header) {
  state_.server_id = header.server_id;
  state_.local_address = std::move(header.local_address);
  state_.name = std::move(header.name);
  state_.cluster_id = header.cluster_id;
  state_.remote_addresses = std::move(header.remote_addresses);
  if (state_.joining()) return;
  state_.term = header.snapshot.term;
  state_.commit_index = header.snapshot.index;
  state_.log = Log(std::move(header.snapshot));
}

absl::Status Replay::Apply(Record record) {
  ++n_records_;
  if (const auto* term = std::get_if<TermRecord>(&record.body)) {
    RaiseTerm(term->term);
    return absl::OkStatus();
  }
  if (const auto* vote = std::get_if<VoteRecord>(&record.body)) return ApplyVote(*vote);
  if (state_.joining()) return absl::OkStatus();
  if (auto* entry = std::get_if<EntryRecord>(&record.body)) return ApplyEntry(std::move(*entry));
  if (const auto* leader = std::get_if<LeaderRecord>(&record.body)) return ApplyLeader(*leader);
  if (const auto* commit = std::get_if<CommitRecord>(&record.body)) return ApplyCommit(*commit);
  if (std::get<NoteRecord>(record.body).note == Note::kLeft) {
    state_.left = true;
    left_record_ = n_records_;
  }
  return absl::OkStatus();
}

absl::Status Replay::ApplyEntry(EntryRecord record) {
  Log& log = state_.log;
  if (record.index > log.end()) {
    return Broken(
        absl::StrCat("with index ", record.index, " skips past expected index ", log.end()));
  }
  if (record.index <= state_.commit_index) {
    return Broken(absl::StrCat("attempts to truncate log from ", log.end(), " to ", record.index,
                               " entries, but commit index is already ", state_.commit_index));
  }
  const Term previous = log.term(record.index - 1);
  if (record.entry.term < previous) {
    return Broken(absl::StrCat("with index ", record.index, " term ", record.entry.term,
                               " precedes previous entry's term ", previous));
  }
  log.Truncate(record.index);
  RaiseTerm(record.entry.term);
  log.Append(std::move(record.entry));
  return absl::OkStatus();
}

absl::Status Replay::ApplyVote(const VoteRecord& record) {
  if (record.term < state_.term) {
    return Broken(
        absl::StrCat("votes for term ", record.term, " but current term is ", state_.term));
  }
  if (record.term == state_.term && !state_.vote.is_zero() && state_.vote != record.vote) {
    return Broken(absl::StrCat("votes for ", Nick(record.vote), " in term ", record.term,
                               " but a previous record for the same term voted for ",
                               Nick(state_.vote)));
  }
  RaiseTerm(record.term);
  state_.vote = record.vote;
  return absl::OkStatus();
}

absl::Status Replay::ApplyLeader(const LeaderRecord& record) {
  RaiseTerm(record.term);
  if (record.term < state_.term) return absl::OkStatus();
  if (leader_.is_zero()) {
    leader_ = record.leader;
    leader_record_ = n_records_;
  }
  if (leader_ == record.leader) return absl::OkStatus();
  return Broken(absl::StrCat("reports leader ", Nick(record.leader), " for term ", record.term,
                             " but record ", leader_record_, " previously reported the leader as ",
                             Nick(leader_), " in that term"));
}

absl::Status Replay::ApplyCommit(const CommitRecord& record) {
  if (record.commit_index < state_.commit_index) {
    return Broken(absl::StrCat("regresses commit index from ", state_.commit_index, " to ",
                               record.commit_index));
  }
  if (record.commit_index >= state_.log.end()) {
    return Broken(absl::StrCat("advances commit index to ", record.commit_index,
                               " but last log index is ", state_.log.last_index()));
  }
  state_.commit_index = record.commit_index;
  return absl::OkStatus();
}

absl::Status Replay::Finish() const {
  if (state_.left) {
    return ovsdb::Error(
        kOvsdbError,
        absl::StrCat("error reading record ", left_record_, " from ", state_.name, " log: record ",
                     left_record_, " indicates server has left the cluster; it cannot be added ",
                     "back (use \"ovsdb-tool join-cluster\" to add a new server)"));
  }
  // As long as its removal is not committed, it may be needed for that.
  const Log& log = state_.log;
  if (!state_.joining() && log.servers(log.last_index())->count(state_.server_id) == 0 &&
      log.servers(state_.commit_index)->count(state_.server_id) == 0) {
    return ovsdb::Error(kOvsdbError, "server does not belong to cluster");
  }
  return absl::OkStatus();
}

void Replay::RaiseTerm(Term term) {
  if (term <= state_.term) return;
  state_.term = term;
  state_.vote = ServerId();
  leader_ = ServerId();
}

absl::Status Replay::Broken(absl::string_view rule) const {
  return ovsdb::Error(kOvsdbError, absl::StrCat("record ", n_records_, " ", rule));
}

}  // namespace raft

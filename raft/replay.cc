#include "raft/replay.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "ovsdb/error.h"

namespace raft {
namespace {

constexpr char kOvsdbError[] = "ovsdb error";
constexpr size_t kNickDigits = 4;

// Comments of promises: the first may be followed by whom to ask, in words of their own.
constexpr absl::string_view kJoining = "joining";
constexpr absl::string_view kReturning = "returning";

std::string Nick(const ServerId& server) { return server.Short(kNickDigits); }

}  // namespace

Record PromiseRecord(const PersistentState& state) {
  Record record;
  if (state.vote.is_zero()) {
    record.body = TermRecord{state.term};
  } else {
    record.body = VoteRecord{state.term, state.vote};
  }
  if (state.joining()) {
    record.comment = absl::StrCat(state.returning ? kReturning : kJoining, " ",
                                  absl::StrJoin(state.remote_addresses, " "));
  }
  return record;
}

std::vector<Record> RecordsBehind(const PersistentState& state, Index index) {
  std::vector<Record> records;
  for (Index i = index + 1; i < state.log.end(); ++i) {
    records.push_back({EntryRecord{i, state.log.entry(i)}, {}});
  }
  records.push_back(PromiseRecord(state));
  if (state.commit_index > index) records.push_back({CommitRecord{state.commit_index}, {}});
  return records;
}

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
  if (!record.comment.empty()) ApplyComment(record.comment);
  if (const auto* term = std::get_if<TermRecord>(&record.body)) {
    RaiseTerm(term->term);
    return absl::OkStatus();
  }
  if (const auto* vote = std::get_if<VoteRecord>(&record.body)) return ApplyVote(*vote);
  if (!state_.has_log()) return absl::OkStatus();
  if (auto* entry = std::get_if<EntryRecord>(&record.body)) return ApplyEntry(std::move(*entry));
  if (const auto* leader = std::get_if<LeaderRecord>(&record.body)) return ApplyLeader(*leader);
  if (const auto* commit = std::get_if<CommitRecord>(&record.body)) return ApplyCommit(*commit);
  if (std::get<NoteRecord>(record.body).note == Note::kLeft) {
    state_.left = true;
    left_record_ = n_records_;
  }
  return absl::OkStatus();
}

void Replay::ApplyComment(absl::string_view comment) {
  const std::vector<std::string> words = absl::StrSplit(comment, ' ', absl::SkipEmpty());
  if (words.empty()) return;
  if (words[0] == kJoinedComment) {
    state_.remote_addresses.clear();
    state_.returning = false;
  } else if ((words[0] == kJoining || words[0] == kReturning) && words.size() > 1) {
    state_.remote_addresses.assign(words.begin() + 1, words.end());
    state_.returning = words[0] == kReturning;
  }
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
  const Log& log = state_.log;
  if (!state_.joining() && log.servers(log.last_index())->count(state_.server_id) == 0) {
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

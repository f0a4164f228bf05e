#include "tests/raft/sim/describe.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "tests/raft/sim/list.h"
#include "tests/raft/sim/world.h"

namespace raft::sim {
namespace {

std::string NameOfCommand(const EntryId& eid) {
  return eid.is_zero() ? "-" : absl::StrCat("c", CommandOfId(eid));
}

const char* ResultName(AppendResult result) {
  switch (result) {
    case AppendResult::kOk:
      return "ok";
    case AppendResult::kInconsistency:
      return "inconsistency";
    case AppendResult::kIoError:
      return "I/O error";
  }
  return "";
}

struct BodyText {
  std::string operator()(const HelloRequest& /*m*/) const { return "hello"; }
  std::string operator()(const AppendRequest& m) const {
    std::string text = absl::StrCat("append t", m.term, " after ", m.prev_log_index, "/t",
                                    m.prev_log_term, " commit ", m.leader_commit, " [");
    for (const Entry& entry : m.log) absl::StrAppend(&text, " ", Describe(entry));
    return text + " ]";
  }
  std::string operator()(const AppendReply& m) const {
    return absl::StrCat("append reply t", m.term, " ", ResultName(m.result), " after ",
                        m.prev_log_index, "/t", m.prev_log_term, " +", m.n_entries, " end ",
                        m.log_end);
  }
  std::string operator()(const VoteRequest& m) const {
    return absl::StrCat(m.is_prevote ? "pre-vote t" : "vote t", m.term, " last ", m.last_log_index,
                        "/t", m.last_log_term, m.leadership_transfer ? " transfer" : "");
  }
  std::string operator()(const VoteReply& m) const {
    return absl::StrCat(m.is_prevote ? "pre-vote reply t" : "vote reply t", m.term, " for ",
                        NameOf(m.vote));
  }
  std::string operator()(const AddServerRequest& /*m*/) const { return "add me"; }
  std::string operator()(const AddServerReply& m) const {
    return absl::StrCat("add reply ", m.success);
  }
  std::string operator()(const RemoveServerRequest& m) const {
    return absl::StrCat("remove ", NameOf(m.server));
  }
  std::string operator()(const RemoveServerReply& m) const {
    return absl::StrCat("remove reply ", m.success, " ", NameOf(m.target));
  }
  std::string operator()(const InstallSnapshotRequest& m) const {
    return absl::StrCat("install t", m.term, " snapshot ", m.snapshot.index, "/t", m.snapshot.term);
  }
  std::string operator()(const InstallSnapshotReply& m) const {
    return absl::StrCat("install reply t", m.term, " snapshot ", m.last_index, "/t", m.last_term);
  }
  std::string operator()(const BecomeLeader& m) const {
    return absl::StrCat("become leader t", m.term);
  }
  std::string operator()(const ExecuteRequest& m) const {
    return absl::StrCat("execute ", NameOfCommand(m.eid), " after ", NameOfCommand(m.prereq));
  }
  std::string operator()(const ExecuteReply& m) const {
    return absl::StrCat("execute reply ", NameOfCommand(m.eid), " ", CommandStatusText(m.status),
                        " commit ", m.commit_index);
  }
};

struct RecordText {
  std::string operator()(const EntryRecord& r) const {
    return absl::StrCat("entry ", r.index, " ", Describe(r.entry));
  }
  std::string operator()(const TermRecord& r) const { return absl::StrCat("term ", r.term); }
  std::string operator()(const VoteRecord& r) const {
    return absl::StrCat("vote t", r.term, " for ", NameOf(r.vote));
  }
  std::string operator()(const LeaderRecord& r) const {
    return absl::StrCat("leader t", r.term, " is ", NameOf(r.leader));
  }
  std::string operator()(const CommitRecord& r) const {
    return absl::StrCat("commit ", r.commit_index);
  }
  std::string operator()(const NoteRecord& r) const {
    return r.note == Note::kLeft ? "note left" : "note transfer leadership";
  }
};

}  // namespace

std::string Describe(const Message& message) {
  return absl::StrCat(std::visit(BodyText(), message.body), message.comment.empty() ? "" : " (",
                      message.comment, message.comment.empty() ? "" : ")");
}

std::string Describe(const Record& record) { return std::visit(RecordText(), record.body); }

std::string Describe(const Entry& entry) {
  std::string text = absl::StrCat("t", entry.term);
  if (entry.data != nullptr) absl::StrAppend(&text, ":", NameOfCommand(entry.eid));
  if (entry.servers != nullptr) absl::StrAppend(&text, ":", Describe(*entry.servers));
  if (entry.election_timer_ms != 0) absl::StrAppend(&text, ":", entry.election_timer_ms, "ms");
  return text;
}

std::string Describe(const Servers& servers) {
  std::string text = "{";
  for (const auto& [id, address] : servers) absl::StrAppend(&text, NameOf(id), " ");
  if (text.back() == ' ') text.pop_back();
  return text + "}";
}

}  // namespace raft::sim

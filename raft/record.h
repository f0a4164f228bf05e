// The records of a clustered database's file (ovsdb(5) "Clustered Format").
#ifndef RAFT_RECORD_H_
#define RAFT_RECORD_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "raft/types.h"

namespace raft {

// The first record.
struct Header {
  ServerId server_id;
  std::string local_address;
  std::string name;      // Of the database.
  ClusterId cluster_id;  // Zero: not known yet, in a file that is still to join.

  // Whom to ask to be added, in a file that is still to join. Otherwise empty, and there is a
  // snapshot.
  std::vector<std::string> remote_addresses;
  SnapshotInfo snapshot;
  Payload snapshot_data;  // `[schema, rows]`.
};

struct EntryRecord {
  Index index = 0;
  Entry entry;
};
struct TermRecord {
  Term term = 0;
};
struct VoteRecord {
  Term term = 0;
  ServerId vote;
};
struct LeaderRecord {
  Term term = 0;
  ServerId leader;
};
struct CommitRecord {
  Index commit_index = 0;
};
enum class Note { kTransferLeadership, kLeft, kOther };
struct NoteRecord {
  Note note = Note::kLeft;
  std::string other;  // The text of kOther, which means nothing to us.
};

absl::string_view NoteText(const NoteRecord& record);  // "left", ...

// Any but the first.
struct Record {
  std::variant<EntryRecord, TermRecord, VoteRecord, LeaderRecord, CommitRecord, NoteRecord> body;
  std::string comment;  // For people; may be empty.
};

// Append JSON text. Of a header with a snapshot `prev_data` is the last member: without data it is
// `null`, for writers that put it in by themselves. An election timer of 0 is left out, which
// stands for the default.
void AppendHeader(const Header& header, std::string* out);
void AppendRecord(const Record& record, std::string* out);

// Errors are mostly syntax errors that say which member is wrong, in stock's words: "syntax error:
// Parsing raft log record failed: ...".
absl::StatusOr<Header> ParseHeader(const ovsdb::Json& json);
absl::StatusOr<Record> ParseRecord(const ovsdb::Json& json);

}  // namespace raft

#endif  // RAFT_RECORD_H_

// The records of a clustered database's file (ovsdb(5) "Clustered Format").
#ifndef RAFT_RECORD_H_
#define RAFT_RECORD_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
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
enum class Note { kTransferLeadership, kLeft };
struct NoteRecord {
  Note note = Note::kLeft;
};

// Any but the first.
struct Record {
  std::variant<EntryRecord, TermRecord, VoteRecord, LeaderRecord, CommitRecord, NoteRecord> body;
  std::string comment;  // For people; may be empty.
};

// Append JSON text. The first form leaves out the snapshot's data where that is null, with a
// `prev_data` of `null`, for writers that put it in by themselves.
void AppendHeader(const Header& header, std::string* out);
void AppendRecord(const Record& record, std::string* out);

// Errors are syntax errors that say which member is wrong, in stock's words: "syntax error: Parsing
// raft record failed: ...".
absl::StatusOr<Header> ParseHeader(const ovsdb::Json& json);
absl::StatusOr<Record> ParseRecord(const ovsdb::Json& json);

}  // namespace raft

#endif  // RAFT_RECORD_H_

// The file of a clustered database (ovsdb(5) "Clustered Format"): a header with a snapshot, then
// the log's entries and what the server must not forget.
#ifndef SERVER_CLUSTER_CLUSTER_FILE_H_
#define SERVER_CLUSTER_CLUSTER_FILE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/database.h"
#include "ovsdb/history.h"
#include "ovsdb/log_json.h"
#include "ovsdb/uuid.h"
#include "raft/record.h"
#include "raft/replay.h"
#include "raft/types.h"
#include "server/log_file.h"

namespace server {

// ---- Reading ----

// The first record of a log from which nothing was read yet.
absl::StatusOr<raft::Header> ReadClusterHeader(LogFile* log);

// The next record, or nothing at the end. One that is no good is given back: reading has ended
// then.
absl::StatusOr<std::optional<raft::Record>> ReadClusterRecord(LogFile* log);

struct LoadedCluster {
  raft::PersistentState state;
  // The contents as of state.commit_index; null for a server that is still to join.
  std::unique_ptr<ovsdb::Database> database;
  // Why the reading ended before the end of the file; OK if it did not.
  absl::Status tail;
  // The newest of the changes that led to the contents, and the state that they began with.
  ovsdb::Uuid history_base;
  std::vector<ovsdb::NamedChange> history;
  uint64_t base_size = 0;  // Of the header record.
};

absl::StatusOr<LoadedCluster> LoadCluster(LogFile* log, ovsdb::UuidGenerator* uuids);

// An entry's data, `[schema, transaction]` with null for what is not there.
struct EntryData {
  ovsdb::SchemaRef schema;  // Null: unchanged.
  std::string transaction;  // JSON text; empty: none.
};
absl::StatusOr<EntryData> ParseEntryData(absl::string_view text);

// A database of the data of a snapshot or of an entry with a schema, checked. On any thread.
absl::StatusOr<std::unique_ptr<ovsdb::Database>> MakeDatabase(EntryData data,
                                                              ovsdb::UuidGenerator* uuids);

// ---- Writing ----

// Takes text piece by piece; what it returns, if not OK, ends the writing.
using Sink = absl::FunctionRef<absl::Status(absl::string_view)>;

// Writes the data of a snapshot of `contents`, or of an entry that makes them the whole content, in
// pieces of some 100 kB that end between characters; returns what the sink does. On any thread.
absl::Status WriteSnapshotData(const ovsdb::Snapshot& contents, int64_t date_msec, Sink sink);

// Writes the header as the first record; its data are `contents`, or the text `data`. On any
// thread.
absl::Status WriteClusterHeader(const raft::Header& header, const ovsdb::Snapshot& contents,
                                int64_t date_msec, LogWriter* writer);
absl::Status WriteClusterHeader(const raft::Header& header, absl::string_view data,
                                LogWriter* writer);

// Appends a framed record.
void FrameRaftRecord(const raft::Record& record, std::string* out);

}  // namespace server

#endif  // SERVER_CLUSTER_CLUSTER_FILE_H_

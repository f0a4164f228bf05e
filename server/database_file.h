// A standalone database in a file (ovsdb(5) "Standalone Format"): its schema is the first record,
// each later one a transaction.
#ifndef SERVER_DATABASE_FILE_H_
#define SERVER_DATABASE_FILE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"
#include "ovsdb/json.h"
#include "ovsdb/log_json.h"
#include "server/log_file.h"

namespace server {

// The next record as JSON, or nothing at the end. A record that is not a JSON object is rejected,
// as one with a bad header is. Strings of the document point into the log's memory: it is valid
// until the next call on the log.
absl::StatusOr<std::optional<ovsdb::JsonDocument>> ReadJson(LogFile* log);

// The JSON of `text`, which is, or was made of, the record that was read last. If it is not an
// object, the record is rejected.
absl::StatusOr<ovsdb::JsonDocument> ParseObject(absl::string_view text, LogFile* log);

// The first record of a log from which nothing was read yet.
absl::StatusOr<ovsdb::SchemaRef> ReadSchema(LogFile* log);

struct LoadedDatabase {
  std::unique_ptr<ovsdb::Database> database;
  // Why the reading ended before the end of the file; OK if it did not. The database has what was
  // read until then. Ask the log whether more records follow.
  absl::Status tail;
  // What had to be mended: the database has it, the file does not. See RecordMends().
  ovsdb::Change mends;
  size_t n_transactions = 0;
  uint64_t base_size = 0;  // Of schema and first transaction: all there is in a compacted file.
};

// Reads schema and transactions. An error if there is no schema to begin with, or if the rows do
// not go together: strong references to nothing, values of a unique index that occur twice, more
// rows than a table may have. Weak references to nothing are dropped.
absl::StatusOr<LoadedDatabase> LoadDatabase(LogFile* log);

// Has the file say what the database says. Before anything else is written to it: records tell of
// differences.
absl::Status RecordMends(const LoadedDatabase& loaded, int64_t date_msec, ovsdb::RecordForm form,
                         LogFile* log);

// Adds the rows of `change` to a database that is being filled, or removes them.
void LoadRows(const ovsdb::Change& change, ovsdb::Database* database);

// Of the JSON of a snapshot's rows; only a guess: see LogWriter::BeginRecord.
uint64_t ExpectedSize(const ovsdb::Snapshot& snapshot);

// Writes schema and rows as the whole content of a file. On any thread. With nothing before it the
// record is the same in either form but for the mark, which stock's server sets and its tool does
// not.
absl::Status WriteDatabase(const ovsdb::Snapshot& snapshot, absl::string_view comment,
                           int64_t date_msec, ovsdb::RecordForm form, LogWriter* writer);

}  // namespace server

#endif  // SERVER_DATABASE_FILE_H_

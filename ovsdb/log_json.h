// The JSON of a database file's records (ovsdb(5) "Database File Format"): a change or a whole
// state as a record, and back. Framing, hashes and bytes on disk are the caller's.
//
// The first record of a file is the schema (DatabaseSchema::AppendJson); the others are what is
// here:
//
//   {"_date": 1700000000000, "_is_diff": true, "_comment": "...",
//    TABLE: {UUID: {COLUMN: VALUE, ...} or null, ...}, ...}
#ifndef OVSDB_LOG_JSON_H_
#define OVSDB_LOG_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"

namespace ovsdb {

// How a record holds the columns of a row that was modified.
enum class RecordForm {
  kDifferences,  // Of sets and maps the difference ("_is_diff", OVS 2.15 and later).
  kValues,       // All new values, which any OVS reads.
};

// Whether a change has something that is kept in a file: ephemeral columns and a comment alone are
// not, nor is a row that only has another version.
bool LeavesRecord(const DatabaseSchema& schema, const Change& change);

// Appends the record of a change at `date_msec` since the epoch. False, and nothing is appended, if
// it leaves none.
bool AppendRecord(const DatabaseSchema& schema, const Change& change, int64_t date_msec,
                  RecordForm form, std::string* out);

// Writes the one record that holds all rows of a snapshot, in pieces of some 100 kB, until one is
// refused; returns that status. On any thread.
absl::Status WriteSnapshotRecord(const Snapshot& snapshot, int64_t date_msec,
                                 absl::string_view comment, RecordForm form,
                                 absl::FunctionRef<absl::Status(absl::string_view)> write);

struct Record {
  Change change;  // Against the database's current rows; not applied, nor checked by anyone.
  int64_t date_msec = 0;  // Since the epoch; 0 if the record has none.
};

// Reads a record row by row: no tree of it as a whole is made. `text` is overwritten, and must be
// followed by one more byte that may be, too. Row versions are new, from `uuids`.
// Errors: kInvalidArgument without an OVSDB error (error.h) for what is no JSON object; else the
// errors of stock, about the row or value that is wrong.
absl::StatusOr<Record> ReadRecord(const Database& database, char* text, size_t size,
                                  UuidGenerator* uuids);

}  // namespace ovsdb

#endif  // OVSDB_LOG_JSON_H_

// The content of a database under another schema (ovsdb-server(7) "convert", ovsdb-tool(1)).
#ifndef OVSDB_CONVERT_H_
#define OVSDB_CONVERT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"
#include "ovsdb/schema.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// What becomes of a value that is its old type's default.
enum class OldDefault {
  kConvert,  // It is converted like any other: online conversion.
  kReplace,  // It becomes the new type's default: as if read from a file, which leaves defaults
             // out.
};

// The rows of `from` as insertions into an empty database of the schema `to`; UUIDs stay. Tables
// and columns that `to` lacks are dropped, new columns get their defaults. A value of a column
// whose type has changed must fit the new one as its JSON would: otherwise the error that JSON
// would give. Constraints between rows are not looked at. Any thread.
absl::StatusOr<Change> ConvertRows(const Snapshot& from, const DatabaseSchema& to,
                                   OldDefault defaults, UuidGenerator* uuids);

// The same as a database, with all that a commit checks: references, indexes, numbers of rows;
// rows that garbage collection takes are gone.
absl::StatusOr<std::unique_ptr<Database>> ConvertDatabase(const Snapshot& from, const SchemaRef& to,
                                                          OldDefault defaults,
                                                          UuidGenerator* uuids);

}  // namespace ovsdb

#endif  // OVSDB_CONVERT_H_

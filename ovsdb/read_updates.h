// What a replica makes of the updates that a monitor tells it: <table-updates> (RFC 7047 section
// 4.1.6) or <table-updates2> (ovsdb-server(7) section 4.1.14), any JSON, as a change.
//
// The monitor must show whole tables: every row, and of each column what changes. The change is
// neither checked nor applied; CheckChange (transaction.h) does the former. Errors are OVSDB errors
// (error.h): what is told does not fit the replica, which must then ask for everything again.
#ifndef OVSDB_READ_UPDATES_H_
#define OVSDB_READ_UPDATES_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"
#include "ovsdb/json.h"
#include "ovsdb/update_json.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// The change of `replica` that `updates` tell of.
absl::StatusOr<Change> ReadUpdates(const Database& replica, MonitorVersion version,
                                   const Json& updates, UuidGenerator* uuids);

// `updates` are the initial rows: the change that makes them the whole contents of those tables
// that are `monitored`, and leaves alone rows that are so already.
absl::StatusOr<Change> ReadContents(const Database& replica, MonitorVersion version,
                                    const Json& updates,
                                    absl::FunctionRef<bool(const TableSchema&)> monitored,
                                    UuidGenerator* uuids);

}  // namespace ovsdb

#endif  // OVSDB_READ_UPDATES_H_

// Weak references to rows that are not there, in databases that somebody else has written: a
// transaction leaves none (integrity.h), and no client expects any.
#ifndef OVSDB_DANGLING_H_
#define OVSDB_DANGLING_H_

#include "absl/status/statusor.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// The change that takes them out, not applied; empty where there are none. "constraint violation"
// if a column would have less than it must have.
absl::StatusOr<Change> DropDanglingReferences(const Database& db, UuidGenerator* uuids);

}  // namespace ovsdb

#endif  // OVSDB_DANGLING_H_

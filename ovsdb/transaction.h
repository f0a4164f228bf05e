// Executing a `transact` request (RFC 7047 section 4.1.3): operations run on an overlay over the
// current state; if all succeed and the checks hold, the outcome is a Change that nobody has
// applied yet.
#ifndef OVSDB_TRANSACTION_H_
#define OVSDB_TRANSACTION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"
#include "ovsdb/json.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// Who asks, and what the pure engine may not find out by itself.
struct TransactionContext {
  bool read_only = false;          // From a read-only remote: writes are "not allowed".
  absl::string_view role;          // RBAC role, or empty: unrestricted.
  absl::string_view client_id;     // RBAC identity.
  UuidGenerator* uuids = nullptr;  // For new rows and versions. Required.
  std::function<bool(absl::string_view)> owns_lock;  // For `assert`. Null: owns none.
  int64_t elapsed_msec = 0;  // Since the request was first tried, for `wait`.
  bool can_wait = true;      // False: a `wait` that does not hold yet is "not supported".
};

struct TransactionOutcome {
  // A `wait` does not hold yet: try again when the database has changed, or `timeout_msec` after
  // the request was first tried at the latest (none: only on change). Nothing else is set then.
  bool must_wait = false;
  std::optional<int64_t> timeout_msec;

  std::string
      result;  // The JSON array of per-operation results (with a trailing commit error if any).
  bool operations_ok = false;  // All operations succeeded, whatever the checks behind them say.
  bool committed = false;      // False: failed or aborted; then `change` is empty.
  bool durable = false;    // A `commit` asked for it.
  Change change;           // Not applied. Empty for read-only transactions.
};

// `params` is the whole params array: [db-name, op...]; the name has been looked at by the caller.
// Pure: leaves the database as it was.
TransactionOutcome ExecuteTransaction(const Database& db, const Json& params,
                                      const TransactionContext& context);

// For changes that do not come from a request (replicas, conversion, file replay of a full state):
// runs the commit checks on proposed rows and completes the change with what garbage collection and
// weak references add. `change.before` rows must be current.
absl::StatusOr<Change> CheckChange(const Database& db, Change change, UuidGenerator* uuids);

}  // namespace ovsdb

#endif  // OVSDB_TRANSACTION_H_

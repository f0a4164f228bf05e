// Role-based access control (ovsdb-server(1), ovsdb(7) "Role-Based Access Control"): what a client
// whose remote has a role may change.
//
// The rules are rows of the database itself: RBAC_Role maps a role and a table to an
// RBAC_Permission, which names the columns that identify the client (`authorization`), whether
// it may insert and delete rows that are its own, and which columns of them it may update.
#ifndef OVSDB_RBAC_H_
#define OVSDB_RBAC_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"

namespace ovsdb {

class Database;

// The rules for one operation of one client. Without a role everything is allowed, and making a
// guard costs nothing. Valid as long as the database is not changed.
class RoleGuard {
 public:
  enum class Action { kInsert, kUpdate, kMutate, kDelete };

  // `role` and `client_id` must outlive the guard.
  RoleGuard(const Database& db, absl::string_view role, absl::string_view client_id,
            const TableSchema& table, Action action);

  // Before any row is looked at: what a role does to a table that it knows nothing of is refused
  // even if it would touch no row.
  absl::Status CheckTable() const;
  // `row` as it is before the operation (for an insertion: the new row). `columns` are those that
  // an update or mutation writes, by ColumnSchema::index.
  absl::Status CheckRow(const Row& row, absl::Span<const int> columns) const;

 private:
  bool Identifies(const Row& row) const;
  bool ColumnIdentifies(const Row& row, absl::string_view authorization) const;
  bool MayWrite(absl::Span<const int> columns) const;
  absl::Status Denied() const;

  absl::string_view role_;
  absl::string_view client_id_;
  const TableSchema& table_;
  Action action_;
  const Row* permission_ = nullptr;  // Null: the role has none for the table.
  const TableSchema* permission_table_ = nullptr;
};

// The error that a client with a role is given for `convert`.
absl::Status ConvertDenied(absl::string_view role, absl::string_view client_id,
                           absl::string_view database);

}  // namespace ovsdb

#endif  // OVSDB_RBAC_H_

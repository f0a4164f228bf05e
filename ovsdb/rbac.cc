#include "ovsdb/rbac.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ovsdb/database.h"
#include "ovsdb/error.h"

namespace ovsdb {
namespace {

constexpr char kRoleTable[] = "RBAC_Role";
constexpr char kPermissionTable[] = "RBAC_Permission";

// The value of a column, or nothing if the table has no such column of the type.
Datum Column(const TableSchema& table, const Row& row, absl::string_view name, AtomType key) {
  const ColumnSchema* column = table.FindColumn(name);
  if (column == nullptr || column->type.key.type != key) return Datum();
  return row.datum(column->index);
}

const Row* FindRole(const Table& roles, absl::string_view role) {
  const Row* found = nullptr;
  const Atom name = Atom::String(role);
  roles.ForEach([&](const Row& row) {
    if (found == nullptr && Column(roles.schema(), row, "name", AtomType::kString).Contains(name)) {
      found = &row;
    }
  });
  return found;
}

absl::string_view Deed(RoleGuard::Action action) {
  switch (action) {
    case RoleGuard::Action::kInsert:
      return "row insertion into";
    case RoleGuard::Action::kUpdate:
      return "modification of";
    case RoleGuard::Action::kMutate:
      return "mutate operation on";
    case RoleGuard::Action::kDelete:
      return "row deletion from";
  }
  return "";
}

std::string Prohibit(absl::string_view role, absl::string_view client_id) {
  if (client_id.empty()) client_id = "(null)";
  return absl::StrCat("RBAC rules for client \"", client_id, "\" role \"", role, "\" prohibit ");
}

}  // namespace

RoleGuard::RoleGuard(const Database& db, absl::string_view role, absl::string_view client_id,
                     const TableSchema& table, Action action)
    : role_(role), client_id_(client_id), table_(table), action_(action) {
  if (role_.empty()) return;
  const TableSchema* roles = db.schema().FindTable(kRoleTable);
  if (roles == nullptr) {
    role_ = {};  // A database that knows no roles has no rules for them.
    return;
  }
  permission_table_ = db.schema().FindTable(kPermissionTable);
  // Nobody is anybody without a name.
  if (permission_table_ == nullptr || client_id_.empty()) return;
  const Row* row = FindRole(db.table(roles->index), role_);
  if (row == nullptr) return;
  const Datum permissions = Column(*roles, *row, "permissions", AtomType::kString);
  const int i = permissions.Find(Atom::String(table_.name));
  if (i < 0 || permissions.value_type() != AtomType::kUuid) return;
  permission_ = db.table(permission_table_->index).Find(permissions.value(i).uuid());
}

absl::Status RoleGuard::CheckTable() const {
  return !role_.empty() && permission_ == nullptr ? Denied() : absl::OkStatus();
}

absl::Status RoleGuard::CheckRow(const Row& row, absl::Span<const int> columns) const {
  if (role_.empty()) return absl::OkStatus();
  if (permission_ == nullptr || !Identifies(row)) return Denied();
  const bool writes_columns = action_ == Action::kUpdate || action_ == Action::kMutate;
  const bool allowed =
      writes_columns ? MayWrite(columns)
                     : Column(*permission_table_, *permission_, "insert_delete", AtomType::kBoolean)
                           .Contains(Atom::Boolean(true));
  return allowed ? absl::OkStatus() : Denied();
}

bool RoleGuard::Identifies(const Row& row) const {
  const Datum authorization =
      Column(*permission_table_, *permission_, "authorization", AtomType::kString);
  for (size_t i = 0; i < authorization.size(); i++) {
    if (ColumnIdentifies(row, authorization.key(i).string())) return true;
  }
  return false;
}

// `authorization` is COLUMN, COLUMN:KEY or empty, which means anybody.
bool RoleGuard::ColumnIdentifies(const Row& row, absl::string_view authorization) const {
  if (authorization.empty()) return true;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(authorization, absl::MaxSplits(':', 1));
  const Datum datum = Column(table_, row, parts.first, AtomType::kString);
  const Atom client = Atom::String(client_id_);
  if (!datum.is_map()) return datum.Contains(client);
  const int i = datum.Find(Atom::String(parts.second));
  return i >= 0 && datum.value_type() == AtomType::kString && datum.value(i) == client;
}

bool RoleGuard::MayWrite(absl::Span<const int> columns) const {
  const Datum update = Column(*permission_table_, *permission_, "update", AtomType::kString);
  return std::all_of(columns.begin(), columns.end(), [&](int column) {
    return update.Contains(Atom::String(table_.columns[column].name));
  });
}

absl::Status RoleGuard::Denied() const {
  return Error(kPermissionError, absl::StrCat(Prohibit(role_, client_id_), Deed(action_),
                                              " table \"", table_.name, "\"."));
}

absl::Status ConvertDenied(absl::string_view role, absl::string_view client_id,
                           absl::string_view database) {
  return Error(kPermissionError,
               absl::StrCat(Prohibit(role, client_id), "\"convert\" of database ", database,
                            " (only the root role may convert databases)"));
}

}  // namespace ovsdb

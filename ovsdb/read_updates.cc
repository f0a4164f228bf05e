#include "ovsdb/read_updates.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/row_json.h"

namespace ovsdb {
namespace {

// What one row update says.
struct RowUpdate {
  enum Kind { kInsert, kModify, kDelete };
  Kind kind;
  const Json* columns = nullptr;  // An object, but for kDelete.
  bool is_diff = false;
};

absl::StatusOr<RowUpdate> ReadRowUpdate(MonitorVersion version, const Json& json) {
  if (!json.IsObject()) return SyntaxError(json, "<row-update> must be object");
  RowUpdate update;
  if (version == MonitorVersion::kV1) {
    const bool has_old = FindMember(json, "old") != nullptr;
    update.columns = FindMember(json, "new");
    update.kind = update.columns == nullptr ? RowUpdate::kDelete
                  : has_old                 ? RowUpdate::kModify
                                            : RowUpdate::kInsert;
    if (!has_old && update.columns == nullptr) {
      return SyntaxError(json, "<row-update> missing \"old\" and \"new\" members");
    }
  } else if (FindMember(json, "delete") != nullptr) {
    update.kind = RowUpdate::kDelete;
  } else if ((update.columns = FindMember(json, "modify")) != nullptr) {
    update.kind = RowUpdate::kModify;
    update.is_diff = true;
  } else {
    update.kind = RowUpdate::kInsert;
    update.columns = FindMember(json, "insert");
    if (update.columns == nullptr) update.columns = FindMember(json, "initial");
    if (update.columns == nullptr) return SyntaxError(json, "<row-update2> without known member");
  }
  if (update.columns != nullptr && !update.columns->IsObject()) {
    return SyntaxError(*update.columns, "<row> must be object");
  }
  return update;
}

bool SameColumns(const TableSchema& table, const Row& a, const Row& b) {
  for (size_t i = TableSchema::kFirstRealColumn; i < table.columns.size(); ++i) {
    const int column = static_cast<int>(i);
    if (!(a.datum(column) == b.datum(column))) return false;
  }
  return true;
}

class UpdateReader {
 public:
  UpdateReader(const Database& replica, MonitorVersion version, UuidGenerator* uuids)
      : replica_(replica), version_(version), uuids_(uuids) {
    tables_.resize(replica.schema().tables.size());
    told_.resize(tables_.size());
  }

  absl::Status Read(const Json& updates) {
    if (!updates.IsObject()) return SyntaxError(updates, "<table-updates> is not an object");
    for (const auto& member : updates.GetObject()) {
      const TableSchema* table = replica_.schema().FindTable(StringView(member.name));
      if (table == nullptr) {
        return Error("unknown table",
                     absl::StrCat("No table named ", StringView(member.name), "."));
      }
      if (!member.value.IsObject()) {
        return SyntaxError(member.value, "<table-update> is not an object");
      }
      tables_[table->index].reserve(member.value.MemberCount());
      told_[table->index].reserve(member.value.MemberCount());
      for (const auto& row : member.value.GetObject()) {
        absl::Status status = ReadRow(*table, StringView(row.name), row.value);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  // Deletes the rows of a table that were not told of.
  void DeleteOthers(const TableSchema& schema) {
    const Table& table = replica_.table(schema.index);
    const absl::flat_hash_set<Uuid>& told = told_[schema.index];
    table.ForEach([&](const Row& row) {
      if (!told.contains(row.uuid())) {
        tables_[schema.index].push_back({table.FindRef(row.uuid()), nullptr});
      }
    });
  }
  Change Take() {
    Change change;
    for (size_t i = 0; i < tables_.size(); ++i) {
      if (tables_[i].empty()) continue;
      change.tables.push_back({static_cast<int>(i), std::move(tables_[i])});
    }
    return change;
  }

 private:
  absl::Status ReadRow(const TableSchema& table, absl::string_view name, const Json& json) {
    const std::optional<Uuid> uuid = Uuid::Parse(name);
    if (!uuid) {
      return Error(kSyntaxError,
                   absl::StrCat("<table-update> names row with bad UUID \"", name, "\""));
    }
    absl::StatusOr<RowUpdate> update = ReadRowUpdate(version_, json);
    if (!update.ok()) return update.status();
    if (!told_[table.index].insert(*uuid).second) {
      return Error(kSyntaxError, absl::StrCat("<table-update> names row ", name, " twice"));
    }

    RowRef before = replica_.table(table.index).FindRef(*uuid);
    if (update->kind == RowUpdate::kDelete) {
      if (before) tables_[table.index].push_back({std::move(before), nullptr});
      return absl::OkStatus();
    }
    if (update->kind == RowUpdate::kModify && !before) {
      return Error("consistency violation",
                   absl::StrCat("update of row ", name, " that does not exist in ", table.name));
    }
    MutableRow row = update->kind == RowUpdate::kModify ? MutableRow(*before, uuids_->Next())
                                                        : MutableRow(table, *uuid, uuids_->Next());
    absl::Status status = ReadColumns(table, *update->columns, update->is_diff, &row);
    if (!status.ok()) return status;
    if (before && SameColumns(table, *before, row.row())) return absl::OkStatus();
    tables_[table.index].push_back({std::move(before), std::move(row).Finish()});
    return absl::OkStatus();
  }

  const Database& replica_;
  const MonitorVersion version_;
  UuidGenerator* const uuids_;
  std::vector<std::vector<RowChange>> tables_;   // By TableSchema::index.
  std::vector<absl::flat_hash_set<Uuid>> told_;  // The rows told of, likewise.
};

}  // namespace

absl::StatusOr<Change> ReadUpdates(const Database& replica, MonitorVersion version,
                                   const Json& updates, UuidGenerator* uuids) {
  UpdateReader reader(replica, version, uuids);
  absl::Status status = reader.Read(updates);
  if (!status.ok()) return status;
  return reader.Take();
}

absl::StatusOr<Change> ReadContents(const Database& replica, MonitorVersion version,
                                    const Json& updates,
                                    absl::FunctionRef<bool(const TableSchema&)> monitored,
                                    UuidGenerator* uuids) {
  UpdateReader reader(replica, version, uuids);
  absl::Status status = reader.Read(updates);
  if (!status.ok()) return status;
  for (const TableSchema& table : replica.schema().tables) {
    if (monitored(table)) reader.DeleteOthers(table);
  }
  return reader.Take();
}

}  // namespace ovsdb

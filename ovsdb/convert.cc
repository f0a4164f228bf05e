#include "ovsdb/convert.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "ovsdb/transaction.h"

namespace ovsdb {
namespace {

// How one column's values get into the new table.
struct ColumnPlan {
  const ColumnSchema* from;
  const ColumnSchema* to;
  bool same_type;
};

std::vector<ColumnPlan> PlanColumns(const TableSchema& from, const TableSchema& to) {
  std::vector<ColumnPlan> plan;
  for (const ColumnSchema& column : to.columns) {
    if (column.index < TableSchema::kFirstRealColumn) continue;
    const ColumnSchema* old = from.FindColumn(column.name);
    if (old != nullptr) plan.push_back({old, &column, old->type == column.type});
  }
  return plan;
}

// A real number is no integer, not even if it would look like one in a message.
absl::Status CheckNumber(const Atom& atom, const BaseType& from, const BaseType& to) {
  if (from.type != AtomType::kReal || to.type != AtomType::kInteger) return absl::OkStatus();
  return SyntaxError(Json(atom.real()), "expected integer");
}

absl::StatusOr<Datum> ConvertDatum(const Datum& datum, const ColumnType& from,
                                   const ColumnType& to) {
  if (!datum.empty()) {
    if (absl::Status s = CheckNumber(datum.key(0), from.key, to.key); !s.ok()) return s;
    if (from.is_map()) {
      if (absl::Status s = CheckNumber(datum.value(0), from.value, to.value); !s.ok()) return s;
    }
  }
  std::string text;
  datum.AppendJson(from.is_map(), &text, RealForm::kExact);
  absl::StatusOr<JsonDocument> json = ParseJsonInSitu(&text);
  if (!json.ok()) return json.status();
  return to.ParseDatum(*json, nullptr);
}

absl::StatusOr<RowRef> ConvertRow(const Row& row, const TableSchema& to,
                                  const std::vector<ColumnPlan>& plan, OldDefault defaults,
                                  UuidGenerator* uuids) {
  MutableRow converted(to, row.uuid(), uuids->Next());
  for (const ColumnPlan& column : plan) {
    const Datum& datum = row.datum(column.from->index);
    if (column.same_type) {
      converted.Set(column.to->index, datum);
      continue;
    }
    if (defaults == OldDefault::kReplace && column.from->type.IsDefault(datum)) continue;
    absl::StatusOr<Datum> value = ConvertDatum(datum, column.from->type, column.to->type);
    if (!value.ok()) return value.status();
    converted.Set(column.to->index, *std::move(value));
  }
  return std::move(converted).Finish();
}

absl::StatusOr<TableChange> ConvertTable(const TableSnapshot& from, const TableSchema& to,
                                         OldDefault defaults, UuidGenerator* uuids) {
  const std::vector<ColumnPlan> plan = PlanColumns(from.schema(), to);
  TableChange change;
  change.table = to.index;
  change.rows.reserve(from.size());
  absl::Status status;
  from.ForEach([&](const RowRef& row) {
    if (!status.ok()) return;
    absl::StatusOr<RowRef> converted = ConvertRow(*row, to, plan, defaults, uuids);
    if (converted.ok()) {
      change.rows.push_back({nullptr, *std::move(converted)});
    } else {
      status = converted.status();
    }
  });
  if (!status.ok()) return status;
  return change;
}

}  // namespace

absl::StatusOr<Change> ConvertRows(const Snapshot& from, const DatabaseSchema& to,
                                   OldDefault defaults, UuidGenerator* uuids) {
  Change change;
  for (const TableSchema& table : to.tables) {
    const TableSchema* old = from.schema->FindTable(table.name);
    if (old == nullptr || from.tables[old->index].size() == 0) continue;
    auto converted = ConvertTable(from.tables[old->index], table, defaults, uuids);
    if (!converted.ok()) return converted.status();
    change.tables.push_back(*std::move(converted));
  }
  return change;
}

absl::StatusOr<std::unique_ptr<Database>> ConvertDatabase(const Snapshot& from, const SchemaRef& to,
                                                          OldDefault defaults,
                                                          UuidGenerator* uuids) {
  auto database = std::make_unique<Database>(to);
  absl::StatusOr<Change> rows = ConvertRows(from, *to, defaults, uuids);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<Change> checked = CheckChange(*database, *std::move(rows), uuids);
  if (!checked.ok()) return checked.status();
  database->Apply(*checked);
  return database;
}

}  // namespace ovsdb

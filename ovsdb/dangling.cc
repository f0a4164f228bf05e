#include "ovsdb/dangling.h"

#include <optional>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/table_plan.h"
#include "ovsdb/transaction.h"

namespace ovsdb {
namespace {

bool IsDangling(const Database& db, const BaseType& type, const Atom& atom) {
  return type.is_weak_ref() && db.table(type.ref_table_index).Find(atom.uuid()) == nullptr;
}

// The elements of a value that stay; nothing if all do.
std::optional<Datum> Cleaned(const Database& db, const ColumnType& type, const Datum& datum) {
  absl::InlinedVector<Atom, 16> keys, values;
  for (size_t i = 0; i < datum.size(); i++) {
    if (IsDangling(db, type.key, datum.key(i))) continue;
    if (datum.is_map() && IsDangling(db, type.value, datum.value(i))) continue;
    keys.push_back(datum.key(i));
    if (datum.is_map()) values.push_back(datum.value(i));
  }
  if (keys.size() == datum.size()) return std::nullopt;
  return MakeDatum(keys, values);
}

// The row without them; null if it has none.
absl::StatusOr<RowRef> Cleaned(const Database& db, const TableSchema& table, const Row& row,
                               UuidGenerator* uuids) {
  std::optional<MutableRow> cleaned;
  for (int column : db.plan(table.index).weak_columns) {
    const ColumnSchema& schema = table.columns[column];
    std::optional<Datum> datum = Cleaned(db, schema.type, row.datum(column));
    if (!datum) continue;
    if (datum->size() < schema.type.n_min) {
      return Error(kConstraintViolation,
                   absl::StrCat("Table ", table.name, " column ", schema.name, " row ",
                                row.uuid().ToString(),
                                " has weak references to nonexistent rows that it cannot do "
                                "without."));
    }
    if (!cleaned) cleaned.emplace(row, uuids->Next());
    cleaned->Set(column, *std::move(datum));
  }
  return cleaned ? std::move(*cleaned).Finish() : RowRef();
}

}  // namespace

absl::StatusOr<Change> DropDanglingReferences(const Database& db, UuidGenerator* uuids) {
  Change change;
  for (const TableSchema& table : db.schema().tables) {
    if (db.plan(table.index).weak_columns.empty()) continue;
    const Table& rows = db.table(table.index);
    TableChange cleaned{table.index, {}};
    absl::Status status;
    rows.ForEach([&](const Row& row) {
      absl::StatusOr<RowRef> after = Cleaned(db, table, row, uuids);
      if (!after.ok()) {
        status = after.status();
      } else if (*after != nullptr) {
        cleaned.rows.push_back({rows.FindRef(row.uuid()), *std::move(after)});
      }
    });
    if (!status.ok()) return status;
    if (!cleaned.rows.empty()) change.tables.push_back(std::move(cleaned));
  }
  // A pair of a map may take a strong reference along, and that its target.
  return change.tables.empty() ? change : CheckChange(db, std::move(change), uuids);
}

}  // namespace ovsdb

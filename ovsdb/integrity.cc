#include "ovsdb/integrity.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "ovsdb/error.h"
#include "ovsdb/index.h"
#include "ovsdb/references.h"
#include "ovsdb/table_plan.h"

namespace ovsdb {
namespace {

using Entry = Overlay::Entry;
constexpr uint32_t kUnlimitedRows = std::numeric_limits<uint32_t>::max();

using Positions = absl::InlinedVector<size_t, 4>;  // Of entries in the overlay.

class Checker {
 public:
  explicit Checker(Overlay* overlay) : overlay_(*overlay), db_(overlay->db()) {}

  absl::Status Run();

 private:
  const TableSchema& schema(const Entry& entry) const { return db_.schema().tables[entry.table]; }
  const TablePlan& plan(const Entry& entry) const { return db_.plan(entry.table); }
  bool Exists(int table, const Uuid& uuid) const { return overlay_.Find(table, uuid) != nullptr; }

  void DropUnchanged();

  absl::Status CountReferences();
  void CountReferences(size_t position, const Row* before, const Row* after);
  int64_t ReferenceCount(const Entry& entry) const;
  absl::Status CheckDeletions();
  bool CollectGarbage();

  absl::Status CheckMaxRows();
  int64_t Growth(int table) const;

  absl::Status RemoveDanglingReferences();
  bool HasNewDanglingReference(const Entry& entry) const;
  absl::Status RemoveDanglingReferences(size_t position);
  bool IsDangling(const ColumnType& type, const Datum& datum, size_t i) const;
  absl::Status BecameEmpty(const Entry& entry, const ColumnSchema& column,
                           const Datum& before) const;

  absl::Status CheckIndexes();
  absl::Status CheckIndex(int table, const UniqueIndex& index);
  const Row* Conflict(const Entry& entry, const UniqueIndex& index) const;

  Overlay& overlay_;
  const Database& db_;
  Positions garbage_candidates_;  // Rows of tables that are not root: new, or less referred to.
  absl::Status nonexistent_;      // The first strong reference to a row that is not there.
};

absl::Status Checker::Run() {
  DropUnchanged();
  if (absl::Status status = CountReferences(); !status.ok()) return status;
  if (absl::Status status = CheckDeletions(); !status.ok()) return status;
  CollectGarbage();
  if (absl::Status status = CheckMaxRows(); !status.ok()) return status;
  // A pair that leaves a map for its weak reference may take a strong one along.
  do {
    if (absl::Status status = RemoveDanglingReferences(); !status.ok()) return status;
  } while (CollectGarbage());
  return CheckIndexes();
}

bool IsEqual(const TableSchema& table, const Row& a, const Row& b) {
  for (size_t i = TableSchema::kFirstRealColumn; i < table.columns.size(); i++) {
    if (!(a.datum(i) == b.datum(i))) return false;
  }
  return true;
}

void Checker::DropUnchanged() {
  for (size_t i = 0; i < overlay_.size(); i++) {
    Entry& entry = overlay_.entry(i);
    const bool was_modified = entry.before != nullptr && entry.after.has_value();
    if (was_modified && IsEqual(schema(entry), *entry.before, entry.after->row())) {
      entry.after.reset();
    }
  }
}

absl::Status Checker::CountReferences() {
  const size_t n_changed = overlay_.size();  // What is added meanwhile are only targets.
  for (size_t i = 0; i < n_changed; i++) {
    const Entry& entry = overlay_.entry(i);
    if (!entry.is_changed()) continue;
    if (entry.is_inserted() && !schema(entry).is_root) garbage_candidates_.push_back(i);
    CountReferences(i, entry.before, entry.current());
  }
  return nonexistent_;
}

// Adds the strong references that a row gains or loses to the entries of their targets.
void Checker::CountReferences(size_t position, const Row* before, const Row* after) {
  const int table = overlay_.entry(position).table;
  const Uuid uuid = overlay_.entry(position).uuid;
  const TableSchema& source = db_.schema().tables[table];
  for (int column : db_.plan(table).strong_columns) {
    auto count = [&](int target_table, const Uuid& target, int sign) {
      const TableSchema& target_schema = db_.schema().tables[target_table];
      const int i = overlay_.Touch(target_table, target);
      // Rows that are deleted from the database are CheckDeletions' matter.
      const bool exists = i >= 0 && !(overlay_.entry(i).deleted && !overlay_.entry(i).before);
      if (sign > 0 && !exists && nonexistent_.ok()) {
        nonexistent_ =
            Error(kReferentialIntegrity,
                  absl::StrCat("Table ", source.name, " column ", source.columns[column].name,
                               " row ", uuid.ToString(), " references nonexistent row ",
                               target.ToString(), " in table ", target_schema.name, "."));
      }
      const bool is_self = target_table == table && target == uuid;
      if (i < 0 || is_self) return;
      overlay_.entry(i).added_references += sign;
      if (sign < 0 && !target_schema.is_root) garbage_candidates_.push_back(i);
    };
    DiffReferences(source.columns[column], RefType::kStrong, before, after, count);
  }
}

int64_t Checker::ReferenceCount(const Entry& entry) const {
  return db_.references().strong_count(entry.table, entry.uuid) + entry.added_references;
}

absl::Status Checker::CheckDeletions() {
  for (size_t i = 0; i < overlay_.size(); i++) {
    const Entry& entry = overlay_.entry(i);
    if (!entry.deleted || entry.before == nullptr) continue;
    const int64_t count = ReferenceCount(entry);
    if (count == 0) continue;
    return Error(kReferentialIntegrity,
                 absl::StrCat("cannot delete ", schema(entry).name, " row ", entry.uuid.ToString(),
                              " because of ", count, " remaining reference(s)"));
  }
  return absl::OkStatus();
}

// Deletes rows to which no strong reference is left. Returns whether there were any.
bool Checker::CollectGarbage() {
  bool found_any = false;
  while (!garbage_candidates_.empty()) {
    const size_t position = garbage_candidates_.back();
    garbage_candidates_.pop_back();
    const Row* row = overlay_.entry(position).current();
    if (row == nullptr || ReferenceCount(overlay_.entry(position)) != 0) continue;
    found_any = true;
    CountReferences(position, row, nullptr);
    overlay_.Delete(overlay_.entry(position).table, *row);
  }
  return found_any;
}

// Tables in the order in which the transaction came upon them, so that stock names the same one.
absl::Status Checker::CheckMaxRows() {
  absl::InlinedVector<int, 4> checked;
  for (size_t i = 0; i < overlay_.size(); i++) {
    const Entry& entry = overlay_.entry(i);
    const TableSchema& table = schema(entry);
    if (table.max_rows == kUnlimitedRows) continue;
    if (std::find(checked.begin(), checked.end(), table.index) != checked.end()) continue;
    checked.push_back(table.index);
    const int64_t n_rows = db_.table(table.index).size() + Growth(table.index);
    if (n_rows <= table.max_rows) continue;
    return Error(kConstraintViolation,
                 absl::StrCat("transaction causes \"", table.name, "\" table to contain ", n_rows,
                              " rows, greater than the schema-defined limit of ", table.max_rows,
                              " row(s)"));
  }
  return absl::OkStatus();
}

int64_t Checker::Growth(int table) const {
  int64_t growth = 0;
  for (size_t i = 0; i < overlay_.size(); i++) {
    const Entry& entry = overlay_.entry(i);
    if (entry.table != table) continue;
    if (entry.is_inserted()) growth++;
    if (entry.deleted && entry.before != nullptr) growth--;
  }
  return growth;
}

absl::Status Checker::RemoveDanglingReferences() {
  Positions suspects;
  const size_t n_changed = overlay_.size();
  for (size_t i = 0; i < n_changed; i++) {
    const Entry& entry = overlay_.entry(i);
    if (entry.after.has_value() && HasNewDanglingReference(entry)) suspects.push_back(i);
    if (!entry.deleted || entry.before == nullptr) continue;
    const Uuid deleted = entry.uuid;
    db_.references().ForEachWeakSource(deleted, [&](int table, const Uuid& source) {
      const int position = overlay_.Touch(table, source);
      if (position >= 0 && overlay_.entry(position).current() != nullptr) {
        suspects.push_back(position);
      }
    });
  }
  for (size_t position : suspects) {
    absl::Status status = RemoveDanglingReferences(position);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool Checker::HasNewDanglingReference(const Entry& entry) const {
  bool found = false;
  for (int column : plan(entry).weak_columns) {
    DiffReferences(schema(entry).columns[column], RefType::kWeak, entry.before, entry.current(),
                   [&](int table, const Uuid& target, int sign) {
                     found |= sign > 0 && !Exists(table, target);
                   });
  }
  return found;
}

bool Checker::IsDangling(const ColumnType& type, const Datum& datum, size_t i) const {
  if (type.key.is_weak_ref() && !Exists(type.key.ref_table_index, datum.key(i).uuid())) {
    return true;
  }
  return type.value.is_weak_ref() && !Exists(type.value.ref_table_index, datum.value(i).uuid());
}

absl::Status Checker::RemoveDanglingReferences(size_t position) {
  const Row& before = *overlay_.entry(position).current();
  MutableRow after(before, before.version());
  for (int column : plan(overlay_.entry(position)).weak_columns) {
    const ColumnSchema& column_schema = schema(overlay_.entry(position)).columns[column];
    const Datum& datum = before.datum(column);
    absl::InlinedVector<Atom, 16> keys, values;
    for (size_t i = 0; i < datum.size(); i++) {
      if (IsDangling(column_schema.type, datum, i)) continue;
      keys.push_back(datum.key(i));
      if (datum.is_map()) values.push_back(datum.value(i));
    }
    if (keys.size() == datum.size()) continue;
    if (keys.size() < column_schema.type.n_min) {
      return BecameEmpty(overlay_.entry(position), column_schema, datum);
    }
    after.Set(column, MakeDatum(keys, values));
  }
  CountReferences(position, &before, &after.row());
  overlay_.Modify(overlay_.entry(position).table, before) = std::move(after);
  return absl::OkStatus();
}

absl::Status Checker::BecameEmpty(const Entry& entry, const ColumnSchema& column,
                                  const Datum& before) const {
  const std::string where = absl::StrCat(
      "column \"", column.name, "\" in \"", schema(entry).name, "\" row ", entry.uuid.ToString(),
      entry.is_inserted() ? " (inserted within this transaction)" : "");
  auto is_zero = [](const Atom& atom) {
    return atom.type() == AtomType::kUuid && atom.uuid().is_zero();
  };
  bool had_zero = false;
  for (size_t i = 0; i < before.size(); i++) {
    had_zero |= is_zero(before.key(i)) || (before.is_map() && is_zero(before.value(i)));
  }
  const std::string details =
      had_zero && entry.is_inserted()
          ? absl::StrCat("Weak reference ", where,
                         " contained all-zeros UUID (probably as the default value for this "
                         "column) but deleting this value caused a constraint volation because "
                         "this column is not allowed to be empty.")
          : absl::StrCat("Deletion of ", before.size(),
                         " weak reference(s) to deleted (or never-existing) rows from ", where,
                         " caused this column to become empty, but constraints on this column "
                         "disallow an empty column.");
  return Error(kConstraintViolation, details);
}

absl::Status Checker::CheckIndexes() {
  absl::InlinedVector<int, 8> tables;
  for (size_t i = 0; i < overlay_.size(); i++) {
    const Entry& entry = overlay_.entry(i);
    if (!entry.after.has_value() || schema(entry).indexes.empty()) continue;
    if (std::find(tables.begin(), tables.end(), entry.table) == tables.end()) {
      tables.push_back(entry.table);
    }
  }
  for (int table : tables) {
    for (const UniqueIndex& index : db_.indexes(table).unique()) {
      if (absl::Status status = CheckIndex(table, index); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

bool HasNewValues(const Entry& entry, const UniqueIndex& index) {
  if (!entry.after.has_value()) return false;
  return entry.before == nullptr ||
         !EqualColumns(*entry.before, entry.after->row(), index.columns());
}

// The row in the database that keeps the values which the entry now has, or null.
const Row* Checker::Conflict(const Entry& entry, const UniqueIndex& index) const {
  const Row* row = index.Find(*entry.current());
  if (row == nullptr) return nullptr;
  const Entry* other = overlay_.FindEntry(entry.table, row->uuid());
  const bool is_gone = other != nullptr && (other->deleted || HasNewValues(*other, index));
  return is_gone ? nullptr : row;
}

std::string Enumerate(const absl::InlinedVector<std::string, 4>& items) {
  if (items.size() <= 2) return absl::StrJoin(items, " and ");
  const auto last = std::prev(items.end());
  return absl::StrCat(absl::StrJoin(items.begin(), last, ", "), ", and ", *last);
}

std::string ValuesText(const TableSchema& table, const Row& row, absl::Span<const int> columns) {
  absl::InlinedVector<std::string, 4> values;
  for (int column : columns) {
    table.columns[column].type.AppendText(row.Get(column), &values.emplace_back());
  }
  return Enumerate(values);
}

// How a row came to have its values of an index.
std::string Provenance(const TableSchema& table, const Entry* entry, const UniqueIndex& index) {
  if (entry == nullptr || !entry->is_changed()) {
    return "existed in the database before this transaction and was not modified by the "
           "transaction";
  }
  if (entry->is_inserted()) return "was inserted by this transaction";
  if (!HasNewValues(*entry, index)) {
    return "existed in the database before this transaction, which modified some of the row's "
           "columns but not any columns in this index";
  }
  return absl::StrCat("had the following index values before the transaction: ",
                      ValuesText(table, *entry->before, index.columns()));
}

absl::Status DuplicateError(const Overlay& overlay, const TableSchema& table,
                            const UniqueIndex& index, const Row& first, const Row& second) {
  absl::InlinedVector<std::string, 4> columns;
  for (int column : index.columns()) {
    columns.push_back(absl::StrCat("\"", table.columns[column].name, "\""));
  }
  auto provenance = [&](const Row& row) {
    return Provenance(table, overlay.FindEntry(table.index, row.uuid()), index);
  };
  return Error(
      kConstraintViolation,
      absl::StrCat("Transaction causes multiple rows in \"", table.name,
                   "\" table to have identical values (", ValuesText(table, first, index.columns()),
                   ") for index on column", columns.size() > 1 ? "s " : " ", Enumerate(columns),
                   ".  First row, with UUID ", first.uuid().ToString(), ", ", provenance(first),
                   ".  Second row, with UUID ", second.uuid().ToString(), ", ", provenance(second),
                   "."));
}

absl::Status Checker::CheckIndex(int table, const UniqueIndex& index) {
  const TableSchema& table_schema = db_.schema().tables[table];
  UniqueIndex new_values(index.columns());
  for (size_t i = 0; i < overlay_.size(); i++) {
    const Entry& entry = overlay_.entry(i);
    if (entry.table != table || !HasNewValues(entry, index)) continue;
    const Row& row = *entry.current();
    if (const Row* other = Conflict(entry, index)) {
      return DuplicateError(overlay_, table_schema, index, *other, row);
    }
    if (const Row* other = new_values.Insert(row)) {
      return DuplicateError(overlay_, table_schema, index, *other, row);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckIntegrity(Overlay* overlay) { return Checker(overlay).Run(); }

}  // namespace ovsdb

// References between rows (RFC 7047 section 3.2 <base-type> "refTable"): how many strong ones each
// row is the target of, and which rows have weak ones to it.
#ifndef OVSDB_REFERENCES_H_
#define OVSDB_REFERENCES_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ovsdb/datum.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"
#include "ovsdb/table_plan.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

class Database;

// Calls f(datum, i, sign) for each element (pair) that only one of two values has: sign is -1 for
// those of `before`, +1 for those of `after`. A pair whose value changed is in both.
template <typename F>
void DiffElements(const Datum& before, const Datum& after, F&& f) {
  size_t i = 0, j = 0;
  while (i < before.size() && j < after.size()) {
    const auto order = before.key(i).Compare(after.key(j));
    if (std::is_eq(order) && !(before.is_map() && before.value(i) != after.value(j))) {
      i++, j++;
      continue;
    }
    if (std::is_lteq(order)) f(before, i++, -1);
    if (std::is_gteq(order)) f(after, j++, +1);
  }
  while (i < before.size()) f(before, i++, -1);
  while (j < after.size()) f(after, j++, +1);
}

// The same for sets of UUIDs, which may be large: calls f(uuid, sign).
template <typename F>
void DiffUuids(absl::Span<const Uuid> before, absl::Span<const Uuid> after, F&& f) {
  if (before.data() == after.data()) return;  // Shared.
  size_t i = 0, j = 0;
  while (i < before.size() && j < after.size()) {
    if (before[i] == after[j]) {
      i++, j++;
    } else if (before[i] < after[j]) {
      f(before[i++], -1);
    } else {
      f(after[j++], +1);
    }
  }
  while (i < before.size()) f(before[i++], -1);
  while (j < after.size()) f(after[j++], +1);
}

// Calls f(target table, target, sign) for each reference of one kind that only one of two versions
// of a row has in a column; a null version has none.
template <typename F>
void DiffReferences(const ColumnSchema& column, RefType kind, const Row* before, const Row* after,
                    F&& f) {
  static const Datum kNone;
  const BaseType& key = column.type.key;
  const BaseType& value = column.type.value;
  const bool in_key = key.is_ref() && key.ref_type == kind;
  const bool in_value = value.is_ref() && value.ref_type == kind;
  const Datum& old_datum = before != nullptr ? before->datum(column.index) : kNone;
  const Datum& new_datum = after != nullptr ? after->datum(column.index) : kNone;
  if (!column.type.is_map()) {
    return DiffUuids(old_datum.uuids(), new_datum.uuids(),
                     [&](const Uuid& target, int sign) { f(key.ref_table_index, target, sign); });
  }
  if (old_datum == new_datum) return;
  DiffElements(old_datum, new_datum, [&](const Datum& datum, size_t i, int sign) {
    if (in_key) f(key.ref_table_index, datum.key(i).uuid(), sign);
    if (in_value) f(value.ref_table_index, datum.value(i).uuid(), sign);
  });
}

// The references of a state of a database. Rows that refer to themselves do not count: that keeps
// no row alive.
class ReferenceMap {
 public:
  explicit ReferenceMap(size_t n_tables) : strong_(n_tables) {}

  // How many strong references other rows have to this one.
  int64_t strong_count(int table, const Uuid& row) const;

  // Calls f(table, row) for each row that has a weak reference to the UUID (in whatever table).
  template <typename F>
  void ForEachWeakSource(const Uuid& target, F&& f) const {
    for (auto it = weak_.lower_bound(WeakLink{target}); it != weak_.end() && it->target == target;
         ++it) {
      f(it->table, it->source);
    }
  }
  // Pairs of rows with a weak reference from one to the other.
  size_t weak_link_count() const { return weak_.size(); }

  // The row changes from one version to another; null for a row that comes or goes.
  void Replace(const TableSchema& table, const TablePlan& plan, const Row* before,
               const Row* after);

  // "referential integrity violation" if the target of a strong reference is not in its table.
  absl::Status CheckTargets(const Database& db) const;

 private:
  // Ordered by target; a row that refers to another several times is there once.
  struct WeakLink {
    Uuid target;
    Uuid source;
    int table = 0;  // Of the source.
    mutable uint32_t n_references = 0;

    friend bool operator<(const WeakLink& a, const WeakLink& b) {
      if (a.target != b.target) return a.target < b.target;
      if (a.source != b.source) return a.source < b.source;
      return a.table < b.table;
    }
  };

  void AddStrong(int table, const Uuid& target, int n);
  void AddWeak(const WeakLink& link, int n);

  std::vector<absl::flat_hash_map<Uuid, uint32_t>> strong_;  // By the target's table.
  absl::btree_set<WeakLink> weak_;
};

}  // namespace ovsdb

#endif  // OVSDB_REFERENCES_H_

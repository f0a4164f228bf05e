// Indexes of a table: the unique ones of its schema, and others that are made when clients look
// rows up by the value of a column again and again.
#ifndef OVSDB_INDEX_H_
#define OVSDB_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ovsdb/datum.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"
#include "ovsdb/table.h"

namespace ovsdb {

// Rows by the values of some columns.
size_t HashColumns(const Row& row, absl::Span<const int> columns);
bool EqualColumns(const Row& a, const Row& b, absl::Span<const int> columns);

// A unique index. Borrows the rows, which must outlive their stay.
class UniqueIndex {
 public:
  explicit UniqueIndex(absl::Span<const int> columns)
      : columns_(columns), entries_(0, Hash(), Equal{columns}) {}

  absl::Span<const int> columns() const { return columns_; }
  size_t size() const { return entries_.size(); }
  void Reserve(size_t n) { entries_.reserve(n); }

  // The row with the same values in the columns, or null.
  const Row* Find(const Row& like) const;
  // The same for values in the order of the columns.
  const Row* Find(absl::Span<const Datum* const> values) const;

  // Null, or the row with the same values that is there already.
  const Row* Insert(const Row& row);
  void Erase(const Row& row);

 private:
  struct Entry {
    const Row* row;
    size_t hash;
  };
  struct Values {
    absl::Span<const Datum* const> values;
    size_t hash;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const Entry& e) const { return e.hash; }
    size_t operator()(const Values& v) const { return v.hash; }
  };
  struct Equal {
    using is_transparent = void;
    absl::Span<const int> columns;
    bool operator()(const Entry& a, const Entry& b) const {
      return a.hash == b.hash && EqualColumns(*a.row, *b.row, columns);
    }
    bool operator()(const Entry& e, const Values& v) const;
  };

  absl::Span<const int> columns_;
  absl::flat_hash_set<Entry, Hash, Equal> entries_;
};

// Rows by the value of one column, which many may share. Borrows the rows.
class LookupIndex {
 public:
  explicit LookupIndex(int column) : column_(column) {}

  int column() const { return column_; }
  void Insert(const Row& row) { entries_.emplace(HashOf(row), &row); }
  void Erase(const Row& row) { entries_.erase({HashOf(row), &row}); }

  // Calls f(const Row&) for each row that may have the value, and certainly for those that do.
  template <typename F>
  void ForEachCandidate(const Datum& value, F&& f) const {
    const size_t hash = HashOf(value);
    for (auto it = entries_.lower_bound({hash, nullptr}); it != entries_.end() && it->first == hash;
         ++it) {
      f(*it->second);
    }
  }

 private:
  static size_t HashOf(const Datum& value);
  size_t HashOf(const Row& row) const { return HashOf(row.datum(column_)); }

  int column_;
  absl::btree_set<std::pair<size_t, const Row*>> entries_;
};

// All indexes of one table, kept by Database.
class IndexSet {
 public:
  explicit IndexSet(const TableSchema& schema);

  const std::vector<UniqueIndex>& unique() const { return unique_; }

  // The unique index, if any, all of whose columns are among `columns`.
  const UniqueIndex* FindUnique(absl::Span<const int> columns) const;

  // An index on the column, or null: then the caller looks at every row. Being asked often for a
  // table where that is dear makes the index; not being asked while rows change drops it. (A cache:
  // not part of the state.)
  const LookupIndex* FindLookup(const Table& table, int column) const;

  void Insert(const Row& row);
  void Erase(const Row& row);
  // Starts over with the rows of the table: "constraint violation" if two share a unique value.
  absl::Status Rebuild(const Table& table);

 private:
  static constexpr size_t kMaxLookups = 4;

  struct Lookup {
    LookupIndex index;
    size_t idle_changes = 0;  // New versions of rows since it was last used.
  };
  struct Demand {
    int column;
    size_t rows_scanned;
  };

  const TableSchema& schema_;
  std::vector<UniqueIndex> unique_;
  mutable std::vector<Lookup> lookups_;
  mutable std::vector<Demand> demands_;
};

}  // namespace ovsdb

#endif  // OVSDB_INDEX_H_

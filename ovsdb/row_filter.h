// The `where` of a monitor on one table: which rows the client wants.
#ifndef OVSDB_ROW_FILTER_H_
#define OVSDB_ROW_FILTER_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ovsdb/condition.h"
#include "ovsdb/json.h"
#include "ovsdb/ref_counted.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"

namespace ovsdb {

// What a keyed clause can be found by: its comparison holds only for rows whose column has this
// element (of a map: this key with this value), or no element. Borrows strings.
class FilterKey {
 public:
  static bool IsKeyed(const Clause& clause) {
    return clause.function() == Clause::Function::kEqual ||
           clause.function() == Clause::Function::kIncludes;
  }
  // Requires IsKeyed(clause).
  static FilterKey Of(const Clause& clause) { return Of(clause.argument()); }
  // That of the first element.
  static FilterKey Of(const Datum& datum) { return datum.empty() ? FilterKey() : At(datum, 0); }
  // The inverse: the datum of this element alone.
  Datum ToDatum() const;

  // Calls f(key) for each key under which clauses on the column may match the row.
  template <typename F>
  static void ForEach(const Row& row, int column, F&& f) {
    if (column == TableSchema::kUuidColumn) return f(FilterKey(Atom::Of(row.uuid())));
    if (column == TableSchema::kVersionColumn) return f(FilterKey(Atom::Of(row.version())));
    const Datum& datum = row.datum(column);
    if (datum.empty()) return f(FilterKey());
    for (size_t i = 0, n = datum.size(); i < n; ++i) f(At(datum, i));
  }

  bool operator==(const FilterKey& o) const {
    return Equal(key_, o.key_) && Equal(value_, o.value_);
  }
  template <typename H>
  friend H AbslHashValue(H h, const FilterKey& k) {
    return H::combine(std::move(h), k.key_, k.value_);
  }

 private:
  FilterKey() = default;
  explicit FilterKey(const Atom& key, const Atom& value = Atom()) : key_(key), value_(value) {}
  static FilterKey At(const Datum& datum, size_t i) {
    return FilterKey(datum.key(i), datum.is_map() ? datum.value(i) : Atom());
  }
  static bool Equal(const Atom& a, const Atom& b) {
    return a.type() == b.type() && (a.type() == AtomType::kVoid || a == b);
  }

  Atom key_, value_;  // kVoid where there is none.
};

// Wants the rows that match any of its clauses. Clients send thousands of them, often, with little
// changed: they are kept in an order (by the hash of their keys), so that a row is matched by
// binary search and two filters are compared in one pass. Immutable.
class RowFilter : public RefCounted<RowFilter> {
 public:
  // `where` must be an array. Null if it wants every row: an empty one does.
  static absl::StatusOr<Ref<const RowFilter>> Parse(const TableSchema& table, const Json& where);

  bool Matches(const Row& row) const;

  // A clause that has a key, with the key's hash.
  struct KeyedClause {
    Clause clause;
    size_t hash;
    bool operator==(const KeyedClause& o) const { return hash == o.hash && clause == o.clause; }
  };

  // The clauses without duplicates: those that have a key, by column and hash, and the others.
  absl::Span<const KeyedClause> keyed() const { return keyed_; }
  absl::Span<const Clause> others() const { return others_; }
  bool MatchesOthers(const Row& row) const;

  bool operator==(const RowFilter& o) const { return keyed_ == o.keyed_ && others_ == o.others_; }

  // Calls f(const Clause* in_a, const Clause* in_b) for each keyed clause that is in either filter:
  // null in one that lacks it.
  template <typename F>
  static void Compare(const RowFilter& a, const RowFilter& b, F&& f) {
    auto i = a.keyed_.begin();
    auto j = b.keyed_.begin();
    while (i != a.keyed_.end() || j != b.keyed_.end()) {
      if (j == b.keyed_.end() || (i != a.keyed_.end() && KeyedBefore(*i, *j))) {
        f(&(i++)->clause, nullptr);
      } else if (i == a.keyed_.end() || KeyedBefore(*j, *i)) {
        f(nullptr, &(j++)->clause);
      } else {
        f(&(i++)->clause, &(j++)->clause);
      }
    }
  }

 private:
  // The keyed clauses on one column.
  struct Column {
    int column;
    uint32_t begin, end;  // In keyed_.
  };

  explicit RowFilter(std::vector<Clause> clauses);
  static bool KeyedBefore(const KeyedClause& a, const KeyedClause& b);  // The order of keyed_.
  bool MatchesKeyed(const Column& column, const Row& row) const;

  std::vector<KeyedClause> keyed_;
  std::vector<Clause> others_;
  std::vector<Column> columns_;
};

using RowFilterRef = Ref<const RowFilter>;

}  // namespace ovsdb

#endif  // OVSDB_ROW_FILTER_H_

// Which of many row filters on a table want a row: found by the row's values, not by asking each.
#ifndef OVSDB_FILTER_INDEX_H_
#define OVSDB_FILTER_INDEX_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "ovsdb/row.h"
#include "ovsdb/row_filter.h"

namespace ovsdb {

// A filter's place in an index. Whoever adds a filter derives from this, keeps the object where it
// is while the filter is in the index, and gets it back from Match().
class FilterWatch {
 public:
  // Whether the filter matched the version before, and the one after: set by Match().
  bool matched_before() const { return (matched_ & kBefore) != 0; }
  bool matched_after() const { return (matched_ & kAfter) != 0; }

 private:
  friend class FilterIndex;
  enum : uint8_t { kBefore = 1, kAfter = 2 };
  uint64_t match_ = 0;  // The newest Match() that touched it.
  uint8_t matched_ = 0;
};

class FilterIndex {
 public:
  explicit FilterIndex(const TableSchema* table) : table_(table) {}

  // The filter must live as long as it is in the index.
  void Add(FilterWatch* watch, const RowFilter& filter);
  void Remove(FilterWatch* watch, const RowFilter& filter);
  // Costs what differs.
  void Replace(FilterWatch* watch, const RowFilter& old_filter, const RowFilter& new_filter);

  // Appends the watches whose filter matches `before` or `after` (either may be null), each once.
  void Match(const Row* before, const Row* after, std::vector<FilterWatch*>* watches);

 private:
  // One clause of one filter.
  struct Entry {
    FilterWatch* watch;
    const Clause* check;  // What else must hold, or null if the key says it all.
  };
  using Entries = absl::InlinedVector<Entry, 1>;
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const FilterKey& key) const { return absl::HashOf(key); }
    size_t operator()(const Datum& key) const { return absl::HashOf(FilterKey::Of(key)); }
  };
  struct KeyEqual {
    using is_transparent = void;
    static const FilterKey& Key(const FilterKey& key) { return key; }
    static FilterKey Key(const Datum& key) { return FilterKey::Of(key); }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Key(a) == Key(b);
    }
  };
  struct ColumnIndex {
    int column;
    // By the key: a datum of one element, or of none.
    absl::flat_hash_map<Datum, Entries, KeyHash, KeyEqual> entries;
  };
  bool KeySuffices(const Clause& clause) const;
  void AddClause(FilterWatch* watch, const Clause& clause);
  void RemoveClause(FilterWatch* watch, const Clause& clause);
  void AddOthers(FilterWatch* watch, const RowFilter& filter);
  void RemoveOthers(FilterWatch* watch, const RowFilter& filter);
  void MatchColumn(const ColumnIndex& index, const Row& row, uint8_t versions,
                   std::vector<FilterWatch*>* watches);
  void Touch(FilterWatch* watch, uint8_t versions, std::vector<FilterWatch*>* watches);

  const TableSchema* table_;
  std::vector<ColumnIndex> columns_;  // Those that clauses are keyed by.
  // Clauses that have no key. Many clients send the same few: each is tried once for all.
  absl::flat_hash_map<Clause, std::vector<FilterWatch*>> others_;
  uint64_t match_ = 0;
};

}  // namespace ovsdb

#endif  // OVSDB_FILTER_INDEX_H_

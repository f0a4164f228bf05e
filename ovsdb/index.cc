#include "ovsdb/index.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

namespace ovsdb {
namespace {

// Small tables are looked through in no time.
constexpr size_t kMinIndexedRows = 64;
// An index pays for itself when a table was looked through about as often as making it costs.
constexpr size_t kScansWorthAnIndex = 8;
// And no longer when it was kept through that many changes without being used.
constexpr size_t kIdleChanges = 100'000;

// The values of _uuid and _version are made for the occasion.
template <typename F>
auto WithColumn(const Row& row, int column, F&& f) {
  if (column >= TableSchema::kFirstRealColumn) return f(row.datum(column));
  return f(row.Get(column));
}

size_t Combine(size_t hash, const Datum& value) { return absl::HashOf(hash, value); }

size_t HashValues(absl::Span<const Datum* const> values) {
  size_t hash = 0;
  for (const Datum* value : values) hash = Combine(hash, *value);
  return hash;
}

bool EqualColumn(const Row& row, int column, const Datum& value) {
  return WithColumn(row, column, [&value](const Datum& datum) { return datum == value; });
}

}  // namespace

size_t HashColumns(const Row& row, absl::Span<const int> columns) {
  size_t hash = 0;
  for (int column : columns) {
    hash = WithColumn(row, column, [hash](const Datum& datum) { return Combine(hash, datum); });
  }
  return hash;
}

bool EqualColumns(const Row& a, const Row& b, absl::Span<const int> columns) {
  return std::all_of(columns.begin(), columns.end(), [&](int column) {
    return WithColumn(a, column, [&](const Datum& value) { return EqualColumn(b, column, value); });
  });
}

bool UniqueIndex::Equal::operator()(const Entry& e, const Values& v) const {
  if (e.hash != v.hash) return false;
  for (size_t i = 0; i < columns.size(); i++) {
    if (!EqualColumn(*e.row, columns[i], *v.values[i])) return false;
  }
  return true;
}

const Row* UniqueIndex::Find(const Row& like) const {
  const auto it = entries_.find(Entry{&like, HashColumns(like, columns_)});
  return it == entries_.end() ? nullptr : it->row;
}

const Row* UniqueIndex::Find(absl::Span<const Datum* const> values) const {
  const auto it = entries_.find(Values{values, HashValues(values)});
  return it == entries_.end() ? nullptr : it->row;
}

const Row* UniqueIndex::Insert(const Row& row) {
  const auto [it, inserted] = entries_.insert(Entry{&row, HashColumns(row, columns_)});
  return inserted ? nullptr : it->row;
}

void UniqueIndex::Erase(const Row& row) {
  const auto it = entries_.find(Entry{&row, HashColumns(row, columns_)});
  if (it != entries_.end() && it->row == &row) entries_.erase(it);
}

size_t LookupIndex::HashOf(const Datum& value) { return absl::HashOf(value); }

IndexSet::IndexSet(const TableSchema& schema) : schema_(schema) {
  unique_.reserve(schema.indexes.size());
  for (const std::vector<int>& columns : schema.indexes) unique_.emplace_back(columns);
}

const UniqueIndex* IndexSet::FindUnique(absl::Span<const int> columns) const {
  auto is_given = [columns](int column) {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  };
  for (const UniqueIndex& index : unique_) {
    if (std::all_of(index.columns().begin(), index.columns().end(), is_given)) return &index;
  }
  return nullptr;
}

const LookupIndex* IndexSet::FindLookup(const Table& table, int column) const {
  for (Lookup& lookup : lookups_) {
    if (lookup.index.column() != column) continue;
    lookup.idle_changes = 0;
    return &lookup.index;
  }
  if (table.size() < kMinIndexedRows || lookups_.size() == kMaxLookups) return nullptr;

  auto demand = std::find_if(demands_.begin(), demands_.end(),
                             [column](const Demand& d) { return d.column == column; });
  if (demand == demands_.end()) demand = demands_.insert(demand, Demand{column, 0});
  demand->rows_scanned += table.size();
  if (demand->rows_scanned < kScansWorthAnIndex * table.size()) return nullptr;

  demands_.erase(demand);
  LookupIndex& index = lookups_.emplace_back(Lookup{LookupIndex(column)}).index;
  table.ForEach([&index](const Row& row) { index.Insert(row); });
  return &index;
}

void IndexSet::Insert(const Row& row) {
  for (UniqueIndex& index : unique_) index.Insert(row);
  if (lookups_.empty()) return;
  for (Lookup& lookup : lookups_) {
    lookup.index.Insert(row);
    lookup.idle_changes++;
  }
  lookups_.erase(std::remove_if(lookups_.begin(), lookups_.end(),
                                [](const Lookup& l) { return l.idle_changes > kIdleChanges; }),
                 lookups_.end());
}

void IndexSet::Erase(const Row& row) {
  for (UniqueIndex& index : unique_) index.Erase(row);
  for (Lookup& lookup : lookups_) lookup.index.Erase(row);
}

absl::Status IndexSet::Rebuild(const Table& table) {
  lookups_.clear();
  unique_.clear();
  for (const std::vector<int>& columns : schema_.indexes) unique_.emplace_back(columns);
  for (UniqueIndex& index : unique_) index.Reserve(table.size());
  absl::Status status;
  table.ForEach([&](const Row& row) {
    for (UniqueIndex& index : unique_) {
      const Row* other = index.Insert(row);
      if (other == nullptr || !status.ok()) continue;
      status =
          Error(kConstraintViolation,
                absl::StrCat("Table ", schema_.name, " rows ", row.uuid().ToString(), " and ",
                             other->uuid().ToString(), " have identical values for an index."));
    }
  });
  return status;
}

}  // namespace ovsdb

#include "ovsdb/row_filter.h"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <utility>

#include "absl/hash/hash.h"

namespace ovsdb {
namespace {

// Up to so many clauses on a column are simply tried.
constexpr ptrdiff_t kFewClauses = 4;

bool OthersBefore(const Clause& a, const Clause& b) {
  if (a.column() != b.column()) return a.column() < b.column();
  if (a.function() != b.function()) return a.function() < b.function();
  return std::is_lt(a.argument().Compare(b.argument()));
}

template <typename T, typename Less>
void SortUnique(std::vector<T>* clauses, Less less) {
  std::sort(clauses->begin(), clauses->end(), less);
  clauses->erase(std::unique(clauses->begin(), clauses->end()), clauses->end());
  clauses->shrink_to_fit();
}

}  // namespace

Datum FilterKey::ToDatum() const {
  if (key_.type() == AtomType::kVoid) return Datum();
  if (value_.type() == AtomType::kVoid) return Datum(key_);
  return MakeDatum({&key_, 1}, {&value_, 1});
}

absl::StatusOr<RowFilterRef> RowFilter::Parse(const TableSchema& table, const Json& where) {
  std::vector<Clause> clauses;
  clauses.reserve(where.Size());
  bool wants_all = where.Empty();
  for (const Json& json : where.GetArray()) {
    absl::StatusOr<Clause> clause = Clause::Parse(table, json, nullptr);
    if (!clause.ok()) return std::move(clause).status();
    if (clause->is_constant()) {
      wants_all |= clause->function() == Clause::Function::kTrue;
    } else {
      clauses.push_back(*std::move(clause));
    }
  }
  if (wants_all) return RowFilterRef();
  return RowFilterRef(new RowFilter(std::move(clauses)));
}

RowFilter::RowFilter(std::vector<Clause> clauses) {
  keyed_.reserve(clauses.size());
  for (Clause& clause : clauses) {
    if (FilterKey::IsKeyed(clause)) {
      const size_t hash = absl::HashOf(FilterKey::Of(clause));
      keyed_.push_back({std::move(clause), hash});
    } else {
      others_.push_back(std::move(clause));
    }
  }
  SortUnique(&keyed_, KeyedBefore);
  SortUnique(&others_, OthersBefore);
  for (uint32_t i = 0; i < keyed_.size(); ++i) {
    const int column = keyed_[i].clause.column();
    if (columns_.empty() || columns_.back().column != column) columns_.push_back({column, i, i});
    columns_.back().end = i + 1;
  }
}

bool RowFilter::KeyedBefore(const KeyedClause& a, const KeyedClause& b) {
  if (a.clause.column() != b.clause.column()) return a.clause.column() < b.clause.column();
  return a.hash != b.hash ? a.hash < b.hash : OthersBefore(a.clause, b.clause);
}

bool RowFilter::Matches(const Row& row) const {
  for (const Column& column : columns_) {
    if (MatchesKeyed(column, row)) return true;
  }
  return MatchesOthers(row);
}

bool RowFilter::MatchesOthers(const Row& row) const {
  for (const Clause& clause : others_) {
    if (clause.Matches(row)) return true;
  }
  return false;
}

bool RowFilter::MatchesKeyed(const Column& column, const Row& row) const {
  const KeyedClause* const begin = &keyed_[column.begin];
  const KeyedClause* const end = begin + (column.end - column.begin);
  if (end - begin <= kFewClauses) {
    return std::any_of(begin, end,
                       [&](const KeyedClause& keyed) { return keyed.clause.Matches(row); });
  }
  bool matches = false;
  FilterKey::ForEach(row, column.column, [&](const FilterKey& key) {
    if (matches) return;
    const size_t hash = absl::HashOf(key);
    const KeyedClause* keyed = std::lower_bound(
        begin, end, hash, [](const KeyedClause& k, size_t h) { return k.hash < h; });
    for (; keyed != end && keyed->hash == hash; ++keyed) matches |= keyed->clause.Matches(row);
  });
  return matches;
}

}  // namespace ovsdb

#include "ovsdb/row_filter.h"

#include <algorithm>
#include <utility>

namespace ovsdb {
namespace {

// Up to so many clauses on a column are simply tried.
constexpr size_t kFewClauses = 4;

bool OthersBefore(const Clause& a, const Clause& b) {
  if (a.column() != b.column()) return a.column() < b.column();
  if (a.function() != b.function()) return a.function() < b.function();
  return a.argument().Compare(b.argument()) < 0;
}

template <typename Less>
void SortUnique(std::vector<Clause>* clauses, Less less) {
  std::sort(clauses->begin(), clauses->end(), less);
  clauses->erase(std::unique(clauses->begin(), clauses->end()), clauses->end());
  clauses->shrink_to_fit();
}

}  // namespace

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
  auto others = std::partition(clauses.begin(), clauses.end(), FilterKey::IsKeyed);
  others_.assign(std::make_move_iterator(others), std::make_move_iterator(clauses.end()));
  clauses.erase(others, clauses.end());
  keyed_ = std::move(clauses);
  SortUnique(&keyed_, KeyedBefore);
  SortUnique(&others_, OthersBefore);
  for (uint32_t i = 0; i < keyed_.size(); ++i) {
    if (columns_.empty() || columns_.back().column != keyed_[i].column()) {
      columns_.push_back({keyed_[i].column(), i, i});
    }
    columns_.back().end = i + 1;
  }
}

bool RowFilter::KeyedBefore(const Clause& a, const Clause& b) {
  if (a.column() != b.column()) return a.column() < b.column();
  const Atom a_key = FilterKey::Of(a), b_key = FilterKey::Of(b);
  if (!FilterKey::Equal(a_key, b_key)) return FilterKey::Less(a_key, b_key);
  return OthersBefore(a, b);
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
  const Clause* const begin = &keyed_[column.begin];
  const Clause* const end = begin + (column.end - column.begin);
  if (end - begin <= static_cast<ptrdiff_t>(kFewClauses)) {
    return std::any_of(begin, end, [&](const Clause& clause) { return clause.Matches(row); });
  }
  bool matches = false;
  FilterKey::ForEach(row, column.column, [&](const Atom& key) {
    if (matches) return;
    const Clause* clause = std::lower_bound(begin, end, key, [](const Clause& c, const Atom& k) {
      return FilterKey::Less(FilterKey::Of(c), k);
    });
    for (; clause != end && FilterKey::Equal(FilterKey::Of(*clause), key); ++clause) {
      matches |= clause->Matches(row);
    }
  });
  return matches;
}

}  // namespace ovsdb

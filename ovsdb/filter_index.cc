#include "ovsdb/filter_index.h"

#include <algorithm>

namespace ovsdb {
namespace {

bool SameColumn(const Row& a, const Row& b, int column) {
  if (column == TableSchema::kUuidColumn) return a.uuid() == b.uuid();
  if (column == TableSchema::kVersionColumn) return a.version() == b.version();
  return a.datum(column) == b.datum(column);
}

}  // namespace

void FilterIndex::Add(FilterWatch* watch, const RowFilter& filter) {
  for (const RowFilter::KeyedClause& keyed : filter.keyed()) AddClause(watch, keyed.clause);
  AddOthers(watch, filter);
}

void FilterIndex::Remove(FilterWatch* watch, const RowFilter& filter) {
  for (const RowFilter::KeyedClause& keyed : filter.keyed()) RemoveClause(watch, keyed.clause);
  RemoveOthers(watch, filter);
}

void FilterIndex::Replace(FilterWatch* watch, const RowFilter& old_filter,
                          const RowFilter& new_filter) {
  RowFilter::Compare(old_filter, new_filter, [&](const Clause* gone, const Clause* come) {
    const bool stays = gone != nullptr && come != nullptr;
    if (stays && KeySuffices(*gone)) return;  // Else the entry points to the clause that goes.
    if (gone != nullptr) RemoveClause(watch, *gone);
    if (come != nullptr) AddClause(watch, *come);
  });
  if (old_filter.others() == new_filter.others()) return;
  RemoveOthers(watch, old_filter);
  AddOthers(watch, new_filter);
}

bool FilterIndex::KeySuffices(const Clause& clause) const {
  if (clause.argument().size() > 1) return false;
  return clause.function() == Clause::Function::kIncludes || clause.argument().empty() ||
         table_->columns[clause.column()].type.n_max == 1;
}

void FilterIndex::AddClause(FilterWatch* watch, const Clause& clause) {
  auto index = std::find_if(columns_.begin(), columns_.end(),
                            [&](const ColumnIndex& c) { return c.column == clause.column(); });
  if (index == columns_.end()) index = columns_.insert(columns_.end(), {clause.column(), {}});
  auto it = index->entries.find(FilterKey::Of(clause));
  if (it == index->entries.end()) {
    const bool is_key = clause.argument().size() <= 1;
    it = index->entries.try_emplace(is_key ? clause.argument() : FilterKey::Of(clause).ToDatum())
             .first;
  }
  it->second.push_back({watch, KeySuffices(clause) ? nullptr : &clause});
}

void FilterIndex::RemoveClause(FilterWatch* watch, const Clause& clause) {
  auto index = std::find_if(columns_.begin(), columns_.end(),
                            [&](const ColumnIndex& c) { return c.column == clause.column(); });
  auto it = index->entries.find(FilterKey::Of(clause));
  Entries& entries = it->second;
  const Clause* check = KeySuffices(clause) ? nullptr : &clause;
  auto entry = std::find_if(entries.begin(), entries.end(),
                            [&](const Entry& e) { return e.watch == watch && e.check == check; });
  *entry = entries.back();
  entries.pop_back();
  if (!entries.empty()) return;
  index->entries.erase(it);
  if (index->entries.empty()) columns_.erase(index);
}

void FilterIndex::AddOthers(FilterWatch* watch, const RowFilter& filter) {
  for (const Clause& clause : filter.others()) others_[clause].push_back(watch);
}

void FilterIndex::RemoveOthers(FilterWatch* watch, const RowFilter& filter) {
  for (const Clause& clause : filter.others()) {
    auto it = others_.find(clause);
    std::vector<FilterWatch*>& watches = it->second;
    *std::find(watches.begin(), watches.end(), watch) = watches.back();
    watches.pop_back();
    if (watches.empty()) others_.erase(it);
  }
}

void FilterIndex::Match(const Row* before, const Row* after, std::vector<FilterWatch*>* watches) {
  ++match_;
  // Calls f(row, versions) for the values that a column has.
  const auto for_values = [&](int column, auto f) {
    if (before != nullptr && after != nullptr && SameColumn(*before, *after, column)) {
      return f(*after, FilterWatch::kBefore | FilterWatch::kAfter);
    }
    if (before != nullptr) f(*before, FilterWatch::kBefore);
    if (after != nullptr) f(*after, FilterWatch::kAfter);
  };
  for (const ColumnIndex& index : columns_) {
    for_values(index.column, [&](const Row& row, uint8_t versions) {
      MatchColumn(index, row, versions, watches);
    });
  }
  for (const auto& other : others_) {
    const Clause& clause = other.first;
    const auto& wanting = other.second;
    for_values(clause.column(), [&](const Row& row, uint8_t versions) {
      if (!clause.Matches(row)) return;
      for (FilterWatch* watch : wanting) Touch(watch, versions, watches);
    });
  }
}

void FilterIndex::MatchColumn(const ColumnIndex& index, const Row& row, uint8_t versions,
                              std::vector<FilterWatch*>* watches) {
  FilterKey::ForEach(row, index.column, [&](const FilterKey& key) {
    auto it = index.entries.find(key);
    if (it == index.entries.end()) return;
    for (const Entry& entry : it->second) {
      if (entry.check == nullptr || entry.check->Matches(row)) {
        Touch(entry.watch, versions, watches);
      }
    }
  });
}

void FilterIndex::Touch(FilterWatch* watch, uint8_t versions, std::vector<FilterWatch*>* watches) {
  if (watch->match_ != match_) {
    watch->match_ = match_;
    watch->matched_ = 0;
    watches->push_back(watch);
  }
  watch->matched_ |= versions;
}

}  // namespace ovsdb

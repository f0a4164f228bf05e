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
  if (!filter.others().empty()) others_.push_back({watch, &filter});
}

void FilterIndex::Remove(FilterWatch* watch, const RowFilter& filter) {
  for (const RowFilter::KeyedClause& keyed : filter.keyed()) RemoveClause(watch, keyed.clause);
  if (!filter.others().empty()) RemoveOther(watch);
}

void FilterIndex::Replace(FilterWatch* watch, const RowFilter& old_filter,
                          const RowFilter& new_filter) {
  RowFilter::Compare(old_filter, new_filter, [&](const Clause* gone, const Clause* come) {
    const bool stays = gone != nullptr && come != nullptr;
    if (stays && KeySuffices(*gone)) return;  // Else the entry points to the clause that goes.
    if (gone != nullptr) RemoveClause(watch, *gone);
    if (come != nullptr) AddClause(watch, *come);
  });
  if (!old_filter.others().empty()) RemoveOther(watch);
  if (!new_filter.others().empty()) others_.push_back({watch, &new_filter});
}

bool FilterIndex::KeySuffices(const Clause& clause) const {
  if (clause.argument().size() > 1 || clause.argument().is_map()) return false;
  return clause.function() == Clause::Function::kIncludes || clause.argument().empty() ||
         table_->columns[clause.column()].type.n_max == 1;
}

void FilterIndex::AddClause(FilterWatch* watch, const Clause& clause) {
  auto index = std::find_if(columns_.begin(), columns_.end(),
                            [&](const ColumnIndex& c) { return c.column == clause.column(); });
  if (index == columns_.end()) index = columns_.insert(columns_.end(), {clause.column(), {}});
  auto it = index->entries.find(FilterKey::Of(clause));
  if (it == index->entries.end()) {
    const bool is_key = clause.argument().size() <= 1 && !clause.argument().is_map();
    it =
        index->entries.try_emplace(is_key ? clause.argument() : Datum(FilterKey::Of(clause))).first;
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

void FilterIndex::RemoveOther(FilterWatch* watch) {
  auto other = std::find_if(others_.begin(), others_.end(),
                            [&](const Other& o) { return o.watch == watch; });
  *other = others_.back();
  others_.pop_back();
}

void FilterIndex::Match(const Row* before, const Row* after, std::vector<FilterWatch*>* watches) {
  ++match_;
  for (const ColumnIndex& index : columns_) {
    if (before != nullptr && after != nullptr && SameColumn(*before, *after, index.column)) {
      MatchColumn(index, *after, FilterWatch::kBefore | FilterWatch::kAfter, watches);
      continue;
    }
    if (before != nullptr) MatchColumn(index, *before, FilterWatch::kBefore, watches);
    if (after != nullptr) MatchColumn(index, *after, FilterWatch::kAfter, watches);
  }
  for (const Other& other : others_) {
    if (before != nullptr && other.filter->MatchesOthers(*before)) {
      Touch(other.watch, FilterWatch::kBefore, watches);
    }
    if (after != nullptr && other.filter->MatchesOthers(*after)) {
      Touch(other.watch, FilterWatch::kAfter, watches);
    }
  }
}

void FilterIndex::MatchColumn(const ColumnIndex& index, const Row& row, uint8_t versions,
                              std::vector<FilterWatch*>* watches) {
  FilterKey::ForEach(row, index.column, [&](const Atom& key) {
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

#include "ovsdb/history.h"

#include <iterator>
#include <utility>

namespace ovsdb {
namespace {

// What keeping a change costs: the memory of values that went with it, and how many atoms it has,
// going and coming.
struct Weight {
  size_t bytes = 0;
  size_t atoms = 0;
};

void Weigh(const RowChange& change, Weight* weight) {
  weight->bytes += sizeof(RowChange);
  const Row* before = change.before.get();
  const Row* after = change.after.get();
  const Row& any = before != nullptr ? *before : *after;
  for (int i = TableSchema::kFirstRealColumn; i < any.n_columns(); ++i) {
    if (before != nullptr && after != nullptr && before->datum(i) == after->datum(i)) continue;
    if (after != nullptr) weight->atoms += after->datum(i).atom_count();
    if (before == nullptr) continue;
    weight->atoms += before->datum(i).atom_count();
    weight->bytes += before->datum(i).heap_bytes();
  }
  if (before != nullptr) weight->bytes += sizeof(Row) + any.n_columns() * sizeof(Datum);
}

Weight WeightOf(const Change& change) {
  Weight weight;
  for (const TableChange& table : change.tables) {
    weight.bytes += sizeof(TableChange);
    for (const RowChange& row : table.rows) Weigh(row, &weight);
  }
  return weight;
}

}  // namespace

void ChangeMerger::Add(const Change& change) {
  for (const TableChange& table : change.tables) {
    MergedTable& merged = tables_[table.table];
    for (const RowChange& row : table.rows) {
      auto [it, is_new] = merged.positions.try_emplace(row.uuid(), merged.rows.size());
      if (is_new) {
        merged.rows.push_back(row);
      } else {
        merged.rows[it->second].after = row.after;
      }
    }
  }
}

Change ChangeMerger::Take() {
  Change change;
  for (auto& [table, merged] : tables_) {
    std::erase_if(merged.rows, [](const RowChange& row) { return row.before == row.after; });
    if (!merged.rows.empty()) change.tables.push_back({table, std::move(merged.rows)});
  }
  tables_.clear();
  return change;
}

void History::Add(const Uuid& id, Change change) {
  if (id.is_zero()) return;
  Weight weight = WeightOf(change);
  weight.bytes += sizeof(Entry);
  entries_.push_back({id, std::move(change), weight.bytes, weight.atoms});
  bytes_ += weight.bytes;
  atom_count_ += weight.atoms;
  while (bytes_ > max_bytes_) DropOldest();
}

void History::DropOldest() {
  Entry& oldest = entries_.front();
  base_ = oldest.id;
  bytes_ -= oldest.bytes;
  atom_count_ -= oldest.atoms;
  entries_.pop_front();
}

void History::Reset(const Uuid& id) {
  entries_.clear();
  bytes_ = 0;
  atom_count_ = 0;
  base_ = id;
}

std::optional<Change> History::Since(const Uuid& id) const {
  if (id.is_zero()) return std::nullopt;
  auto first = entries_.end();  // The oldest change that is to be told.
  while (first != entries_.begin() && std::prev(first)->id != id) --first;
  if (first == entries_.begin() && base_ != id) return std::nullopt;
  ChangeMerger merger;
  for (; first != entries_.end(); ++first) merger.Add(first->change);
  return merger.Take();
}

}  // namespace ovsdb

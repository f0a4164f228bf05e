#include "northd/replica/replica.h"

#include <algorithm>
#include <utility>

#include "absl/functional/function_ref.h"

namespace northd {
namespace {

using ovsdb::Atom;
using ovsdb::Datum;
using ovsdb::Row;
using ovsdb::RowChange;
using ovsdb::Uuid;

// The existence of a row: what every reader reads.
constexpr uint64_t kExistence = 1;

uint64_t ChangedColumns(const Row& before, const Row& after) {
  uint64_t changed = 0;
  for (int c = ovsdb::TableSchema::kFirstRealColumn; c < before.n_columns(); ++c) {
    if (!(before.datum(c) == after.datum(c))) changed |= uint64_t{1} << c;
  }
  return changed;
}

void InsertSorted(std::vector<Uuid>* rows, const Uuid& uuid) {
  const auto at = std::lower_bound(rows->begin(), rows->end(), uuid);
  if (at == rows->end() || *at != uuid) rows->insert(at, uuid);
}

void EraseSorted(std::vector<Uuid>* rows, const Uuid& uuid) {
  const auto at = std::lower_bound(rows->begin(), rows->end(), uuid);
  if (at != rows->end() && *at == uuid) rows->erase(at);
}

}  // namespace

Replica::Replica(ovsdb::SchemaRef schema, engine::Engine* engine)
    : engine_(engine),
      database_(std::make_unique<ovsdb::Database>(schema)),
      tables_(schema->tables.size()) {}

Replica::~Replica() = default;

// ---- Changes ----

void Replica::Apply(const ovsdb::Change& change) {
  // Nobody asks a replica for references or unique indexes: the server has seen to those.
  for (const ovsdb::TableChange& table_change : change.tables) {
    for (const RowChange& row : table_change.rows) {
      if (row.after) {
        database_->LoadRow(table_change.table, row.after);
      } else {
        database_->UnloadRow(table_change.table, row.uuid());
      }
    }
  }
  for (const ovsdb::TableChange& table_change : change.tables) {
    Table& table = tables_[static_cast<size_t>(table_change.table)];
    bool membership = false;
    for (const RowChange& row : table_change.rows) {
      const bool modified = row.before && row.after;
      const uint64_t parts = modified ? ChangedColumns(*row.before, *row.after) : engine::kAllParts;
      membership |= !modified;
      const auto cell = table.cells.find(row.uuid());
      if (cell != table.cells.end()) {
        cell->second->row = row.after.get();
        engine_->Touch(&cell->second->cell, parts);
        if (!row.after) gone_rows_.emplace_back(table_change.table, row.uuid());
      }
      for (const std::unique_ptr<Index>& index : table.indexes) {
        if ((parts >> index->column & 1) != 0) UpdateIndex(index.get(), row);
      }
      if (observer_) observer_(table_change.table, row);
    }
    if (membership) {
      table.rows_valid = false;
      engine_->Touch(&table.membership);
    }
  }
}

void Replica::ForEachKey(const Index& index, const Row& row,
                         absl::FunctionRef<void(const Atom&)> f) {
  const Datum& datum = row.datum(index.column);
  if (index.map_key.empty()) {
    for (size_t i = 0; i < datum.size(); ++i) f(datum.key(i));
    return;
  }
  const int i = datum.Find(Atom::String(index.map_key));
  if (i >= 0) f(datum.value(static_cast<size_t>(i)));
}

void Replica::UpdateIndex(Index* index, const RowChange& change) {
  const Uuid uuid = change.uuid();
  const auto remove = [&](const Atom& key) {
    IndexEntry& entry = FindEntry(index, key);
    EraseSorted(&entry.rows, uuid);
    if (entry.rows.empty()) empty_entries_.emplace_back(index, &entry);
    engine_->Touch(&entry.cell);
  };
  const auto add = [&](const Atom& key) {
    IndexEntry& entry = FindEntry(index, key);
    InsertSorted(&entry.rows, uuid);
    engine_->Touch(&entry.cell);
  };
  if (!change.before || !change.after || !index->map_key.empty()) {
    if (change.before) ForEachKey(*index, *change.before, remove);
    if (change.after) ForEachKey(*index, *change.after, add);
    return;
  }
  // Of a large set that changes by an element only that element's entry is another.
  const Datum& before = change.before->datum(index->column);
  const Datum& after = change.after->datum(index->column);
  size_t i = 0;
  size_t j = 0;
  while (i < before.size() || j < after.size()) {
    const auto order = i == before.size()  ? std::strong_ordering::greater
                       : j == after.size() ? std::strong_ordering::less
                                           : before.key(i).Compare(after.key(j));
    if (order <= 0) ++i;
    if (order >= 0) ++j;
    if (order < 0) remove(before.key(i - 1));
    if (order > 0) add(after.key(j - 1));
  }
}

// ---- Reading ----

const Row* Replica::Read(engine::Context& context, int table, const Uuid& uuid, uint32_t* edge) {
  std::unique_ptr<RowCell>& cell = tables_[static_cast<size_t>(table)].cells[uuid];
  if (cell == nullptr) {
    cell = std::make_unique<RowCell>();
    cell->row = Peek(table, uuid);
  }
  *edge = context.Read(&cell->cell, kExistence);
  if (cell->row == nullptr) gone_rows_.emplace_back(table, uuid);
  return cell->row;
}

absl::Span<const Uuid> Replica::ReadAll(engine::Context& context, int number) {
  Table& table = tables_[static_cast<size_t>(number)];
  context.Read(&table.membership);
  if (!table.rows_valid) {
    table.rows.clear();
    database_->table(number).ForEach([&](const Row& row) { table.rows.push_back(row.uuid()); });
    std::sort(table.rows.begin(), table.rows.end());
    table.rows_valid = true;
  }
  return table.rows;
}

Replica::Index& Replica::FindIndex(int number, int column, absl::string_view map_key) {
  Table& table = tables_[static_cast<size_t>(number)];
  for (const std::unique_ptr<Index>& index : table.indexes) {
    if (index->column == column && index->map_key == map_key) return *index;
  }
  table.indexes.push_back(std::make_unique<Index>());
  Index& index = *table.indexes.back();
  index.column = column;
  index.map_key = std::string(map_key);
  database_->table(number).ForEach([&](const Row& row) {
    ForEachKey(index, row,
               [&](const Atom& key) { FindEntry(&index, key).rows.push_back(row.uuid()); });
  });
  for (const std::unique_ptr<IndexEntry>& entry : index.entries) {
    std::sort(entry->rows.begin(), entry->rows.end());
  }
  return index;
}

Replica::IndexEntry& Replica::FindEntry(Index* index, const Atom& value) {
  const auto found = index->entries.find(value);
  if (found != index->entries.end()) return **found;
  auto entry = std::make_unique<IndexEntry>();
  entry->key = Datum(value);
  return **index->entries.insert(std::move(entry)).first;
}

absl::Span<const Uuid> Replica::ReadIndex(engine::Context& context, int table, int column,
                                          const Atom& value, absl::string_view map_key) {
  Index& index = FindIndex(table, column, map_key);
  IndexEntry& entry = FindEntry(&index, value);
  if (entry.rows.empty()) empty_entries_.emplace_back(&index, &entry);
  context.Read(&entry.cell);
  return entry.rows;
}

absl::Span<const Uuid> Replica::PeekIndex(int table, int column, const Atom& value,
                                          absl::string_view map_key) {
  const Index& index = FindIndex(table, column, map_key);
  const auto found = index.entries.find(value);
  if (found == index.entries.end()) return {};
  return (*found)->rows;
}

void Replica::Sweep() {
  for (const auto& [table, uuid] : gone_rows_) {
    auto& cells = tables_[static_cast<size_t>(table)].cells;
    const auto cell = cells.find(uuid);
    if (cell == cells.end() || cell->second->row != nullptr) continue;
    if (!cell->second->cell.has_readers()) cells.erase(cell);
  }
  gone_rows_.clear();
  // The same entry may be listed twice.
  std::sort(empty_entries_.begin(), empty_entries_.end());
  empty_entries_.erase(std::unique(empty_entries_.begin(), empty_entries_.end()),
                       empty_entries_.end());
  for (const auto& [index, entry] : empty_entries_) {
    if (!entry->rows.empty() || entry->cell.has_readers()) continue;
    index->entries.erase(entry->key.key(0));
  }
  empty_entries_.clear();
}

}  // namespace northd

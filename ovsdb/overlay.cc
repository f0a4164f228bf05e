#include "ovsdb/overlay.h"

#include "ovsdb/index.h"

namespace ovsdb {
namespace {

using Function = Clause::Function;

// The value that the column must have, or null if the condition does not say.
const Datum* RequiredValue(const Condition& condition, int column) {
  for (const Clause& clause : condition.clauses()) {
    if (clause.function() == Function::kEqual && clause.column() == column) {
      return &clause.argument();
    }
  }
  return nullptr;
}

// The columns that must have a value, but for _uuid and _version.
absl::InlinedVector<int, 4> RequiredColumns(const Condition& condition) {
  absl::InlinedVector<int, 4> columns;
  for (const Clause& clause : condition.clauses()) {
    if (clause.function() == Function::kEqual && clause.column() >= TableSchema::kFirstRealColumn) {
      columns.push_back(clause.column());
    }
  }
  return columns;
}

}  // namespace

int Overlay::FindPosition(int table, const Uuid& uuid) const {
  if (entries_.size() > kMaxLinear) {
    const auto it = positions_.find({table, uuid});
    return it == positions_.end() ? -1 : static_cast<int>(it->second);
  }
  for (size_t i = 0; i < entries_.size(); i++) {
    if (entries_[i].uuid == uuid && entries_[i].table == table) return static_cast<int>(i);
  }
  return -1;
}

const Overlay::Entry* Overlay::FindEntry(int table, const Uuid& uuid) const {
  const int position = FindPosition(table, uuid);
  return position < 0 ? nullptr : &entries_[position];
}

Overlay::Entry& Overlay::Add(int table, const Uuid& uuid, const Row* before) {
  entries_.push_back(Entry{table, uuid, before});
  if (entries_.size() == kMaxLinear + 1) {
    for (size_t i = 0; i < entries_.size(); i++) {
      positions_.try_emplace({entries_[i].table, entries_[i].uuid}, i);
    }
  } else if (entries_.size() > kMaxLinear) {
    positions_.try_emplace({table, uuid}, entries_.size() - 1);
  }
  return entries_.back();
}

int Overlay::Touch(int table, const Uuid& uuid) {
  const int position = FindPosition(table, uuid);
  if (position >= 0) return position;
  const Row* row = db_.table(table).Find(uuid);
  if (row == nullptr) return -1;
  Add(table, uuid, row);
  return static_cast<int>(entries_.size()) - 1;
}

const Row* Overlay::Find(int table, const Uuid& uuid) const {
  const Entry* entry = FindEntry(table, uuid);
  return entry != nullptr ? entry->current() : db_.table(table).Find(uuid);
}

bool Overlay::IsFree(int table, const Uuid& uuid) const {
  const Entry* entry = FindEntry(table, uuid);
  if (entry != nullptr) return entry->before == nullptr && entry->deleted;
  return db_.table(table).Find(uuid) == nullptr;
}

void Overlay::Insert(int table, MutableRow row) {
  const Uuid& uuid = row.row().uuid();
  const int position = FindPosition(table, uuid);
  Entry& entry = position >= 0 ? entries_[position] : Add(table, uuid, nullptr);
  entry.after = std::move(row);
  entry.deleted = false;
}

MutableRow& Overlay::Modify(int table, const Row& row) {
  const int position = FindPosition(table, row.uuid());
  Entry& entry = position >= 0 ? entries_[position] : Add(table, row.uuid(), &row);
  if (!entry.after.has_value()) entry.after.emplace(row, row.version());
  return *entry.after;
}

void Overlay::Delete(int table, const Row& row) {
  const int position = FindPosition(table, row.uuid());
  Entry& entry = position >= 0 ? entries_[position] : Add(table, row.uuid(), &row);
  entry.deleted = true;
  entry.after.reset();
}

const Row* Overlay::CurrentOf(int table, const Row& base) const {
  const Entry* entry = entries_.empty() ? nullptr : FindEntry(table, base.uuid());
  return entry != nullptr ? entry->current() : &base;
}

Overlay::Rows Overlay::Select(int table, const Condition& condition) const {
  Rows rows;
  auto take = [&](const Row* row) {
    if (row != nullptr && condition.MatchesAll(*row)) rows.push_back(row);
  };

  if (const Datum* uuid = RequiredValue(condition, TableSchema::kUuidColumn)) {
    take(Find(table, uuid->key(0).uuid()));
    return rows;
  }

  // Rows with a new version are looked at one by one, the others as the best index tells.
  for (const Entry& entry : entries_) {
    if (entry.table == table && entry.after.has_value()) take(entry.current());
  }
  auto take_base = [&](const Row& row) {
    if (CurrentOf(table, row) == &row) take(&row);
  };
  const IndexSet& indexes = db_.indexes(table);
  const absl::InlinedVector<int, 4> columns = RequiredColumns(condition);
  if (const UniqueIndex* unique = indexes.FindUnique(columns)) {
    absl::InlinedVector<const Datum*, 4> values;
    for (int column : unique->columns()) values.push_back(RequiredValue(condition, column));
    const Row* row = unique->Find(values);
    if (row != nullptr) take_base(*row);
    return rows;
  }
  const LookupIndex* lookup =
      columns.empty() ? nullptr : indexes.FindLookup(db_.table(table), columns[0]);
  if (lookup != nullptr) {
    lookup->ForEachCandidate(*RequiredValue(condition, columns[0]), take_base);
    return rows;
  }
  db_.table(table).ForEach([&](const Row& row) {
    if (condition.MatchesAll(row) && CurrentOf(table, row) == &row) rows.push_back(&row);
  });
  return rows;
}

}  // namespace ovsdb

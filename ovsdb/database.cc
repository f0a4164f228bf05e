#include "ovsdb/database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/index.h"
#include "ovsdb/references.h"
#include "ovsdb/table_plan.h"

namespace ovsdb {
namespace {

size_t AtomCount(const TableSchema& table, const Row* row) {
  if (row == nullptr) return 0;
  size_t count = TableSchema::kFirstRealColumn;
  for (size_t i = TableSchema::kFirstRealColumn; i < table.columns.size(); i++) {
    count += row->datum(i).atom_count();
  }
  return count;
}

}  // namespace

Database::Database(SchemaRef schema)
    : schema_(std::move(schema)),
      references_(std::make_unique<ReferenceMap>(schema_->tables.size())) {
  plans_.reserve(schema_->tables.size());
  tables_.reserve(schema_->tables.size());
  indexes_.reserve(schema_->tables.size());
  for (const TableSchema& table : schema_->tables) {
    plans_.emplace_back(table);
    tables_.push_back(std::make_unique<Table>(&table));
    indexes_.emplace_back(table);
  }
}

Database::~Database() = default;

const IndexSet& Database::indexes(int table) const { return indexes_[table]; }

const TablePlan& Database::plan(int table) const { return plans_[table]; }

void Database::Apply(const Change& change) {
  for (const TableChange& table : change.tables) {
    Replace(table, &RowChange::before, &RowChange::after);
  }
}

void Database::Revert(const Change& change) {
  for (auto table = change.tables.rbegin(); table != change.tables.rend(); ++table) {
    Replace(*table, &RowChange::after, &RowChange::before);
  }
}

void Database::Replace(const TableChange& change, Version from, Version to) {
  Table& table = *tables_[change.table];
  IndexSet& indexes = indexes_[change.table];
  // All old values leave the indexes first: rows may have swapped theirs.
  for (const RowChange& row : change.rows) {
    if (row.*from) indexes.Erase(*(row.*from));
  }
  for (const RowChange& row : change.rows) {
    const Row* before = (row.*from).get();
    const Row* after = (row.*to).get();
    references_->Replace(table.schema(), plans_[change.table], before, after);
    atom_count_ += AtomCount(table.schema(), after);
    atom_count_ -= AtomCount(table.schema(), before);
    if (after != nullptr) {
      indexes.Insert(*after);
      table.Put(row.*to);
    } else {
      table.Erase(before->uuid());
    }
  }
}

void Database::LoadRow(int table, RowRef row) { tables_[table]->Put(std::move(row)); }

void Database::UnloadRow(int table, const Uuid& uuid) { tables_[table]->Erase(uuid); }

absl::Status Database::FinishLoad() {
  references_ = std::make_unique<ReferenceMap>(tables_.size());
  atom_count_ = 0;
  for (const auto& table : tables_) {
    const TableSchema& schema = table->schema();
    absl::Status status = indexes_[schema.index].Rebuild(*table);
    if (!status.ok()) return status;
    table->ForEach([&](const Row& row) {
      references_->Replace(schema, plans_[schema.index], nullptr, &row);
      atom_count_ += AtomCount(schema, &row);
    });
  }
  return references_->CheckTargets(*this);
}

Snapshot Database::TakeSnapshot() const {
  Snapshot snapshot;
  snapshot.schema = schema_;
  snapshot.tables.reserve(tables_.size());
  for (const auto& table : tables_) snapshot.tables.push_back(table->Snapshot());
  return snapshot;
}

size_t Database::row_count() const {
  size_t count = 0;
  for (const auto& table : tables_) count += table->size();
  return count;
}

}  // namespace ovsdb

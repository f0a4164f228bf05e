// A database: its schema, the current state of its tables with indexes and references, and the
// two moves between states: apply a change, or revert the newest one.
#ifndef OVSDB_DATABASE_H_
#define OVSDB_DATABASE_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "ovsdb/change.h"
#include "ovsdb/schema.h"
#include "ovsdb/table.h"

namespace ovsdb {

class IndexSet;      // index.h: unique indexes of one table.
class ReferenceMap;  // references.h: strong counts and weak back-references.
struct TablePlan;    // table_plan.h: what is worked out once per table.

// All tables at one moment; keeping it keeps the rows. Copying shares. Safe on any thread.
struct Snapshot {
  SchemaRef schema;
  std::vector<TableSnapshot> tables;  // By TableSchema::index.
};

// Single-threaded, but for its snapshots.
class Database {
 public:
  explicit Database(SchemaRef schema);  // Empty tables.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const DatabaseSchema& schema() const { return *schema_; }
  const SchemaRef& schema_ref() const { return schema_; }
  const Table& table(int index) const { return *tables_[index]; }
  const IndexSet& indexes(int table) const;
  const ReferenceMap& references() const { return *references_; }
  const TablePlan& plan(int table) const;

  // Makes the change's `after` rows current. The change must be valid: checked by a Transaction
  // or taken from a trusted log. Its `before` rows must be the current ones.
  void Apply(const Change& change);
  // Takes back the newest applied change: afterwards the state is as before its Apply.
  void Revert(const Change& change);

  // Filling a database at start-up, much faster than by changes: any number of LoadRow() and
  // UnloadRow(), then FinishLoad(). Meanwhile only table() may be looked at: a replica that needs
  // no more than that never finishes.
  void LoadRow(int table, RowRef row);  // Inserts or replaces.
  void UnloadRow(int table, const Uuid& uuid);
  // Builds indexes and counts references of all rows. Errors: rows that share the values of a
  // unique index, strong references to rows that are not there; the database is of no use then.
  absl::Status FinishLoad();

  Snapshot TakeSnapshot() const;

  size_t row_count() const;
  size_t atom_count() const { return atom_count_; }  // For memory/show and history limits.

 private:
  using Version = RowRef RowChange::*;

  void Replace(const TableChange& change, Version from, Version to);

  SchemaRef schema_;
  std::vector<TablePlan> plans_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<IndexSet> indexes_;
  std::unique_ptr<ReferenceMap> references_;
  size_t atom_count_ = 0;
};

}  // namespace ovsdb

#endif  // OVSDB_DATABASE_H_

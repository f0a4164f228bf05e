// A database: its schema, the current state of its tables with indexes and references, and the
// two moves between states: apply a change, or revert the newest one.
#ifndef OVSDB_DATABASE_H_
#define OVSDB_DATABASE_H_

#include <memory>
#include <vector>

#include "ovsdb/change.h"
#include "ovsdb/schema.h"
#include "ovsdb/table.h"

namespace ovsdb {

class IndexSet;       // index.h: unique indexes of one table.
class ReferenceMap;   // references.h: strong counts and weak back-references.

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

  // Makes the change's `after` rows current. The change must be valid: checked by a Transaction
  // or taken from a trusted log. Its `before` rows must be the current ones.
  void Apply(const Change& change);
  // Takes back the newest applied change: afterwards the state is as before its Apply.
  void Revert(const Change& change);

  Snapshot TakeSnapshot() const;

  size_t row_count() const;
  size_t atom_count() const;  // Maintained, not counted: for memory/show and history limits.

 private:
  SchemaRef schema_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<std::unique_ptr<IndexSet>> indexes_;
  std::unique_ptr<ReferenceMap> references_;
  size_t atom_count_ = 0;
};

}  // namespace ovsdb

#endif  // OVSDB_DATABASE_H_

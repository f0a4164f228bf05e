// What a transaction did: per row, the version before and the version after.
//
// The log, monitors, history, replication and relays all consume this, and reverting a
// speculative transaction is applying it backwards.
#ifndef OVSDB_CHANGE_H_
#define OVSDB_CHANGE_H_

#include <string>
#include <vector>

#include "ovsdb/row.h"

namespace ovsdb {

struct RowChange {
  RowRef before;  // Null: inserted.
  RowRef after;   // Null: deleted.

  const Uuid& uuid() const { return before ? before->uuid() : after->uuid(); }
};

struct TableChange {
  int table = 0;  // TableSchema::index.
  std::vector<RowChange> rows;  // Each row once; never before == after.
};

struct Change {
  std::vector<TableChange> tables;  // Each table once, ascending.
  std::string comment;              // `comment` operations joined by line feeds.

  bool empty() const { return tables.empty(); }
};

}  // namespace ovsdb

#endif  // OVSDB_CHANGE_H_

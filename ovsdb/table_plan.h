// What operations and checks ask of a table again and again, worked out once from its schema.
#ifndef OVSDB_TABLE_PLAN_H_
#define OVSDB_TABLE_PLAN_H_

#include <vector>

#include "ovsdb/row.h"
#include "ovsdb/schema.h"

namespace ovsdb {

struct TablePlan {
  explicit TablePlan(const TableSchema& table);

  RowRef defaults;  // A row of default values, whose UUIDs are zero.
  // Columns by ColumnSchema::index, ascending.
  std::vector<int> strong_columns;       // With a strong reference as key or value.
  std::vector<int> weak_columns;         // With a weak one.
  std::vector<int> disallowed_defaults;  // Whose default their own constraints forbid.
};

}  // namespace ovsdb

#endif  // OVSDB_TABLE_PLAN_H_

#include "ovsdb/table_plan.h"

namespace ovsdb {

TablePlan::TablePlan(const TableSchema& table)
    : defaults(MutableRow(table, Uuid(), Uuid()).Finish()) {
  for (size_t i = TableSchema::kFirstRealColumn; i < table.columns.size(); i++) {
    const ColumnType& type = table.columns[i].type;
    const int column = static_cast<int>(i);
    if (type.key.is_strong_ref() || type.value.is_strong_ref()) strong_columns.push_back(column);
    if (type.key.is_weak_ref() || type.value.is_weak_ref()) weak_columns.push_back(column);
    if (!type.Check(defaults->datum(column)).ok()) disallowed_defaults.push_back(column);
  }
}

}  // namespace ovsdb

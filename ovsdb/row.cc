#include "ovsdb/row.h"

#include <memory>
#include <new>

namespace ovsdb {

static_assert(sizeof(Row) % alignof(Datum) == 0);

Row* Row::New(uint32_t n_columns, const Uuid& uuid, const Uuid& version) {
  void* memory = ::operator new(sizeof(Row) + n_columns * sizeof(Datum));
  return new (memory) Row(n_columns, uuid, version);
}

void Row::Destroy(Row* row) {
  std::destroy_n(row->data(), row->n_columns_);
  row->~Row();
  ::operator delete(row);
}

Datum Row::Get(int column) const {
  switch (column) {
    case TableSchema::kUuidColumn:
      return Datum(Atom::Of(uuid_));
    case TableSchema::kVersionColumn:
      return Datum(Atom::Of(version_));
    default:
      return datum(column);
  }
}

MutableRow::MutableRow(const TableSchema& table, const Uuid& uuid, const Uuid& version)
    : row_(Row::New(table.columns.size() - TableSchema::kFirstRealColumn, uuid, version)) {
  for (uint32_t i = 0; i < row_->n_columns_; i++) {
    new (row_->data() + i) Datum(table.columns[i + TableSchema::kFirstRealColumn].type.Default());
  }
}

MutableRow::MutableRow(const Row& row, const Uuid& uuid, const Uuid& version)
    : row_(Row::New(row.n_columns_, uuid, version)) {
  std::uninitialized_copy_n(row.data(), row.n_columns_, row_->data());
}

}  // namespace ovsdb

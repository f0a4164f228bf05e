// One immutable version of a row.
#ifndef OVSDB_ROW_H_
#define OVSDB_ROW_H_

#include <cstdint>
#include <memory>

#include "ovsdb/datum.h"
#include "ovsdb/ref_counted.h"
#include "ovsdb/schema.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// A version of a row: one allocation with its column values behind it. It is made mutable by
// MutableRow below, and never changes once a RowRef to it exists.
class Row : public RefCounted<Row> {
 public:
  const Uuid& uuid() const { return uuid_; }
  const Uuid& version() const { return version_; }  // Differs between any two versions of a row.
  // One past the greatest ColumnSchema::index.
  int n_columns() const { return TableSchema::kFirstRealColumn + static_cast<int>(n_columns_); }
  // Columns by ColumnSchema::index, from TableSchema::kFirstRealColumn on.
  const Datum& datum(int column) const { return data()[column - TableSchema::kFirstRealColumn]; }
  // The same for every column, _uuid and _version too (made as a scalar for those).
  Datum Get(int column) const;

  static void Destroy(Row* row);

 private:
  friend class MutableRow;
  Row(uint32_t n_columns, const Uuid& uuid, const Uuid& version)
      : n_columns_(n_columns), uuid_(uuid), version_(version) {}
  // Without the columns, whose place is behind the object.
  static Row* New(uint32_t n_columns, const Uuid& uuid, const Uuid& version);
  Datum* data() { return reinterpret_cast<Datum*>(this + 1); }
  const Datum* data() const { return reinterpret_cast<const Datum*>(this + 1); }

  uint32_t n_columns_ = 0;  // Of real ones. First, where the reference count leaves room.
  Uuid uuid_;
  Uuid version_;
};

using RowRef = Ref<const Row>;

// The only owner of a row version under construction.
class MutableRow {
 public:
  // All columns at the table's defaults.
  MutableRow(const TableSchema& table, const Uuid& uuid, const Uuid& version);
  // A copy of `row` (values shared) with a new version.
  MutableRow(const Row& row, const Uuid& version) : MutableRow(row, row.uuid(), version) {}
  // The same under another UUID.
  MutableRow(const Row& row, const Uuid& uuid, const Uuid& version);
  MutableRow(MutableRow&&) = default;
  MutableRow& operator=(MutableRow&&) = default;

  const Row& row() const { return *row_; }
  const Datum& datum(int column) const { return row_->datum(column); }
  void Set(int column, Datum datum) {
    row_->data()[column - TableSchema::kFirstRealColumn] = std::move(datum);
  }
  void set_version(const Uuid& version) { row_->version_ = version; }
  // Ends construction.
  RowRef Finish() && { return RowRef(std::move(row_)); }

 private:
  Ref<Row> row_;
};

}  // namespace ovsdb

#endif  // OVSDB_ROW_H_

// What monitors are told of rows, as text: <table-updates> (RFC 7047 section 4.1.6) and
// <table-updates2> (ovsdb-server(7) section 4.1.14).
#ifndef OVSDB_UPDATE_JSON_H_
#define OVSDB_UPDATE_JSON_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ovsdb/ref_counted.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"

namespace ovsdb {

// A piece of output, written once and shared by every session that sends it.
using Text = std::shared_ptr<const std::string>;

// The dialect of a monitor: what `monitor`, `monitor_cond` and `monitor_cond_since` speak. The last
// two differ only in what surrounds the updates.
enum class MonitorVersion : uint8_t { kV1, kV2, kV3 };

// Occasions for an update; `select` of a <monitor-request> is a set of them.
enum class RowEvent : uint8_t { kInitial = 1, kInsert = 2, kDelete = 4, kModify = 8 };
inline constexpr uint8_t kSelectAll = 15;

// Which columns of a table a monitor shows, and each of them on which occasions. Monitors with
// equal shapes share one (MonitorIndex sees to that), so that equality is equality of pointers.
class TableShape : public RefCounted<TableShape> {
 public:
  struct Column {
    int column;      // ColumnSchema::index.
    uint8_t select;  // RowEvents.
    bool operator==(const Column& o) const = default;
  };

  // `columns` has each column once, in any order. `schema` must outlive the shape. `select` has the
  // occasions of requests without columns too.
  TableShape(const TableSchema* schema, MonitorVersion version, std::vector<Column> columns,
             uint8_t select);

  const TableSchema& schema() const { return *schema_; }
  bool v1() const { return v1_; }
  uint8_t select() const { return select_; }
  bool Selects(RowEvent event) const { return (select_ & static_cast<uint8_t>(event)) != 0; }
  const std::vector<Column>& columns() const { return columns_; }  // Ascending.

  // Same contents: fit to be one object.
  bool Equals(const TableShape& o) const;
  size_t Hash() const;

  // Appends the row's member of a table's updates, `"UUID":{...}`. False, and nothing appended, if
  // the shape does not ask for the event or, for kModify, no column that it shows has changed.
  // `before` is needed for kDelete and kModify, `after` for all but kDelete.
  bool AppendRowUpdate(RowEvent event, const Row* before, const Row* after, std::string* out) const;

  // `"TABLE":{`: what goes in front of the row updates of a table; `}` goes behind.
  const std::string& table_prefix() const { return table_prefix_; }

 private:
  void AppendColumns(RowEvent event, const Row& row, std::string* out) const;
  bool AppendModify(const Row& before, const Row& after, std::string* out) const;
  bool AppendModifyV1(const Row& before, const Row& after, std::string* out) const;

  const TableSchema* schema_;
  bool v1_;
  uint8_t select_;
  std::vector<Column> columns_;
  std::vector<std::string> names_;  // `"NAME":` of each column.
  std::string table_prefix_;
};

using TableShapeRef = Ref<const TableShape>;

}  // namespace ovsdb

#endif  // OVSDB_UPDATE_JSON_H_

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

  // `columns` has each column once, in any order; `table` is one of the schema's. `select` has the
  // occasions of requests without columns too.
  TableShape(SchemaRef schema, const TableSchema& table, MonitorVersion version,
             std::vector<Column> columns, uint8_t select);

  const TableSchema& schema() const { return table_; }
  bool v1() const { return v1_; }
  uint8_t select() const { return select_; }
  bool Selects(RowEvent event) const { return (select_ & static_cast<uint8_t>(event)) != 0; }
  const std::vector<Column>& columns() const { return columns_; }  // Ascending.

  // Same contents: fit to be one object.
  bool Equals(const TableShape& o) const;
  size_t Hash() const;

  // Whether there is something to tell of a row: the shape asks for the event and, for kModify, a
  // column of it has changed (one that is not asked for on this occasion counts, as in stock: then
  // the update has no columns). `before` is needed for kDelete and kModify, `after` for all but
  // kDelete.
  bool Tells(RowEvent event, const Row* before, const Row* after) const {
    return Selects(event) && (event != RowEvent::kModify || Changed(*before, *after));
  }
  // Appends the row's member of a table's updates, `"UUID":{...}`. Requires Tells().
  void AppendRowUpdate(RowEvent event, const Row* before, const Row* after, std::string* out) const;

  // `"TABLE":{`: what goes in front of the row updates of a table; `}` goes behind.
  const std::string& table_prefix() const { return table_prefix_; }

 private:
  // What it takes to write a column.
  struct Writer {
    std::string name;  // `"NAME":`
    Datum default_value;
    bool is_map;
    bool sends_differences;  // Not a scalar or optional.
  };

  bool SelectsColumn(size_t i, RowEvent event) const {
    return (columns_[i].select & static_cast<uint8_t>(event)) != 0;
  }
  // `"NAME":VALUE,` for the columns of an event; without those at their default if asked.
  void AppendColumns(RowEvent event, const Row& row, bool omit_defaults, std::string* out) const;
  void AppendValue(size_t i, const Row& row, std::string* out) const;
  bool Changed(const Row& before, const Row& after) const;
  bool ColumnChanged(size_t i, const Row& before, const Row& after) const;
  void AppendModify(const Row& before, const Row& after, std::string* out) const;
  void AppendModifyV1(const Row& before, const Row& after, std::string* out) const;

  SchemaRef schema_;
  const TableSchema& table_;
  bool v1_;
  uint8_t select_;
  std::vector<Column> columns_;
  std::vector<Writer> writers_;  // One for each column.
  std::string table_prefix_;
};

using TableShapeRef = Ref<const TableShape>;

}  // namespace ovsdb

#endif  // OVSDB_UPDATE_JSON_H_

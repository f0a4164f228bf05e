#include "ovsdb/update_json.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace ovsdb {
namespace {

// Ends a list of members that were each written with a comma behind.
void CloseObject(std::string* out) {
  if (out->back() == ',') {
    out->back() = '}';
  } else {
    out->push_back('}');
  }
}

}  // namespace

TableShape::TableShape(SchemaRef schema, const TableSchema& table, MonitorVersion version,
                       std::vector<Column> columns, uint8_t select)
    : schema_(std::move(schema)),
      table_(table),
      v1_(version == MonitorVersion::kV1),
      select_(select),
      columns_(std::move(columns)),
      table_prefix_(absl::StrCat("\"", table.name, "\":{")) {
  std::sort(columns_.begin(), columns_.end(),
            [](const Column& a, const Column& b) { return a.column < b.column; });
  writers_.reserve(columns_.size());
  for (const Column& column : columns_) {
    const ColumnSchema& type = table.columns[column.column];
    writers_.push_back({absl::StrCat("\"", type.name, "\":"), type.type.Default(),
                        type.type.is_map(), type.type.n_max > 1});
  }
}

bool TableShape::Equals(const TableShape& o) const {
  return &table_ == &o.table_ && v1_ == o.v1_ && select_ == o.select_ && columns_ == o.columns_;
}

size_t TableShape::Hash() const {
  size_t hash = absl::HashOf(&table_, v1_, select_);
  for (const Column& column : columns_) hash = absl::HashOf(hash, column.column, column.select);
  return hash;
}

void TableShape::AppendRowUpdate(RowEvent event, const Row* before, const Row* after,
                                 std::string* out) const {
  out->push_back('"');
  (after != nullptr ? after : before)->uuid().AppendTo(out);
  switch (event) {
    case RowEvent::kInitial:
    case RowEvent::kInsert:
      out->append(v1_                           ? "\":{\"new\":{"
                  : event == RowEvent::kInitial ? "\":{\"initial\":{"
                                                : "\":{\"insert\":{");
      AppendColumns(event, *after, /*omit_defaults=*/!v1_, out);
      CloseObject(out);
      break;
    case RowEvent::kDelete:
      if (v1_) {
        out->append("\":{\"old\":{");
        AppendColumns(event, *before, /*omit_defaults=*/false, out);
        CloseObject(out);
      } else {
        out->append("\":{\"delete\":null");
      }
      break;
    case RowEvent::kModify:
      if (v1_) {
        AppendModifyV1(*before, *after, out);
      } else {
        AppendModify(*before, *after, out);
      }
      break;
  }
  out->push_back('}');
}

void TableShape::AppendColumns(RowEvent event, const Row& row, bool omit_defaults,
                               std::string* out) const {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!SelectsColumn(i, event)) continue;
    int column = columns_[i].column;
    if (omit_defaults && column >= TableSchema::kFirstRealColumn &&
        row.datum(column) == writers_[i].default_value) {
      continue;
    }
    out->append(writers_[i].name);
    AppendValue(i, row, out);
    out->push_back(',');
  }
}

void TableShape::AppendValue(size_t i, const Row& row, std::string* out) const {
  int column = columns_[i].column;
  if (column == TableSchema::kUuidColumn) {
    Atom::Of(row.uuid()).AppendJson(out);
  } else if (column == TableSchema::kVersionColumn) {
    Atom::Of(row.version()).AppendJson(out);
  } else {
    row.datum(column).AppendJson(writers_[i].is_map, out);
  }
}

bool TableShape::Changed(const Row& before, const Row& after) const {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (ColumnChanged(i, before, after)) return true;
  }
  return false;
}

bool TableShape::ColumnChanged(size_t i, const Row& before, const Row& after) const {
  int column = columns_[i].column;
  if (column == TableSchema::kUuidColumn) return false;
  if (column == TableSchema::kVersionColumn) return before.version() != after.version();
  return !(before.datum(column) == after.datum(column));
}

void TableShape::AppendModify(const Row& before, const Row& after, std::string* out) const {
  out->append("\":{\"modify\":{");
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!SelectsColumn(i, RowEvent::kModify) || !ColumnChanged(i, before, after)) continue;
    int column = columns_[i].column;
    out->append(writers_[i].name);
    if (writers_[i].sends_differences) {
      Difference(before.datum(column), after.datum(column)).AppendJson(writers_[i].is_map, out);
    } else {
      AppendValue(i, after, out);
    }
    out->push_back(',');
  }
  CloseObject(out);
}

void TableShape::AppendModifyV1(const Row& before, const Row& after, std::string* out) const {
  out->append("\":{\"new\":{");
  AppendColumns(RowEvent::kModify, after, /*omit_defaults=*/false, out);
  CloseObject(out);
  out->append(",\"old\":{");
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!SelectsColumn(i, RowEvent::kModify) || !ColumnChanged(i, before, after)) continue;
    out->append(writers_[i].name);
    AppendValue(i, before, out);
    out->push_back(',');
  }
  CloseObject(out);
}

}  // namespace ovsdb

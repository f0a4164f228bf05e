#include "ovsdb/monitor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/object_parser.h"
#include "ovsdb/row_filter.h"

namespace ovsdb {
namespace {

// What the requests for one table come to.
struct TableRequest {
  std::vector<TableShape::Column> columns;
  uint8_t select = 0;
  RowFilterRef filter;
};

absl::StatusOr<uint8_t> ParseSelect(const Json* json, absl::string_view table) {
  if (json == nullptr) return kSelectAll;
  ObjectParser parser(*json);
  uint8_t select = 0;
  auto take = [&](absl::string_view name, RowEvent event) {
    const Json* flag = parser.Optional(name, ObjectParser::kBoolean);
    if (flag == nullptr || flag->GetBool()) select |= static_cast<uint8_t>(event);
  };
  take("initial", RowEvent::kInitial);
  take("insert", RowEvent::kInsert);
  take("delete", RowEvent::kDelete);
  take("modify", RowEvent::kModify);
  if (!parser.Finish()) return parser.Error(absl::StrCat("table ", table, " select"));
  return select;
}

absl::Status AddColumn(const ColumnSchema& column, uint8_t select, const Json* columns,
                       TableRequest* request) {
  bool known = std::any_of(request->columns.begin(), request->columns.end(),
                           [&](const auto& c) { return c.column == column.index; });
  if (known) {
    std::string details = absl::StrCat("column ", column.name, " mentioned more than once");
    return columns == nullptr ? Error(kSyntaxError, details) : SyntaxError(*columns, details);
  }
  request->columns.push_back({column.index, select});
  return absl::OkStatus();
}

absl::Status AddColumns(const TableSchema& table, const Json* columns, uint8_t select,
                        TableRequest* request) {
  if (columns == nullptr) {
    for (const ColumnSchema& column : table.columns) {
      if (column.index == TableSchema::kUuidColumn) continue;
      absl::Status status = AddColumn(column, select, nullptr, request);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  for (const Json& name : columns->GetArray()) {
    if (!name.IsString()) return SyntaxError(*columns, "array of column names expected");
    const ColumnSchema* column = table.FindColumn(StringView(name));
    if (column == nullptr) {
      return SyntaxError(*columns, absl::StrCat(StringView(name), " is not a valid column name"));
    }
    absl::Status status = AddColumn(*column, select, columns, request);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// One <monitor-request>; of several for a table, the first one's `where` counts, as in stock.
absl::Status ParseTableRequest(const TableSchema& table, MonitorVersion version, const Json& json,
                               bool is_first, TableRequest* request) {
  ObjectParser parser(json);
  const Json* where = nullptr;
  if (version != MonitorVersion::kV1) where = parser.Optional("where", ObjectParser::kArray);
  const Json* columns = parser.Optional("columns", ObjectParser::kArray);
  const Json* select_json = parser.Optional("select", ObjectParser::kObject);
  if (!parser.Finish()) return parser.Error(absl::StrCat("table ", table.name));

  absl::StatusOr<uint8_t> select = ParseSelect(select_json, table.name);
  if (!select.ok()) return select.status();
  absl::Status status = AddColumns(table, columns, *select, request);
  if (!status.ok()) return status;
  request->select |= *select;

  if (where == nullptr) return absl::OkStatus();
  absl::StatusOr<RowFilterRef> filter = RowFilter::Parse(table, *where);
  if (!filter.ok()) return filter.status();
  if (is_first) request->filter = *std::move(filter);
  return absl::OkStatus();
}

absl::StatusOr<TableRequest> ParseTableRequests(const TableSchema& table, MonitorVersion version,
                                                const Json& json) {
  TableRequest request;
  if (!json.IsArray()) {
    absl::Status status = ParseTableRequest(table, version, json, /*is_first=*/true, &request);
    if (!status.ok()) return status;
    return request;
  }
  for (rapidjson::SizeType i = 0; i < json.Size(); ++i) {
    absl::Status status = ParseTableRequest(table, version, json[i], i == 0, &request);
    if (!status.ok()) return status;
  }
  return request;
}

absl::StatusOr<const TableSchema*> FindTable(const DatabaseSchema& schema, const Json& name) {
  const TableSchema* table = schema.FindTable(StringView(name));
  if (table == nullptr) {
    return Error(kSyntaxError, absl::StrCat("no table named ", StringView(name)));
  }
  return table;
}

absl::Status CheckParams(MonitorVersion version, const Json& params) {
  // Stock's `monitor` takes no notice of more parameters.
  const bool right = !params.IsArray()                ? false
                     : version == MonitorVersion::kV1 ? params.Size() >= 3
                     : version == MonitorVersion::kV2 ? params.Size() == 3
                                                      : params.Size() == 4;
  return right ? absl::OkStatus() : SyntaxError(params, "invalid parameters");
}

absl::StatusOr<Uuid> ParseTransactionId(const Json& json) {
  if (!json.IsString()) return SyntaxError(json, "last-txn-id must be string");
  std::optional<Uuid> id = Uuid::Parse(StringView(json));
  if (!id.has_value()) return SyntaxError(json, "last-txn-id must be UUID format.");
  return *id;
}

// One <monitor-cond-update-request>.
absl::Status ParseFilter(const TableSchema& table, MonitorVersion version, const Json& json,
                         RowFilterRef* filter) {
  ObjectParser parser(json);
  const Json* columns = parser.Optional("columns", ObjectParser::kArray);
  const Json* where = parser.Optional("where", ObjectParser::kArray);
  if (!parser.Finish()) return parser.Error(absl::StrCat("table ", table.name));
  if (columns != nullptr) return SyntaxError(json, "changing columns is unsupported");
  if (version == MonitorVersion::kV1) return absl::OkStatus();
  if (where == nullptr) {
    *filter = nullptr;
    return absl::OkStatus();
  }
  absl::StatusOr<RowFilterRef> parsed = RowFilter::Parse(table, *where);
  if (!parsed.ok()) return parsed.status();
  *filter = *std::move(parsed);
  return absl::OkStatus();
}

}  // namespace

MonitorShape::MonitorShape(SchemaRef schema, MonitorVersion version,
                           std::vector<TableShapeRef> tables)
    : schema_(std::move(schema)), version_(version), tables_(std::move(tables)) {
  std::sort(tables_.begin(), tables_.end(), [](const TableShapeRef& a, const TableShapeRef& b) {
    return a->schema().index < b->schema().index;
  });
}

int MonitorShape::Position(int table) const {
  auto it = std::lower_bound(
      tables_.begin(), tables_.end(), table,
      [](const TableShapeRef& shape, int index) { return shape->schema().index < index; });
  return it != tables_.end() && (*it)->schema().index == table
             ? static_cast<int>(it - tables_.begin())
             : -1;
}

absl::StatusOr<MonitorRequest> MonitorRequest::Parse(
    MonitorVersion version, const SchemaRef& schema, const Json& params,
    absl::FunctionRef<bool(absl::string_view)> id_in_use) {
  absl::Status status = CheckParams(version, params);
  if (!status.ok()) return status;
  const Json& requests = params[2];
  if (!requests.IsObject()) return SyntaxError(requests, "monitor-requests must be object");
  MonitorRequest result;
  result.id = MonitorId(params[1]);
  if (id_in_use(result.id)) return SyntaxError(params[1], "duplicate monitor ID");

  std::vector<TableShapeRef> shapes;
  std::vector<std::pair<int, RowFilterRef>> filters;
  for (const auto& member : requests.GetObject()) {
    absl::StatusOr<const TableSchema*> table = FindTable(*schema, member.name);
    if (!table.ok()) return table.status();
    absl::StatusOr<TableRequest> request = ParseTableRequests(**table, version, member.value);
    if (!request.ok()) return request.status();
    shapes.emplace_back(
        new TableShape(schema, **table, version, std::move(request->columns), request->select));
    filters.emplace_back((*table)->index, std::move(request->filter));
  }
  if (version == MonitorVersion::kV3) {
    absl::StatusOr<Uuid> id = ParseTransactionId(params[3]);
    if (!id.ok()) return id.status();
    result.last_txn_id = *id;
  }

  MonitorShapeRef shape(new MonitorShape(schema, version, std::move(shapes)));
  result.filters.resize(shape->tables().size());
  for (auto& [table, filter] : filters) {
    result.filters[shape->Position(table)] = std::move(filter);
  }
  result.shape = std::move(shape);
  return result;
}

absl::StatusOr<std::string> FilterRequest::MonitorOf(const Json& params) {
  if (!params.IsArray() || params.Size() != 3) return SyntaxError(params, "invalid parameters");
  return MonitorId(params[0]);
}

absl::Status FilterRequest::UnknownMonitor(const Json& params) {
  return SyntaxError(params[0], "unknown monitor session");
}

absl::StatusOr<FilterRequest> FilterRequest::Parse(
    const MonitorShape& shape, const RowFilters& current, const Json& params,
    absl::FunctionRef<bool(absl::string_view)> id_in_use) {
  FilterRequest result;
  result.new_id = MonitorId(params[1]);
  if (result.new_id != MonitorId(params[0]) && id_in_use(result.new_id)) {
    return SyntaxError(params[1], "duplicate monitor ID");
  }
  const Json& requests = params[2];
  if (!requests.IsObject()) {
    return Error(kSyntaxError, "monitor-cond-change-requests must be object");
  }
  result.filters = current;
  for (const auto& member : requests.GetObject()) {
    absl::StatusOr<const TableSchema*> table = FindTable(shape.schema(), member.name);
    if (!table.ok()) return table.status();
    const int position = shape.Position((*table)->index);
    if (position < 0) {
      return Error(kSyntaxError,
                   absl::StrCat("no table named ", (*table)->name, " in monitor session"));
    }
    if (!member.value.IsArray()) {
      return Error(kSyntaxError,
                   absl::StrCat("table ", (*table)->name, " no monitor-cond-change JSON array"));
    }
    for (const Json& request : member.value.GetArray()) {
      absl::Status status =
          ParseFilter(**table, shape.version(), request, &result.filters[position]);
      if (!status.ok()) return status;
    }
  }
  return result;
}

std::string MonitorId(const Json& id) { return JsonText(id, JsonForm::kSorted); }

std::string UpdatePrefix(MonitorVersion version, absl::string_view id, const Uuid& txn_id) {
  switch (version) {
    case MonitorVersion::kV1:
      return absl::StrCat("{\"id\":null,\"method\":\"update\",\"params\":[", id, ",");
    case MonitorVersion::kV2:
      return absl::StrCat("{\"id\":null,\"method\":\"update2\",\"params\":[", id, ",");
    case MonitorVersion::kV3:
      break;
  }
  return absl::StrCat("{\"id\":null,\"method\":\"update3\",\"params\":[", id, ",\"",
                      txn_id.ToString(), "\",");
}

}  // namespace ovsdb

#include "ovsdb/schema.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ovsdb/error.h"
#include "ovsdb/object_parser.h"

namespace ovsdb {
namespace {

absl::Status CheckName(const Json& json, absl::string_view name) {
  if (name.substr(0, 1) == "_") return SyntaxError(json, "names beginning with \"_\" are reserved");
  if (!IsValidIdentifier(name)) return SyntaxError(json, "name must be a valid id");
  return absl::OkStatus();
}

absl::StatusOr<ColumnSchema> ParseColumn(absl::string_view name, const Json& json) {
  ObjectParser parser(json);
  const Json* is_mutable = parser.Optional("mutable", ObjectParser::kBoolean);
  const Json* ephemeral = parser.Optional("ephemeral", ObjectParser::kBoolean);
  const Json* type = parser.Required("type", ObjectParser::kString | ObjectParser::kObject);
  if (!parser.Finish()) return parser.Error(absl::StrCat("schema for column ", name));
  ColumnSchema column;
  column.name = std::string(name);
  if (is_mutable != nullptr) column.is_mutable = is_mutable->GetBool();
  if (ephemeral != nullptr) column.persistent = !ephemeral->GetBool();
  auto column_type = ColumnType::Parse(*type);
  if (!column_type.ok()) return column_type.status();
  column.type = *std::move(column_type);
  // A weak reference changes when its target goes (ovsdb-server(7) section 3.2).
  column.is_mutable |= column.type.key.is_weak_ref() || column.type.value.is_weak_ref();
  return column;
}

ColumnSchema BuiltInColumn(const char* name, bool persistent) {
  ColumnSchema column;
  column.name = name;
  column.type.key.type = AtomType::kUuid;
  column.is_mutable = false;
  column.persistent = persistent;
  return column;
}

// Positions of the columns that one index names.
absl::StatusOr<std::vector<int>> ParseIndex(const Json& json, const TableSchema& table) {
  std::vector<int> positions;
  const auto not_distinct = [&] {
    return SyntaxError(json, "array of distinct column names expected");
  };
  if (!json.IsArray()) return not_distinct();
  for (const Json& name : json.GetArray()) {
    if (!name.IsString()) return not_distinct();
    const ColumnSchema* column = table.FindColumn(StringView(name));
    if (column == nullptr) {
      return SyntaxError(json, absl::StrCat(StringView(name), " is not a valid column name"));
    }
    if (absl::c_linear_search(positions, column->index)) return not_distinct();
    positions.push_back(column->index);
  }
  return positions;
}

absl::Status ParseIndexes(const Json& json, const Json& table_json, TableSchema* table) {
  for (const Json& index_json : json.GetArray()) {
    auto index = ParseIndex(index_json, *table);
    if (!index.ok()) return index.status();
    if (index->empty()) return SyntaxError(table_json, "index must have at least one column");
    for (int position : *index) {
      const ColumnSchema& column = table->columns[position];
      if (column.persistent) continue;
      return SyntaxError(table_json, absl::StrCat("ephemeral columns (such as ", column.name,
                                                  ") may not be indexed"));
    }
    table->indexes.push_back(*std::move(index));
  }
  return absl::OkStatus();
}

// The members of an object by name: what order they are given in must not matter.
std::vector<Json::ConstMemberIterator> SortedMembers(const Json& object) {
  std::vector<Json::ConstMemberIterator> members;
  for (auto m = object.MemberBegin(); m != object.MemberEnd(); ++m) members.push_back(m);
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return StringView(a->name) < StringView(b->name); });
  return members;
}

absl::StatusOr<TableSchema> ParseTable(absl::string_view name, const Json& json) {
  ObjectParser parser(json);
  const Json* columns = parser.Required("columns", ObjectParser::kObject);
  const Json* max_rows = parser.Optional("maxRows", ObjectParser::kInteger);
  const Json* is_root = parser.Optional("isRoot", ObjectParser::kBoolean);
  const Json* indexes = parser.Optional("indexes", ObjectParser::kArray);
  if (!parser.Finish()) return parser.Error(absl::StrCat("table schema for table ", name));

  TableSchema table;
  table.name = std::string(name);
  table.is_root = is_root != nullptr && is_root->GetBool();
  if (max_rows != nullptr) {
    const int64_t n = *JsonInteger(*max_rows);
    if (n <= 0) return SyntaxError(json, "maxRows must be at least 1");
    table.max_rows = std::min<int64_t>(n, table.max_rows);
  }
  if (columns->ObjectEmpty()) return SyntaxError(json, "table must have at least one column");
  table.columns.push_back(BuiltInColumn("_uuid", /*persistent=*/true));
  table.columns.push_back(BuiltInColumn("_version", /*persistent=*/false));
  for (const auto& member : SortedMembers(*columns)) {
    if (auto status = CheckName(json, StringView(member->name)); !status.ok()) return status;
    auto column = ParseColumn(StringView(member->name), member->value);
    if (!column.ok()) return column.status();
    table.columns.push_back(*std::move(column));
  }
  for (size_t i = 0; i < table.columns.size(); i++) {
    table.columns[i].index = i;
    table.column_by_name.emplace(table.columns[i].name, i);
  }
  if (indexes != nullptr) {
    if (auto status = ParseIndexes(*indexes, json, &table); !status.ok()) return status;
  }
  return table;
}

// Skips one number of a version as scanf would read it; false if there is none.
bool SkipNumber(absl::string_view* s) {
  while (!s->empty() && absl::ascii_isspace((*s)[0])) s->remove_prefix(1);
  if (!s->empty() && ((*s)[0] == '-' || (*s)[0] == '+')) s->remove_prefix(1);
  if (s->empty() || !absl::ascii_isdigit((*s)[0])) return false;
  while (!s->empty() && absl::ascii_isdigit((*s)[0])) s->remove_prefix(1);
  return true;
}

}  // namespace

bool IsValidVersion(absl::string_view version) {
  for (int i = 0; i < 3; i++) {
    if (i > 0 && !absl::ConsumePrefix(&version, ".")) return false;
    if (!SkipNumber(&version)) return false;
  }
  return version.empty();
}

const ColumnSchema* TableSchema::FindColumn(absl::string_view column_name) const {
  const auto it = column_by_name.find(column_name);
  return it == column_by_name.end() ? nullptr : &columns[it->second];
}

bool TableSchema::operator==(const TableSchema& o) const {
  return name == o.name && is_root == o.is_root && max_rows == o.max_rows && columns == o.columns &&
         indexes == o.indexes;
}

const TableSchema* DatabaseSchema::FindTable(absl::string_view table_name) const {
  const auto it = table_by_name_.find(table_name);
  return it == table_by_name_.end() ? nullptr : &tables[it->second];
}

bool DatabaseSchema::operator==(const DatabaseSchema& o) const {
  return name == o.name && tables == o.tables;
}

absl::Status DatabaseSchema::ResolveReferences() {
  auto resolve = [this](const ColumnSchema& column, const char* part, BaseType* base) {
    if (!base->is_ref()) return absl::OkStatus();
    const TableSchema* table = FindTable(base->ref_table);
    if (table == nullptr) {
      return Error(kSyntaxError, absl::StrCat("column ", column.name, " ", part,
                                              " refers to undefined table ", base->ref_table));
    }
    base->ref_table_index = table->index;
    return absl::OkStatus();
  };
  // A row that only an ephemeral column refers to would be garbage after a restart.
  auto keeps_garbage = [this](const BaseType& base) {
    return base.is_strong_ref() && !tables[base.ref_table_index].is_root;
  };
  for (TableSchema& table : tables) {
    for (ColumnSchema& column : table.columns) {
      if (auto status = resolve(column, "key", &column.type.key); !status.ok()) return status;
      if (auto status = resolve(column, "value", &column.type.value); !status.ok()) return status;
      column.persistent |= keeps_garbage(column.type.key) || keeps_garbage(column.type.value);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const DatabaseSchema>> DatabaseSchema::Parse(const Json& json) {
  ObjectParser parser(json);
  const Json* name = parser.Required("name", ObjectParser::kId);
  const Json* version = parser.Optional("version", ObjectParser::kString);
  const Json* cksum = parser.Optional("cksum", ObjectParser::kString);
  const Json* tables = parser.Required("tables", ObjectParser::kObject);
  if (!parser.Finish()) return parser.Error("database schema");

  auto schema = std::make_shared<DatabaseSchema>();
  schema->name = std::string(StringView(*name));
  if (cksum != nullptr) schema->cksum = std::string(StringView(*cksum));
  if (version != nullptr) {
    schema->version = std::string(StringView(*version));
    if (!IsValidVersion(schema->version)) {
      return SyntaxError(
          json, absl::StrCat("schema version \"", schema->version, "\" not in format x.y.z"));
    }
  }
  for (const auto& member : SortedMembers(*tables)) {
    if (auto status = CheckName(json, StringView(member->name)); !status.ok()) return status;
    auto table = ParseTable(StringView(member->name), member->value);
    if (!table.ok()) return table.status();
    table->index = schema->tables.size();
    schema->table_by_name_.emplace(table->name, table->index);
    schema->tables.push_back(*std::move(table));
  }
  // Schemas older than garbage collection name no root tables: all their tables are.
  if (absl::c_none_of(schema->tables, [](const TableSchema& t) { return t.is_root; })) {
    for (TableSchema& table : schema->tables) table.is_root = true;
  }
  if (auto status = schema->ResolveReferences(); !status.ok()) return status;
  return schema;
}

absl::StatusOr<std::shared_ptr<const DatabaseSchema>> DatabaseSchema::ParseText(
    absl::string_view text) {
  auto json = ParseJson(text);
  if (!json.ok()) return json.status();
  return Parse(*json);
}

namespace {

void AppendColumn(const ColumnSchema& column, std::string* out) {
  AppendJsonString(column.name, out);
  out->append(":{\"type\":");
  column.type.AppendJson(out);
  if (!column.is_mutable) out->append(",\"mutable\":false");
  if (!column.persistent) out->append(",\"ephemeral\":true");
  out->push_back('}');
}

void AppendIndexes(const TableSchema& table, std::string* out) {
  out->append(",\"indexes\":[");
  for (const std::vector<int>& index : table.indexes) {
    if (out->back() != '[') out->push_back(',');
    out->push_back('[');
    for (int position : index) {
      if (out->back() != '[') out->push_back(',');
      AppendJsonString(table.columns[position].name, out);
    }
    out->push_back(']');
  }
  out->push_back(']');
}

void AppendTable(const TableSchema& table, bool all_are_roots, std::string* out) {
  AppendJsonString(table.name, out);
  out->append(":{\"columns\":{");
  for (size_t i = TableSchema::kFirstRealColumn; i < table.columns.size(); i++) {
    if (out->back() != '{') out->push_back(',');
    AppendColumn(table.columns[i], out);
  }
  out->push_back('}');
  if (table.max_rows != TableSchema().max_rows) {
    out->append(",\"maxRows\":");
    AppendInteger(table.max_rows, out);
  }
  if (table.is_root && !all_are_roots) out->append(",\"isRoot\":true");
  if (!table.indexes.empty()) AppendIndexes(table, out);
  out->push_back('}');
}

}  // namespace

void DatabaseSchema::AppendJson(std::string* out) const {
  const bool all_are_roots = absl::c_all_of(tables, [](const TableSchema& t) { return t.is_root; });
  out->append("{\"name\":");
  AppendJsonString(name, out);
  if (!version.empty()) {
    out->append(",\"version\":");
    AppendJsonString(version, out);
  }
  if (!cksum.empty()) {
    out->append(",\"cksum\":");
    AppendJsonString(cksum, out);
  }
  out->append(",\"tables\":{");
  for (const TableSchema& table : tables) {
    if (out->back() != '{') out->push_back(',');
    AppendTable(table, all_are_roots, out);
  }
  out->append("}}");
}

}  // namespace ovsdb

#include "ovsdb/operation.h"

#include <algorithm>
#include <compare>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/index.h"
#include "ovsdb/mutation.h"
#include "ovsdb/rbac.h"
#include "ovsdb/table_plan.h"

namespace ovsdb {
namespace {

using Columns = absl::InlinedVector<int, 16>;

Columns AllColumns(const TableSchema& table) {
  Columns columns(table.columns.size());
  for (size_t i = 0; i < columns.size(); i++) columns[i] = i;
  return columns;
}

// The columns that an array names; all if there is none.
absl::StatusOr<Columns> ParseColumns(const TableSchema& table, const Json* json) {
  if (json == nullptr) return AllColumns(table);
  Columns columns;
  for (const Json& name : json->GetArray()) {
    const ColumnSchema* column = name.IsString() ? table.FindColumn(StringView(name)) : nullptr;
    if (name.IsString() && column == nullptr) {
      return SyntaxError(*json, absl::StrCat(StringView(name), " is not a valid column name"));
    }
    if (column == nullptr ||
        std::find(columns.begin(), columns.end(), column->index) != columns.end()) {
      return SyntaxError(*json, "array of distinct column names expected");
    }
    columns.push_back(column->index);
  }
  return columns;
}

std::strong_ordering CompareColumns(absl::Span<const int> columns, const Row& a, const Row& b) {
  for (const int column : columns) {
    std::strong_ordering order = std::strong_ordering::equal;
    if (column >= TableSchema::kFirstRealColumn) {
      order = a.datum(column).Compare(b.datum(column));
    } else if (column == TableSchema::kUuidColumn) {
      order = Atom::Of(a.uuid()).Compare(Atom::Of(b.uuid()));
    } else {
      order = Atom::Of(a.version()).Compare(Atom::Of(b.version()));
    }
    if (std::is_neq(order)) return order;
  }
  return std::strong_ordering::equal;
}

void AppendColumns(const TableSchema& table, absl::Span<const int> columns, const Row& row,
                   std::string* out) {
  out->push_back('{');
  for (size_t i = 0; i < columns.size(); i++) {
    const ColumnSchema& column = table.columns[columns[i]];
    absl::StrAppend(out, i > 0 ? "," : "", "\"", column.name, "\":");
    if (column.index >= TableSchema::kFirstRealColumn) {
      row.datum(column.index).AppendJson(column.type.is_map(), out);
    } else {
      const bool is_uuid = column.index == TableSchema::kUuidColumn;
      Atom::Of(is_uuid ? row.uuid() : row.version()).AppendJson(out);
    }
  }
  out->push_back('}');
}

void AppendCount(size_t count, std::string* out) {
  absl::StrAppend(out, "{\"count\":", count, "}");
}

// Rows that are looked at in some columns only.
struct ColumnsHash {
  absl::Span<const int> columns;
  size_t operator()(const Row* row) const { return HashColumns(*row, columns); }
};
struct ColumnsEqual {
  absl::Span<const int> columns;
  bool operator()(const Row* a, const Row* b) const { return EqualColumns(*a, *b, columns); }
};
using RowSet = absl::flat_hash_set<const Row*, ColumnsHash, ColumnsEqual>;

RowSet MakeRowSet(absl::Span<const int> columns) {
  return RowSet(0, ColumnsHash{columns}, ColumnsEqual{columns});
}

}  // namespace

struct OperationRunner::Kind {
  absl::string_view name;
  bool writes;  // Not for read-only clients.
  absl::Status (OperationRunner::*run)(ObjectParser*, std::string*);
};

const OperationRunner::Kind* OperationRunner::FindKind(absl::string_view name) {
  static constexpr Kind kKinds[] = {
      {"insert", true, &OperationRunner::Insert},    {"select", false, &OperationRunner::Select},
      {"update", true, &OperationRunner::Update},    {"mutate", true, &OperationRunner::Mutate},
      {"delete", true, &OperationRunner::Delete},    {"wait", false, &OperationRunner::Wait},
      {"commit", true, &OperationRunner::Commit},    {"abort", false, &OperationRunner::Abort},
      {"comment", false, &OperationRunner::Comment}, {"assert", false, &OperationRunner::Assert},
  };
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

absl::Status OperationRunner::Run(const Json& json, int number, int total, std::string* result) {
  json_ = &json;
  number_ = number;
  total_ = total;
  ObjectParser parser(json);
  const Json* name = parser.Required("op", ObjectParser::kId);
  if (name == nullptr) return FormError(parser);
  const Kind* kind = FindKind(StringView(*name));
  if (kind == nullptr) {
    parser.Fail(absl::StrCat("No operation \"", StringView(*name), "\""));
    return FormError(parser);
  }
  absl::Status status = (this->*kind->run)(&parser, result);
  if (status.ok() && kind->writes && context_.read_only) {
    return Error(kNotAllowed,
                 absl::StrCat(kind->name,
                              " operation not allowed when database server is in read only mode"));
  }
  return status;
}

absl::Status OperationRunner::FormError(const ObjectParser& parser) const {
  return parser.Error(absl::StrCat("ovsdb operation ", number_, " of ", total_));
}

// Null if the parser has a problem.
const TableSchema* OperationRunner::TakeTable(ObjectParser* parser) const {
  const Json* name = parser->Required("table", ObjectParser::kId);
  if (name == nullptr) return nullptr;
  const TableSchema* table = db_.schema().FindTable(StringView(*name));
  if (table == nullptr) parser->Fail(absl::StrCat("No table named ", StringView(*name), "."));
  return table;
}

absl::StatusOr<OperationRunner::Values> OperationRunner::ParseRow(const TableSchema& table,
                                                                  const Json& json) {
  if (!json.IsObject()) return SyntaxError(json, "row must be JSON object");
  Values values;
  for (const auto& member : json.GetObject()) {
    const absl::string_view name = StringView(member.name);
    const ColumnSchema* column = table.FindColumn(name);
    if (column == nullptr) {
      return ErrorAbout(json, "unknown column",
                        absl::StrCat("No column ", name, " in table ", table.name, "."));
    }
    absl::StatusOr<Datum> datum = column->type.ParseDatum(member.value, &symbols_);
    if (!datum.ok()) return std::move(datum).status();
    values.emplace_back(column->index, *std::move(datum));
  }
  return values;
}

// The UUID of a new row, which `uuid` gives and `name` names if they are there.
absl::StatusOr<Uuid> OperationRunner::ChooseUuid(const TableSchema& table, const Json* uuid,
                                                 const Json* name) {
  std::optional<Uuid> chosen;
  if (uuid != nullptr) {
    chosen = Uuid::Parse(StringView(*uuid));
    if (!chosen.has_value()) return SyntaxError(*uuid, "bad uuid");
    if (!overlay_.IsFree(table.index, *chosen)) {
      return ErrorAbout(*uuid, "duplicate uuid",
                        "This UUID would duplicate a UUID already present within the table or "
                        "deleted within the same transaction.");
    }
  }
  if (name != nullptr) {
    SymbolTable::Symbol& symbol = symbols_.Get(StringView(*name));
    if (symbol.created) {
      return ErrorAbout(*name, "duplicate uuid-name",
                        "This \"uuid-name\" appeared on an earlier \"insert\" operation.");
    }
    symbol.created = true;
    if (chosen.has_value()) symbol.uuid = *chosen;
    return symbol.uuid;
  }
  return chosen.has_value() ? *chosen : context_.uuids->Next();
}

// Defaults that break their column's constraints are allowed as long as nobody relies on them.
absl::Status OperationRunner::CheckDefaults(const TableSchema& table, const Values& values) const {
  const TablePlan& plan = db_.plan(table.index);
  for (int column : plan.disallowed_defaults) {
    const bool is_given = std::any_of(values.begin(), values.end(), [column](const auto& value) {
      return value.first == column;
    });
    if (!is_given) return table.columns[column].type.Check(plan.defaults->datum(column));
  }
  return absl::OkStatus();
}

absl::Status OperationRunner::Insert(ObjectParser* parser, std::string* result) {
  const TableSchema* table = TakeTable(parser);
  const Json* uuid_json = parser->Optional("uuid", ObjectParser::kString);
  const Json* name = parser->Optional("uuid-name", ObjectParser::kId);
  const Json* row_json = parser->Required("row", ObjectParser::kObject);
  if (!parser->Finish()) return FormError(*parser);

  absl::StatusOr<Uuid> uuid = ChooseUuid(*table, uuid_json, name);
  if (!uuid.ok()) return std::move(uuid).status();
  absl::StatusOr<Values> values = ParseRow(*table, *row_json);
  if (!values.ok()) return std::move(values).status();
  if (absl::Status status = CheckDefaults(*table, *values); !status.ok()) return status;

  MutableRow row(*db_.plan(table->index).defaults, *uuid, context_.uuids->Next());
  for (auto& [column, datum] : *values) {
    if (column >= TableSchema::kFirstRealColumn) row.Set(column, std::move(datum));
  }
  const RoleGuard guard(db_, context_.role, context_.client_id, *table, RoleGuard::Action::kInsert);
  if (absl::Status status = guard.CheckRow(row.row(), {}); !status.ok()) return status;
  overlay_.Insert(table->index, std::move(row));
  result->append("{\"uuid\":");
  Atom::Of(*uuid).AppendJson(result);
  result->push_back('}');
  return absl::OkStatus();
}

absl::Status OperationRunner::Select(ObjectParser* parser, std::string* result) {
  const TableSchema* table = TakeTable(parser);
  const Json* where = parser->Required("where", ObjectParser::kArray);
  const Json* columns_json = parser->Optional("columns", ObjectParser::kArray);
  const Json* sort_json = parser->Optional("sort", ObjectParser::kArray);
  if (!parser->Finish()) return FormError(*parser);

  absl::StatusOr<Condition> condition = Condition::Parse(*table, *where, &symbols_);
  if (!condition.ok()) return std::move(condition).status();
  absl::StatusOr<Columns> columns = ParseColumns(*table, columns_json);
  if (!columns.ok()) return std::move(columns).status();
  // By name, whatever their order in the request: ovsdb-tool prints them so, as stock.
  std::sort(columns->begin(), columns->end());
  absl::StatusOr<Columns> sort = sort_json != nullptr ? ParseColumns(*table, sort_json) : Columns();
  if (!sort.ok()) return std::move(sort).status();

  auto rows = overlay_.Select(table->index, *condition);
  if (!sort->empty()) {
    std::stable_sort(rows.begin(), rows.end(), [&](const Row* a, const Row* b) {
      return std::is_lt(CompareColumns(*sort, *a, *b));
    });
  }
  // Rows that look the same are told once.
  const bool may_repeat =
      std::find(columns->begin(), columns->end(), TableSchema::kUuidColumn) == columns->end();
  RowSet seen = MakeRowSet(*columns);
  result->append("{\"rows\":[");
  bool is_first = true;
  for (const Row* row : rows) {
    if (may_repeat && !seen.insert(row).second) continue;
    if (!is_first) result->push_back(',');
    is_first = false;
    AppendColumns(*table, *columns, *row, result);
  }
  result->append("]}");
  return absl::OkStatus();
}

absl::Status OperationRunner::Update(ObjectParser* parser, std::string* result) {
  const TableSchema* table = TakeTable(parser);
  const Json* where = parser->Required("where", ObjectParser::kArray);
  const Json* row_json = parser->Required("row", ObjectParser::kObject);
  if (!parser->Finish()) return FormError(*parser);

  absl::StatusOr<Values> values = ParseRow(*table, *row_json);
  if (!values.ok()) return std::move(values).status();
  Columns columns;
  for (const auto& [column, datum] : *values) {
    const ColumnSchema& schema = table->columns[column];
    if (!schema.is_mutable || column < TableSchema::kFirstRealColumn) {
      return ErrorAbout(*json_, kConstraintViolation,
                        absl::StrCat("Cannot update immutable column ", schema.name, " in table ",
                                     table->name, "."));
    }
    columns.push_back(column);
  }
  absl::StatusOr<Condition> condition = Condition::Parse(*table, *where, &symbols_);
  if (!condition.ok()) return std::move(condition).status();

  const RoleGuard guard(db_, context_.role, context_.client_id, *table, RoleGuard::Action::kUpdate);
  if (absl::Status status = guard.CheckTable(); !status.ok()) return status;
  const Overlay::Rows rows = overlay_.Select(table->index, *condition);
  for (const Row* row : rows) {
    if (absl::Status status = guard.CheckRow(*row, columns); !status.ok()) return status;
    MutableRow* version = nullptr;
    for (const auto& [column, datum] : *values) {
      if (version == nullptr && row->datum(column) == datum) continue;
      if (version == nullptr) version = &overlay_.Modify(table->index, *row);
      version->Set(column, datum);
    }
  }
  AppendCount(rows.size(), result);
  return absl::OkStatus();
}

absl::Status OperationRunner::Mutate(ObjectParser* parser, std::string* result) {
  const TableSchema* table = TakeTable(parser);
  const Json* where = parser->Required("where", ObjectParser::kArray);
  const Json* mutations_json = parser->Required("mutations", ObjectParser::kArray);
  if (!parser->Finish()) return FormError(*parser);

  absl::InlinedVector<Mutation, 2> mutations;
  Columns columns;
  for (const Json& json : mutations_json->GetArray()) {
    absl::StatusOr<Mutation> mutation = Mutation::Parse(*table, json, &symbols_);
    if (!mutation.ok()) return std::move(mutation).status();
    columns.push_back(mutation->column());
    mutations.push_back(*std::move(mutation));
  }
  absl::StatusOr<Condition> condition = Condition::Parse(*table, *where, &symbols_);
  if (!condition.ok()) return std::move(condition).status();

  const RoleGuard guard(db_, context_.role, context_.client_id, *table, RoleGuard::Action::kMutate);
  const Overlay::Rows rows = overlay_.Select(table->index, *condition);
  if (mutations.empty()) {  // Only counts, which anybody may.
    AppendCount(rows.size(), result);
    return absl::OkStatus();
  }
  if (absl::Status status = guard.CheckTable(); !status.ok()) return status;
  for (const Row* row : rows) {
    if (absl::Status status = guard.CheckRow(*row, columns); !status.ok()) return status;
    MutableRow& version = overlay_.Modify(table->index, *row);
    for (const Mutation& mutation : mutations) {
      absl::StatusOr<Datum> datum = mutation.Apply(version.datum(mutation.column()));
      if (!datum.ok()) return std::move(datum).status();
      version.Set(mutation.column(), *std::move(datum));
    }
  }
  AppendCount(rows.size(), result);
  return absl::OkStatus();
}

absl::Status OperationRunner::Delete(ObjectParser* parser, std::string* result) {
  const Json* where = parser->Required("where", ObjectParser::kArray);
  const TableSchema* table = TakeTable(parser);
  if (!parser->Finish()) return FormError(*parser);

  absl::StatusOr<Condition> condition = Condition::Parse(*table, *where, &symbols_);
  if (!condition.ok()) return std::move(condition).status();

  const RoleGuard guard(db_, context_.role, context_.client_id, *table, RoleGuard::Action::kDelete);
  if (absl::Status status = guard.CheckTable(); !status.ok()) return status;
  const Overlay::Rows rows = overlay_.Select(table->index, *condition);
  for (const Row* row : rows) {
    if (absl::Status status = guard.CheckRow(*row, {}); !status.ok()) return status;
    overlay_.Delete(table->index, *row);
  }
  AppendCount(rows.size(), result);
  return absl::OkStatus();
}

absl::Status OperationRunner::Wait(ObjectParser* parser, std::string* result) {
  const Json* timeout = parser->Optional("timeout", ObjectParser::kInteger);
  const Json* where = parser->Required("where", ObjectParser::kArray);
  const Json* columns_json = parser->Optional("columns", ObjectParser::kArray);
  const Json* until = parser->Required("until", ObjectParser::kString);
  const Json* rows = parser->Required("rows", ObjectParser::kArray);
  const TableSchema* table = TakeTable(parser);
  if (!parser->Finish()) return FormError(*parser);

  absl::StatusOr<Condition> condition = Condition::Parse(*table, *where, &symbols_);
  if (!condition.ok()) return std::move(condition).status();
  absl::StatusOr<Columns> columns = ParseColumns(*table, columns_json);
  if (!columns.ok()) return std::move(columns).status();
  std::optional<int64_t> timeout_msec;
  if (timeout != nullptr) {
    timeout_msec = JsonInteger(*timeout);
    if (*timeout_msec < 0) return SyntaxError(*timeout, "timeout must be nonnegative");
  }
  const bool until_equal = StringView(*until) == "==";
  if (!until_equal && StringView(*until) != "!=") {
    return SyntaxError(*until, "\"until\" must be \"==\" or \"!=\"");
  }
  absl::StatusOr<bool> equal = Holds(*table, *condition, *columns, *rows);
  if (!equal.ok()) return std::move(equal).status();
  if (*equal != until_equal) return Postpone(timeout_msec);
  result->append("{}");
  return absl::OkStatus();
}

// Whether the rows that match are, in some columns, just those given (as sets).
absl::StatusOr<bool> OperationRunner::Holds(const TableSchema& table, const Condition& condition,
                                            absl::Span<const int> columns, const Json& rows) {
  std::vector<MutableRow> expected;
  expected.reserve(rows.Size());
  for (const Json& json : rows.GetArray()) {
    absl::StatusOr<Values> values = ParseRow(table, json);
    if (!values.ok()) return std::move(values).status();
    Uuid builtin[TableSchema::kFirstRealColumn];
    for (const auto& [column, datum] : *values) {
      if (column < TableSchema::kFirstRealColumn) builtin[column] = datum.key(0).uuid();
    }
    MutableRow& row =
        expected.emplace_back(*db_.plan(table.index).defaults, builtin[TableSchema::kUuidColumn],
                              builtin[TableSchema::kVersionColumn]);
    for (auto& [column, datum] : *values) {
      if (column >= TableSchema::kFirstRealColumn) row.Set(column, std::move(datum));
    }
  }

  RowSet wanted = MakeRowSet(columns);
  for (const MutableRow& row : expected) wanted.insert(&row.row());
  RowSet found = MakeRowSet(columns);
  for (const Row* row : overlay_.Select(table.index, condition)) {
    const auto it = wanted.find(row);
    if (it == wanted.end()) return false;
    found.insert(*it);
  }
  return found.size() == wanted.size();
}

// The wait does not hold: an error if it never may, else the transaction is to be tried again.
absl::Status OperationRunner::Postpone(std::optional<int64_t> timeout_msec) {
  if (timeout_msec == 0) return Error(kTimedOut, "\"where\" clause test failed");
  if (!context_.can_wait) return Error("not supported", "triggers not supported");
  if (timeout_msec.has_value() && context_.elapsed_msec >= *timeout_msec) {
    return Error(kTimedOut,
                 absl::StrCat("\"wait\" timed out after ", context_.elapsed_msec, " ms"));
  }
  must_wait_ = true;
  timeout_msec_ = timeout_msec;
  return absl::OkStatus();
}

absl::Status OperationRunner::Commit(ObjectParser* parser, std::string* result) {
  const Json* durable = parser->Required("durable", ObjectParser::kBoolean);
  if (!parser->Finish()) return FormError(*parser);
  durable_ |= durable->GetBool();
  result->append("{}");
  return absl::OkStatus();
}

absl::Status OperationRunner::Abort(ObjectParser* parser, std::string*) {
  if (!parser->Finish()) return FormError(*parser);
  return Error(kAborted, "aborted by request");
}

absl::Status OperationRunner::Comment(ObjectParser* parser, std::string* result) {
  const Json* comment = parser->Required("comment", ObjectParser::kString);
  if (!parser->Finish()) return FormError(*parser);
  if (!comment_.empty()) comment_ += '\n';
  absl::StrAppend(&comment_, StringView(*comment));
  result->append("{}");
  return absl::OkStatus();
}

absl::Status OperationRunner::Assert(ObjectParser* parser, std::string* result) {
  const Json* lock = parser->Required("lock", ObjectParser::kId);
  if (!parser->Finish()) return FormError(*parser);
  const absl::string_view name = StringView(*lock);
  if (context_.owns_lock == nullptr || !context_.owns_lock(name)) {
    return Error(kNotOwner, absl::StrCat("Asserted lock ", name, " not held."));
  }
  result->append("{}");
  return absl::OkStatus();
}

}  // namespace ovsdb

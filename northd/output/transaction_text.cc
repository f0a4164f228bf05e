#include "northd/output/transaction_text.h"

#include "absl/strings/str_cat.h"
#include "ovsdb/json.h"

namespace northd {

void TransactionText::Begin(absl::string_view op) {
  absl::StrAppend(&operations_, ",{\"op\":\"", op, "\"");
}

void TransactionText::Where(int table, const ovsdb::Uuid& uuid) {
  absl::StrAppend(&operations_, ",\"table\":\"", schema_->tables[static_cast<size_t>(table)].name,
                  "\",\"where\":[[\"_uuid\",\"==\",[\"uuid\",\"");
  uuid.AppendTo(&operations_);
  operations_ += "\"]]]";
}

void TransactionText::Row(int table, const Columns& columns) {
  operations_ += ",\"row\":{";
  bool first = true;
  for (const auto& [column, datum] : columns) {
    const ovsdb::ColumnSchema& schema =
        schema_->tables[static_cast<size_t>(table)].columns[static_cast<size_t>(column)];
    absl::StrAppend(&operations_, first ? "\"" : ",\"", schema.name, "\":");
    datum.AppendJson(schema.type.is_map(), &operations_);
    first = false;
  }
  operations_ += "}}";
}

void TransactionText::AssertLock(absl::string_view lock) {
  Begin("assert");
  operations_ += ",\"lock\":";
  ovsdb::AppendJsonString(lock, &operations_);
  operations_ += "}";
}

void TransactionText::Insert(int table, const ovsdb::Uuid& uuid, const Columns& columns) {
  ++n_rows_;
  Begin("insert");
  absl::StrAppend(&operations_, ",\"table\":\"", schema_->tables[static_cast<size_t>(table)].name,
                  "\",\"uuid\":\"");
  uuid.AppendTo(&operations_);
  operations_ += '"';
  Row(table, columns);
}

void TransactionText::Update(int table, const ovsdb::Uuid& uuid, const Columns& columns) {
  ++n_rows_;
  Begin("update");
  Where(table, uuid);
  Row(table, columns);
}

void TransactionText::MutateSet(int table, const ovsdb::Uuid& uuid, int column,
                                const ovsdb::Datum& insert, const ovsdb::Datum& remove) {
  ++n_rows_;
  Begin("mutate");
  Where(table, uuid);
  const std::string& name =
      schema_->tables[static_cast<size_t>(table)].columns[static_cast<size_t>(column)].name;
  operations_ += ",\"mutations\":[";
  bool first = true;
  for (const auto& [mutator, elements] :
       {std::pair<const char*, const ovsdb::Datum*>("insert", &insert), {"delete", &remove}}) {
    if (elements->empty()) continue;
    absl::StrAppend(&operations_, first ? "[\"" : ",[\"", name, "\",\"", mutator, "\",");
    elements->AppendJson(false, &operations_);
    operations_ += ']';
    first = false;
  }
  operations_ += "]}";
}

void TransactionText::Delete(int table, const ovsdb::Uuid& uuid) {
  ++n_rows_;
  Begin("delete");
  Where(table, uuid);
  operations_ += '}';
}

void TransactionText::Comment(absl::string_view comment) {
  Begin("comment");
  operations_ += ",\"comment\":";
  ovsdb::AppendJsonString(comment, &operations_);
  operations_ += '}';
}

std::string TransactionText::Params() const {
  std::string params = "[";
  ovsdb::AppendJsonString(schema_->name, &params);
  absl::StrAppend(&params, operations_, "]");
  return params;
}

}  // namespace northd

#include "northd/output/transaction_text.h"

#include "absl/strings/str_cat.h"
#include "ovsdb/json.h"

namespace northd {

void TransactionText::Begin(absl::string_view op) {
  absl::StrAppend(&operations_, ",{\"op\":\"", op, "\"");
}

// Several operations on a row, one after the other, count once.
void TransactionText::Count(int table, const ovsdb::Uuid& uuid) {
  const std::pair row(table, uuid);
  if (row != last_row_) ++n_rows_;
  last_row_ = row;
}

void TransactionText::Mutation(int table, int column, absl::string_view mutator,
                               const ovsdb::Datum& elements) {
  if (elements.empty()) return;
  const std::string& name =
      schema_->tables[static_cast<size_t>(table)].columns[static_cast<size_t>(column)].name;
  absl::StrAppend(&operations_, operations_.back() == '[' ? "[\"" : ",[\"", name, "\",\"", mutator,
                  "\",");
  elements.AppendJson(elements.is_map(), &operations_);
  operations_ += ']';
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
  Count(table, uuid);
  Begin("insert");
  absl::StrAppend(&operations_, ",\"table\":\"", schema_->tables[static_cast<size_t>(table)].name,
                  "\",\"uuid\":\"");
  uuid.AppendTo(&operations_);
  operations_ += '"';
  Row(table, columns);
}

void TransactionText::Update(int table, const ovsdb::Uuid& uuid, const Columns& columns) {
  Count(table, uuid);
  Begin("update");
  Where(table, uuid);
  Row(table, columns);
}

void TransactionText::MutateSet(int table, const ovsdb::Uuid& uuid, int column,
                                const ovsdb::Datum& insert, const ovsdb::Datum& remove) {
  Count(table, uuid);
  Begin("mutate");
  Where(table, uuid);
  operations_ += ",\"mutations\":[";
  Mutation(table, column, "insert", insert);
  Mutation(table, column, "delete", remove);
  operations_ += "]}";
}

void TransactionText::MutateMaps(int table, const ovsdb::Uuid& uuid,
                                 const std::vector<MapChange>& changes) {
  Count(table, uuid);
  Begin("mutate");
  Where(table, uuid);
  operations_ += ",\"mutations\":[";
  for (const auto& [column, before, after] : changes) {
    // An insertion leaves a key that is there as it is.
    const ovsdb::Datum gone = ovsdb::Subtract(before, after);
    std::vector<ovsdb::Atom> keys;
    for (size_t i = 0; i < gone.size(); ++i) keys.push_back(gone.key(i));
    Mutation(table, column, "delete", ovsdb::MakeDatum(keys, {}));
    Mutation(table, column, "insert", ovsdb::Subtract(after, before));
  }
  operations_ += "]}";
}

void TransactionText::Delete(int table, const ovsdb::Uuid& uuid) {
  Count(table, uuid);
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

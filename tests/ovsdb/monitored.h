// What the tests of monitors share: a database with columns of every kind, changes made by hand,
// and a client that believes what it is told.
#ifndef TESTS_OVSDB_MONITORED_H_
#define TESTS_OVSDB_MONITORED_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ovsdb/database.h"
#include "ovsdb/dump.h"
#include "ovsdb/json.h"
#include "ovsdb/monitor.h"
#include "ovsdb/monitor_index.h"

namespace ovsdb {

inline SchemaRef MonitoredSchema() {
  return *DatabaseSchema::ParseText(R"({"name":"T","tables":{
      "A":{"columns":{
          "b":{"type":"boolean"},
          "m":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
          "n":{"type":"integer"},
          "o":{"type":{"key":"integer","min":0,"max":1}},
          "om":{"type":{"key":"string","value":"integer","min":0,"max":1}},
          "r":{"type":"real"},
          "s":{"type":"string"},
          "set":{"type":{"key":"string","min":0,"max":"unlimited"}},
          "u":{"type":{"key":"uuid","min":0,"max":1}}}},
      "B":{"columns":{"x":{"type":"integer"},"y":{"type":"integer"}}}}})");
}

// Writes a row update with its members sorted, so that a test can name the whole text.
inline std::string Sorted(absl::string_view json) {
  absl::StatusOr<JsonDocument> document = ParseJson(json);
  return document.ok() ? JsonText(*document, JsonForm::kSorted)
                       : absl::StrCat("not JSON: ", document.status().message(), ": ", json);
}

inline bool Never(absl::string_view) { return false; }

// All of a source's text.
inline std::string Drain(TextSource* source) {
  std::string text;
  std::vector<Text> pieces;
  while (source->Next(&pieces)) {
  }
  for (const Text& piece : pieces) text += *piece;
  return text;
}

class Monitored {
 public:
  Monitored() : schema_(MonitoredSchema()), db_(schema_), index_(schema_) {}

  const TableSchema& table(absl::string_view name) const { return *schema_->FindTable(name); }
  RowRef Find(absl::string_view table_name, const Uuid& uuid) const {
    return db_.table(table(table_name).index).FindRef(uuid);
  }

  // A version of a row with columns from a JSON object; of a new row if `before` is null.
  RowRef MakeRow(absl::string_view table_name, const RowRef& before, absl::string_view columns) {
    const TableSchema& schema = table(table_name);
    MutableRow row = before ? MutableRow(*before, uuids_.Next())
                            : MutableRow(schema, uuids_.Next(), uuids_.Next());
    JsonDocument document = *ParseJson(columns);
    for (const auto& member : document.GetObject()) {
      const ColumnSchema* column = schema.FindColumn(StringView(member.name));
      row.Set(column->index, *column->type.ParseDatum(member.value, nullptr));
    }
    return std::move(row).Finish();
  }

  Change ChangeOf(absl::string_view table_name, RowRef before, RowRef after) const {
    Change change;
    change.tables.push_back({table(table_name).index, {{std::move(before), std::move(after)}}});
    return change;
  }

  // Each makes a change current and published; what monitors were told is in told().
  RowRef Insert(absl::string_view table_name, absl::string_view columns) {
    RowRef row = MakeRow(table_name, nullptr, columns);
    Commit(ChangeOf(table_name, nullptr, row));
    return row;
  }
  RowRef Update(absl::string_view table_name, const RowRef& before, absl::string_view columns) {
    RowRef row = MakeRow(table_name, before, columns);
    Commit(ChangeOf(table_name, before, row));
    return row;
  }
  void Delete(absl::string_view table_name, const RowRef& row) {
    Commit(ChangeOf(table_name, row, nullptr));
  }
  void Commit(const Change& change) {
    db_.Apply(change);
    deliveries_.clear();
    index_.Publish(change, &deliveries_);
  }

  std::unique_ptr<Monitor> Add(MonitorVersion version, absl::string_view requests) {
    const std::string last =
        version == MonitorVersion::kV3 ? ",\"00000000-0000-0000-0000-000000000000\"" : "";
    JsonDocument params = *ParseJson(absl::StrCat("[\"T\",\"id\",", requests, last, "]"));
    absl::StatusOr<MonitorRequest> request = MonitorRequest::Parse(version, schema_, params, Never);
    EXPECT_TRUE(request.ok()) << request.status();
    return index_.Add(*std::move(request), nullptr);
  }

  // The initial contents of a monitor.
  std::string Initial(const Monitor& monitor) {
    return Drain(monitor.Initial(db_, {"", "", true}).get());
  }
  // The update that a new `where` on table A causes, or nothing.
  std::string ChangeWhere(Monitor* monitor, absl::string_view where) {
    JsonDocument params =
        *ParseJson(absl::StrCat("[\"id\",\"id\",{\"A\":[{\"where\":", where, "}]}]"));
    absl::StatusOr<FilterRequest> request =
        FilterRequest::Parse(*monitor->shape(), monitor->filters(), params, Never);
    EXPECT_TRUE(request.ok()) << request.status();
    return Drain(monitor->ChangeFilters(*std::move(request), db_, {"", "", false}).get());
  }

  // What the newest change made a monitor be told, or nothing.
  std::string told(const Monitor& monitor) const {
    std::string told;
    for (const Delivery& delivery : deliveries_) {
      if (delivery.monitor == &monitor) told += *delivery.updates;
    }
    return told;
  }
  const std::vector<Delivery>& deliveries() const { return deliveries_; }

  const SchemaRef& schema() const { return schema_; }
  Database& db() { return db_; }
  const Database& db() const { return db_; }
  MonitorIndex& index() { return index_; }
  UuidGenerator& uuids() { return uuids_; }

 private:
  SchemaRef schema_;
  Database db_;
  MonitorIndex index_;
  UuidGenerator uuids_{1};
  std::vector<Delivery> deliveries_;
};

}  // namespace ovsdb

#endif  // TESTS_OVSDB_MONITORED_H_

// Transactions of a client: whatever they ask, the engine answers with JSON; a committed change can
// be taken back, written to a file and read again, and always leads to the same state.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ovsdb/database.h"
#include "ovsdb/json.h"
#include "ovsdb/log_json.h"
#include "ovsdb/schema.h"
#include "ovsdb/transaction.h"

namespace {

// A column of every kind: all types, bounds, enums, references strong and weak, garbage collection,
// indexes, immutable and ephemeral columns, a limit on rows.
constexpr char kSchema[] = R"({"name":"D","version":"1.0.0","tables":{
  "R":{"isRoot":true,"indexes":[["n"],["i","b"]],"maxRows":8,"columns":{
    "n":{"type":"string"},
    "i":{"type":{"key":{"type":"integer","minInteger":-5,"maxInteger":9}}},
    "r":{"type":{"key":"real","min":0,"max":3}},
    "b":{"type":"boolean"},
    "e":{"type":{"key":{"type":"string","enum":["set",["x","y"]]},"min":0}},
    "u":{"type":{"key":"uuid","min":0,"max":"unlimited"}},
    "m":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}},
    "c":{"type":{"key":{"type":"uuid","refTable":"C"},"min":0,"max":"unlimited"}},
    "w":{"type":{"key":{"type":"uuid","refTable":"R","refType":"weak"},"min":0,"max":2}},
    "t":{"type":{"key":"string","value":{"type":"uuid","refTable":"C"},"min":0,"max":2}},
    "k":{"type":"string","mutable":false},
    "p":{"type":"integer","ephemeral":true}}},
  "C":{"columns":{
    "n":{"type":{"key":{"type":"string","maxLength":4}}},
    "o":{"type":{"key":{"type":"uuid","refTable":"C"},"min":0}},
    "w":{"type":{"key":{"type":"uuid","refTable":"R","refType":"weak"},"min":0}}}}}})";

// The contents as text: comparable, without row versions.
std::map<std::string, std::string> Contents(const ovsdb::Database& db, bool persistent_only) {
  std::map<std::string, std::string> rows;
  for (const ovsdb::TableSchema& table : db.schema().tables) {
    db.table(table.index).ForEach([&](const ovsdb::Row& row) {
      std::string text;
      for (const ovsdb::ColumnSchema& column : table.columns) {
        if (column.index < ovsdb::TableSchema::kFirstRealColumn) continue;
        if (persistent_only && !column.persistent) continue;
        absl::StrAppend(&text, column.name, "=");
        row.datum(column.index).AppendJson(column.type.is_map(), &text);
      }
      rows[absl::StrCat(table.name, " ", row.uuid().ToString())] = std::move(text);
    });
  }
  return rows;
}

// Brings `copy` to where `change` brought the original, by way of a file's record.
void Replay(const ovsdb::Change& change, const ovsdb::DatabaseSchema& schema,
            ovsdb::RecordForm form, ovsdb::UuidGenerator* uuids, ovsdb::Database* copy) {
  std::string record;
  if (!ovsdb::AppendRecord(schema, change, 1700000000000, form, &record)) return;
  const size_t size = record.size();
  record += '\0';
  const absl::StatusOr<ovsdb::Record> read = ovsdb::ReadRecord(*copy, record.data(), size, uuids);
  if (!read.ok()) std::abort();
  copy->Apply(read->change);
}

}  // namespace

// Each line is the operations of a transaction, with commas between them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ovsdb::SchemaRef schema = ovsdb::DatabaseSchema::ParseText(kSchema).value();
  ovsdb::UuidGenerator uuids(1);
  ovsdb::Database db(schema);
  ovsdb::Database differences(schema);
  ovsdb::Database values(schema);
  ovsdb::TransactionContext context;
  context.uuids = &uuids;
  context.owns_lock = [](absl::string_view lock) { return lock == "mine"; };

  absl::string_view rest(reinterpret_cast<const char*>(data), size);
  for (int transactions = 0; !rest.empty() && transactions < 50; ++transactions) {
    const absl::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto params = ovsdb::ParseJson(absl::StrCat("[\"D\",", line, "]"));
    if (!params.ok() || !params->IsArray()) continue;

    const ovsdb::TransactionOutcome outcome = ovsdb::ExecuteTransaction(db, *params, context);
    if (outcome.must_wait) continue;
    if (!ovsdb::ParseJson(outcome.result).ok()) std::abort();
    if (!outcome.committed && !outcome.change.empty()) std::abort();

    const auto before = Contents(db, false);
    db.Apply(outcome.change);
    const auto after = Contents(db, false);
    db.Revert(outcome.change);
    if (Contents(db, false) != before) std::abort();
    db.Apply(outcome.change);
    if (Contents(db, false) != after) std::abort();

    Replay(outcome.change, *schema, ovsdb::RecordForm::kDifferences, &uuids, &differences);
    Replay(outcome.change, *schema, ovsdb::RecordForm::kValues, &uuids, &values);
    const auto kept = Contents(db, true);
    if (Contents(differences, true) != kept || Contents(values, true) != kept) std::abort();
  }
  return 0;
}

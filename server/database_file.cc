#include "server/database_file.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/dangling.h"
#include "ovsdb/error.h"
#include "ovsdb/uuid.h"

namespace server {
namespace {

// Decodes a transaction; a record that is no good is given back.
absl::StatusOr<ovsdb::Record> Decode(const ovsdb::Database& database, const LogRecord& record,
                                     ovsdb::UuidGenerator* uuids, LogFile* log) {
  absl::StatusOr<ovsdb::Record> decoded =
      ovsdb::ReadRecord(database, record.data, record.size, uuids);
  if (decoded.ok()) return decoded;
  // Is it JSON at all? The decoder has overwritten the text.
  const absl::StatusOr<std::string> text = log->ReadAgain(record);
  if (!text.ok()) return text.status();
  const absl::StatusOr<ovsdb::JsonDocument> json = ParseObject(*text, log);
  if (!json.ok()) return json.status();
  log->Unread();
  return decoded;
}

absl::Status CheckRowCounts(const ovsdb::Database& database) {
  for (const ovsdb::TableSchema& table : database.schema().tables) {
    const size_t n_rows = database.table(table.index).size();
    if (n_rows <= table.max_rows) continue;
    return ovsdb::Error(
        ovsdb::kConstraintViolation,
        absl::StrCat("Table ", table.name, " has ", n_rows,
                     " rows, more than the schema's limit of ", table.max_rows, "."));
  }
  return absl::OkStatus();
}

// Until the end of the file, or a record that is no good: then its error.
absl::Status LoadTransactions(LogFile* log, ovsdb::UuidGenerator* uuids, LoadedDatabase* loaded) {
  while (true) {
    const absl::StatusOr<std::optional<LogRecord>> record = log->Read();
    if (!record.ok()) return record.status();
    if (!*record) return absl::OkStatus();
    const absl::StatusOr<ovsdb::Record> decoded = Decode(*loaded->database, **record, uuids, log);
    if (!decoded.ok()) return decoded.status();
    LoadRows(decoded->change, loaded->database.get());
    if (++loaded->n_transactions == 1) loaded->base_size = log->size();
  }
}

}  // namespace

uint64_t ExpectedSize(const ovsdb::Snapshot& snapshot) {
  constexpr uint64_t kTypicalRowSize = 300;
  uint64_t n_rows = 0;
  for (const ovsdb::TableSnapshot& table : snapshot.tables) n_rows += table.size();
  return n_rows * kTypicalRowSize;
}

void LoadRows(const ovsdb::Change& change, ovsdb::Database* database) {
  for (const ovsdb::TableChange& table : change.tables) {
    for (const ovsdb::RowChange& row : table.rows) {
      if (row.after) {
        database->LoadRow(table.table, row.after);
      } else {
        database->UnloadRow(table.table, row.uuid());
      }
    }
  }
}

absl::StatusOr<ovsdb::JsonDocument> ParseObject(absl::string_view text, LogFile* log) {
  absl::StatusOr<ovsdb::JsonDocument> json = ovsdb::ParseJsonStructure(text);
  if (!json.ok()) {
    return log->Reject(absl::StrCat("are not valid JSON (", json.status().message(), ")"));
  }
  if (!json->IsObject()) return log->Reject("are not a JSON object");
  return json;
}

absl::StatusOr<std::optional<ovsdb::JsonDocument>> ReadJson(LogFile* log) {
  const absl::StatusOr<std::optional<LogRecord>> record = log->Read();
  if (!record.ok()) return record.status();
  if (!*record) return std::nullopt;
  absl::StatusOr<ovsdb::JsonDocument> json = ParseObject((*record)->text(), log);
  if (!json.ok()) return json.status();
  return *std::move(json);
}

absl::StatusOr<ovsdb::SchemaRef> ReadSchema(LogFile* log) {
  absl::StatusOr<std::optional<ovsdb::JsonDocument>> json = ReadJson(log);
  if (!json.ok()) return json.status();
  if (!*json) return ovsdb::IoError(absl::StrCat(log->path(), ": no schema"), "End of file");
  return ovsdb::DatabaseSchema::Parse(**json);
}

absl::StatusOr<LoadedDatabase> LoadDatabase(LogFile* log) {
  const absl::StatusOr<ovsdb::SchemaRef> schema = ReadSchema(log);
  if (!schema.ok()) return schema.status();
  LoadedDatabase loaded;
  loaded.database = std::make_unique<ovsdb::Database>(*schema);
  ovsdb::UuidGenerator uuids(std::random_device{}());
  loaded.tail = LoadTransactions(log, &uuids, &loaded);
  absl::Status status = loaded.database->FinishLoad();
  if (status.ok()) status = CheckRowCounts(*loaded.database);
  if (!status.ok()) return status;
  absl::StatusOr<ovsdb::Change> mends = ovsdb::DropDanglingReferences(*loaded.database, &uuids);
  if (!mends.ok()) return mends.status();
  loaded.mends = *std::move(mends);
  loaded.database->Apply(loaded.mends);
  return loaded;
}

absl::Status RecordMends(const LoadedDatabase& loaded, int64_t date_msec, ovsdb::RecordForm form,
                         LogFile* log) {
  if (loaded.mends.tables.empty()) return absl::OkStatus();
  std::string record;
  if (!ovsdb::AppendRecord(loaded.database->schema(), loaded.mends, date_msec, form, &record)) {
    return absl::OkStatus();
  }
  FrameLogRecord(LogMagic::kStandalone, 0, &record);
  return log->Append(record);
}

absl::Status WriteDatabase(const ovsdb::Snapshot& snapshot, absl::string_view comment,
                           int64_t date_msec, ovsdb::RecordForm form, LogWriter* writer) {
  std::string schema;
  snapshot.schema->AppendJson(&schema);
  FrameLogRecord(writer->magic(), 0, &schema);
  absl::Status status = writer->Append(schema);
  if (status.ok()) status = writer->BeginRecord(ExpectedSize(snapshot));
  if (status.ok()) {
    status = ovsdb::WriteSnapshotRecord(
        snapshot, date_msec, comment, form,
        [writer](absl::string_view piece) { return writer->Write(piece); });
  }
  return status.ok() ? writer->EndRecord() : status;
}

}  // namespace server

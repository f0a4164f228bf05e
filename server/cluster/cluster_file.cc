#include "server/cluster/cluster_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/convert.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "server/database_file.h"

namespace server {
namespace {

constexpr absl::string_view kNoSchema = "[null,";

// Where an AppendHeader without data leaves a place for them.
constexpr absl::string_view kDataPlace = "\"prev_data\":null";
constexpr absl::string_view kDataName = "\"prev_data\":";

// Adds the rows of a transaction to a database that is being filled.
absl::Status LoadTransaction(std::string text, ovsdb::Database* database,
                             ovsdb::UuidGenerator* uuids) {
  text.push_back('\0');
  const absl::StatusOr<ovsdb::Record> record =
      ovsdb::ReadRecord(*database, text.data(), text.size() - 1, uuids);
  if (!record.ok()) return record.status();
  LoadRows(record->change, database);
  return absl::OkStatus();
}

// The contents that the committed entries lead to.
class Contents {
 public:
  explicit Contents(ovsdb::UuidGenerator* uuids) : uuids_(uuids) {}

  absl::Status Add(absl::string_view text) {
    absl::StatusOr<EntryData> data = ParseEntryData(text);
    if (!data.ok()) return data.status();
    if (data->schema != nullptr) {
      const absl::Status status = SetSchema(data->schema, !data->transaction.empty());
      if (!status.ok()) return status;
    }
    if (data->transaction.empty()) return absl::OkStatus();
    if (database_ == nullptr) return ovsdb::Error(ovsdb::kSyntaxError, "data before any schema");
    return LoadTransaction(std::move(data->transaction), database_.get(), uuids_);
  }

  absl::StatusOr<std::unique_ptr<ovsdb::Database>> Finish() {
    if (database_ != nullptr) {
      const absl::Status status = database_->FinishLoad();
      if (!status.ok()) return status;
    }
    return std::move(database_);
  }

 private:
  // A schema alone converts what there is.
  absl::Status SetSchema(ovsdb::SchemaRef schema, bool contents_follow) {
    if (database_ == nullptr || contents_follow) {
      database_ = std::make_unique<ovsdb::Database>(std::move(schema));
      return absl::OkStatus();
    }
    absl::Status status = database_->FinishLoad();
    if (!status.ok()) return status;
    const absl::StatusOr<ovsdb::Change> rows =
        ovsdb::ConvertRows(database_->TakeSnapshot(), *schema, ovsdb::OldDefault::kConvert, uuids_);
    if (!rows.ok()) return rows.status();
    database_ = std::make_unique<ovsdb::Database>(std::move(schema));
    LoadRows(*rows, database_.get());
    return absl::OkStatus();
  }

  ovsdb::UuidGenerator* uuids_;
  std::unique_ptr<ovsdb::Database> database_;
};

}  // namespace

absl::StatusOr<EntryData> ParseEntryData(absl::string_view text) {
  EntryData data;
  // What most entries are.
  if (text.substr(0, kNoSchema.size()) == kNoSchema && text.back() == ']') {
    data.transaction =
        std::string(text.substr(kNoSchema.size(), text.size() - kNoSchema.size() - 1));
    if (data.transaction == "null") data.transaction.clear();
    return data;
  }
  const absl::StatusOr<ovsdb::JsonDocument> json = ovsdb::ParseJson(text);
  if (!json.ok()) return json.status();
  if (!json->IsArray() || json->Size() != 2) {
    return ovsdb::SyntaxError(*json, "invalid commit format");
  }
  if (!(*json)[0].IsNull()) {
    absl::StatusOr<ovsdb::SchemaRef> schema = ovsdb::DatabaseSchema::Parse((*json)[0]);
    if (!schema.ok()) return schema.status();
    data.schema = *std::move(schema);
  }
  if (!(*json)[1].IsNull()) data.transaction = ovsdb::JsonText((*json)[1]);
  return data;
}

absl::StatusOr<std::unique_ptr<ovsdb::Database>> MakeDatabase(EntryData data,
                                                              ovsdb::UuidGenerator* uuids) {
  if (data.schema == nullptr) return ovsdb::Error(ovsdb::kSyntaxError, "a snapshot has no schema");
  auto database = std::make_unique<ovsdb::Database>(std::move(data.schema));
  if (!data.transaction.empty()) {
    const absl::Status status = LoadTransaction(std::move(data.transaction), database.get(), uuids);
    if (!status.ok()) return status;
  }
  const absl::Status status = database->FinishLoad();
  if (!status.ok()) return status;
  return database;
}

absl::StatusOr<LoadedCluster> LoadCluster(LogFile* log, ovsdb::UuidGenerator* uuids) {
  const absl::StatusOr<std::optional<ovsdb::JsonDocument>> first = ReadJson(log);
  if (!first.ok()) return first.status();
  if (!*first) return ovsdb::IoError(absl::StrCat(log->path(), ": no header"), "End of file");
  absl::StatusOr<raft::Header> header = raft::ParseHeader(**first);
  if (!header.ok()) return header.status();

  LoadedCluster loaded;
  loaded.base_size = log->size();
  Contents contents(uuids);
  if (header->snapshot_data != nullptr) {
    const absl::Status status = contents.Add(*header->snapshot_data);
    if (!status.ok()) return status;
  }
  raft::Index applied = header->snapshot.index;
  raft::Replay replay(*std::move(header));
  while (true) {
    const absl::StatusOr<std::optional<ovsdb::JsonDocument>> json = ReadJson(log);
    if (!json.ok()) {
      loaded.tail = json.status();
      break;
    }
    if (!*json) break;
    absl::StatusOr<raft::Record> record = raft::ParseRecord(**json);
    if (!record.ok()) return record.status();
    absl::Status status = replay.Apply(*std::move(record));
    if (!status.ok()) return status;
    for (; applied < replay.state().commit_index; ++applied) {
      const raft::Entry& entry = replay.state().log.entry(applied + 1);
      if (entry.data == nullptr) continue;
      status = contents.Add(*entry.data);
      if (!status.ok()) return status;
    }
  }
  const absl::Status status = replay.Finish();
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<ovsdb::Database>> database = contents.Finish();
  if (!database.ok()) return database.status();
  loaded.database = *std::move(database);
  loaded.state = std::move(replay).Take();
  return loaded;
}

std::string SnapshotData(const ovsdb::Snapshot& contents, int64_t date_msec) {
  std::string text = "[";
  contents.schema->AppendJson(&text);
  text += ',';
  ovsdb::WriteSnapshotRecord(contents, date_msec, "", ovsdb::RecordForm::kValues,
                             [&text](absl::string_view piece) {
                               text.append(piece.data(), piece.size());
                               return absl::OkStatus();
                             })
      .IgnoreError();  // Appending does not fail.
  text += ']';
  return text;
}

absl::Status WriteClusterHeader(const raft::Header& header, const ovsdb::Snapshot& contents,
                                int64_t date_msec, LogWriter* writer) {
  std::string text;
  raft::AppendHeader(header, &text);
  const size_t place = absl::string_view(text).find(kDataPlace);
  const absl::string_view before = absl::string_view(text).substr(0, place + kDataName.size());
  const absl::string_view behind = absl::string_view(text).substr(place + kDataPlace.size());

  std::string schema = "[";
  contents.schema->AppendJson(&schema);
  schema += ',';
  absl::Status status = writer->BeginRecord(ExpectedSize(contents));
  if (status.ok()) status = writer->Write(before);
  if (status.ok()) status = writer->Write(schema);
  if (status.ok()) {
    status = ovsdb::WriteSnapshotRecord(
        contents, date_msec, "", ovsdb::RecordForm::kValues,
        [writer](absl::string_view piece) { return writer->Write(piece); });
  }
  if (status.ok()) status = writer->Write("]");
  if (status.ok()) status = writer->Write(behind);
  return status.ok() ? writer->EndRecord() : status;
}

void FrameRaftRecord(const raft::Record& record, std::string* out) {
  const size_t start = out->size();
  raft::AppendRecord(record, out);
  FrameLogRecord(LogMagic::kClustered, start, out);
}

}  // namespace server

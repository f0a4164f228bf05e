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

// Entries of so many bytes are applied one by one, for clients that were away while the server was.
// Those before them are loaded at once, which is faster.
constexpr size_t kMaxRecentBytes = 8 << 20;

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

bool IsTransaction(absl::string_view data) { return data.substr(0, kNoSchema.size()) == kNoSchema; }

// Of the committed entries, the first that is to be in the history: there are only transactions
// from there on.
raft::Index FirstRecent(const raft::PersistentState& state) {
  size_t bytes = 0;
  raft::Index first = state.commit_index + 1;
  for (; first > state.log.first_index(); --first) {
    const raft::Payload& data = state.log.entry(first - 1).data;
    if (data == nullptr) continue;
    bytes += data->size();
    if (bytes > kMaxRecentBytes || !IsTransaction(*data)) break;
  }
  return first;
}

absl::Status ApplyRecent(raft::Index first, ovsdb::UuidGenerator* uuids, LoadedCluster* loaded) {
  const raft::Log& entries = loaded->state.log;
  loaded->history_base = entries.eid(first - 1);
  for (raft::Index i = first; i <= loaded->state.commit_index; ++i) {
    const raft::Entry& entry = entries.entry(i);
    if (entry.data == nullptr) continue;
    absl::StatusOr<EntryData> data = ParseEntryData(*entry.data);
    if (!data.ok()) return data.status();
    ovsdb::Change change;
    if (!data->transaction.empty()) {
      data->transaction.push_back('\0');
      absl::StatusOr<ovsdb::Record> record = ovsdb::ReadRecord(
          *loaded->database, data->transaction.data(), data->transaction.size() - 1, uuids);
      if (!record.ok()) return record.status();
      change = std::move(record->change);
      loaded->database->Apply(change);
    }
    loaded->history.push_back({entry.eid, std::move(change)});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EntryData> ParseEntryData(absl::string_view text) {
  EntryData data;
  // What most entries are.
  if (IsTransaction(text) && text.back() == ']') {
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

absl::StatusOr<raft::Header> ReadClusterHeader(LogFile* log) {
  const absl::StatusOr<std::optional<ovsdb::JsonDocument>> json = ReadJson(log);
  if (!json.ok()) return json.status();
  if (!*json) return ovsdb::IoError(absl::StrCat(log->path(), ": no header"), "End of file");
  return raft::ParseHeader(**json);
}

absl::StatusOr<std::optional<raft::Record>> ReadClusterRecord(LogFile* log) {
  const absl::StatusOr<std::optional<ovsdb::JsonDocument>> json = ReadJson(log);
  if (!json.ok()) return json.status();
  if (!*json) return std::nullopt;
  absl::StatusOr<raft::Record> record = raft::ParseRecord(**json);
  if (record.ok()) return *std::move(record);
  log->Unread();
  return record.status();
}

absl::StatusOr<LoadedCluster> LoadCluster(LogFile* log, ovsdb::UuidGenerator* uuids) {
  absl::StatusOr<raft::Header> header = ReadClusterHeader(log);
  if (!header.ok()) return header.status();

  LoadedCluster loaded;
  loaded.base_size = log->size();
  Contents contents(uuids);
  if (header->snapshot_data != nullptr) {
    const absl::Status status = contents.Add(*header->snapshot_data);
    if (!status.ok()) return status;
  }
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
    const absl::Status status = replay.Apply(*std::move(record));
    if (!status.ok()) return status;
  }
  absl::Status status = replay.Finish();
  if (!status.ok()) return status;
  loaded.state = std::move(replay).Take();
  const raft::Index recent = FirstRecent(loaded.state);
  for (raft::Index i = loaded.state.log.first_index(); i < recent; ++i) {
    const raft::Entry& entry = loaded.state.log.entry(i);
    if (entry.data == nullptr) continue;
    status = contents.Add(*entry.data);
    if (!status.ok()) return status;
  }
  absl::StatusOr<std::unique_ptr<ovsdb::Database>> database = contents.Finish();
  if (!database.ok()) return database.status();
  loaded.database = *std::move(database);
  if (loaded.database != nullptr) status = ApplyRecent(recent, uuids, &loaded);
  if (!status.ok()) return status;
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

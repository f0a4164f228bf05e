#include "server/cluster/cluster_file.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
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
constexpr absl::string_view kDataMember = "prev_data";
constexpr absl::string_view kNoData = "[]";

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
      absl::Status status = SetSchema(data->schema, !data->transaction.empty());
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

absl::Status CommitError() { return ovsdb::Error(ovsdb::kSyntaxError, "invalid commit format"); }

bool IsTransaction(absl::string_view data) { return data.substr(0, kNoSchema.size()) == kNoSchema; }

// The data may be very large: they are not made a document. Nothing if there are none, or something
// is wrong.
std::optional<raft::Header> ReadHeaderAndData(absl::string_view text) {
  const absl::string_view data = ovsdb::FindMemberText(text, kDataMember);
  if (!absl::StartsWith(data, "[") || !absl::EndsWith(data, "]")) return std::nullopt;
  const size_t place = data.data() - text.data();
  const absl::StatusOr<ovsdb::JsonDocument> json = ovsdb::ParseJsonStructure(
      absl::StrCat(text.substr(0, place), kNoData, text.substr(place + data.size())));
  if (!json.ok()) return std::nullopt;
  absl::StatusOr<raft::Header> header = raft::ParseHeader(*json);
  if (!header.ok()) return std::nullopt;
  header->snapshot_data = std::make_shared<const std::string>(data);
  return *std::move(header);
}

// `write_data` writes what takes the place of the data that the header does not have.
absl::Status WriteHeaderAround(absl::FunctionRef<absl::Status()> write_data,
                               const raft::Header& header, uint64_t expected_size,
                               LogWriter* writer) {
  std::string text;
  raft::AppendHeader(header, &text);
  const size_t place = absl::string_view(text).find(kDataPlace);
  const absl::string_view before = absl::string_view(text).substr(0, place + kDataName.size());
  const absl::string_view behind = absl::string_view(text).substr(place + kDataPlace.size());
  absl::Status status = writer->BeginRecord(expected_size);
  if (status.ok()) status = writer->Write(before);
  if (status.ok()) status = write_data();
  if (status.ok()) status = writer->Write(behind);
  return status.ok() ? writer->EndRecord() : status;
}

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

// An error about a record, with where it is.
absl::Status InRecord(const absl::Status& error, const LogFile& log, uint64_t number,
                      const std::string& name) {
  absl::Status whole(error.code(), absl::StrCat(log.path(), ": error reading record ", number,
                                                " from ", name, " log: ", error.message()));
  error.ForEachPayload(
      [&](absl::string_view kind, const absl::Cord& payload) { whole.SetPayload(kind, payload); });
  return whole;
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
  // The transaction may be very large: it is left to whoever reads its rows.
  std::string rest(text);
  rest.push_back('\0');
  ovsdb::JsonScanner scanner(rest.data(), text.size());
  if (!scanner.Skip('[')) return CommitError();
  const ovsdb::Json* const schema = scanner.Value();
  if (schema == nullptr) return scanner.error();
  if (!schema->IsNull()) {
    absl::StatusOr<ovsdb::SchemaRef> parsed = ovsdb::DatabaseSchema::Parse(*schema);
    if (!parsed.ok()) return parsed.status();
    data.schema = *std::move(parsed);
  }
  if (!scanner.Skip(',')) return CommitError();
  rest.pop_back();
  rest.erase(0, scanner.offset());
  const absl::string_view transaction = absl::StripTrailingAsciiWhitespace(rest);
  if (!absl::EndsWith(transaction, "]")) return CommitError();
  rest.resize(transaction.size() - 1);
  if (absl::StripAsciiWhitespace(rest) != "null") data.transaction = std::move(rest);
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
  const absl::StatusOr<std::optional<LogRecord>> record = log->Read();
  if (!record.ok()) return record.status();
  if (!*record) return ovsdb::IoError(absl::StrCat(log->path(), ": no header"), "End of file");
  const absl::string_view text = (*record)->text();
  if (std::optional<raft::Header> header = ReadHeaderAndData(text)) return *std::move(header);
  const absl::StatusOr<ovsdb::JsonDocument> json = ParseObject(text, log);
  if (!json.ok()) return json.status();
  return raft::ParseHeader(*json);
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
  const std::string name = header->name;
  raft::Replay replay(*std::move(header));
  for (uint64_t number = 1;; number++) {
    const absl::StatusOr<std::optional<ovsdb::JsonDocument>> json = ReadJson(log);
    if (!json.ok()) {
      loaded.tail = json.status();
      break;
    }
    if (!*json) break;
    absl::StatusOr<raft::Record> record = raft::ParseRecord(**json);
    const absl::Status status = record.ok() ? replay.Apply(*std::move(record)) : record.status();
    if (!status.ok()) return InRecord(status, *log, number, name);
  }
  absl::Status status = replay.Finish();
  // What is missing may well stand behind the damage.
  if (!status.ok()) return loaded.tail.ok() ? status : loaded.tail;
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

absl::Status WriteSnapshotData(const ovsdb::Snapshot& contents, int64_t date_msec, Sink sink) {
  std::string schema = "[";
  contents.schema->AppendJson(&schema);
  schema += ',';
  absl::Status status = sink(schema);
  if (status.ok()) {
    status = ovsdb::WriteSnapshotRecord(contents, date_msec, "", ovsdb::RecordForm::kValues, sink);
  }
  return status.ok() ? sink("]") : status;
}

absl::Status WriteClusterHeader(const raft::Header& header, const ovsdb::Snapshot& contents,
                                int64_t date_msec, LogWriter* writer) {
  return WriteHeaderAround(
      [&] {
        return WriteSnapshotData(contents, date_msec, [writer](absl::string_view piece) {
          return writer->Write(piece);
        });
      },
      header, ExpectedSize(contents), writer);
}

absl::Status WriteClusterHeader(const raft::Header& header, absl::string_view data,
                                LogWriter* writer) {
  return WriteHeaderAround([&] { return writer->Write(data); }, header, data.size(), writer);
}

void FrameRaftRecord(const raft::Record& record, std::string* out) {
  const size_t start = out->size();
  raft::AppendRecord(record, out);
  FrameLogRecord(LogMagic::kClustered, start, out);
}

}  // namespace server

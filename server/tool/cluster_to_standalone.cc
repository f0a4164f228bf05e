// Makes a standalone database of what one server of a cluster has.

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "ovsdb/convert.h"
#include "ovsdb/error.h"
#include "ovsdb/log_json.h"
#include "raft/replay.h"
#include "server/cluster/cluster_file.h"
#include "server/database_file.h"
#include "server/log_file.h"
#include "server/tool/cluster.h"
#include "server/tool/command.h"

namespace tool {
namespace {

// The content as a standalone file has it: a schema and transactions, whose texts stay as they are
// unless the schema changes beneath them.
class Content {
 public:
  // `[schema or null, transaction or null]`, as the log has it.
  absl::Status Add(absl::string_view data) {
    const absl::StatusOr<ovsdb::JsonDocument> json = ovsdb::ParseJson(data);
    if (!json.ok()) return json.status();
    if (!json->IsArray() || json->Size() != 2) {
      return ovsdb::SyntaxError(*json, "data must be an array of schema and transaction");
    }
    const ovsdb::Json& schema = (*json)[0];
    const ovsdb::Json& transaction = (*json)[1];
    if (!schema.IsNull()) {
      absl::Status status = SetSchema(schema, /*convert=*/transaction.IsNull());
      if (!status.ok()) return status;
    }
    if (!transaction.IsNull()) transactions_.push_back(ovsdb::JsonText(transaction));
    return absl::OkStatus();
  }

  std::vector<std::string> TakeRecords() && {
    std::string schema;
    schema_->AppendJson(&schema);
    transactions_.insert(transactions_.begin(), std::move(schema));
    return std::move(transactions_);
  }

 private:
  // The content is kept and converted, or else gone.
  absl::Status SetSchema(const ovsdb::Json& json, bool convert) {
    const absl::StatusOr<ovsdb::SchemaRef> schema = ovsdb::DatabaseSchema::Parse(json);
    if (!schema.ok()) return schema.status();
    std::vector<std::string> rows;
    if (convert && schema_ != nullptr) {
      absl::StatusOr<std::string> converted = Convert(*schema);
      if (!converted.ok()) return converted.status();
      rows.push_back(*std::move(converted));
    }
    schema_ = *schema;
    transactions_ = std::move(rows);
    return absl::OkStatus();
  }

  // All rows under the new schema, as one transaction.
  absl::StatusOr<std::string> Convert(const ovsdb::SchemaRef& schema) {
    ovsdb::Database database(schema_);
    for (std::string& text : transactions_) {
      const absl::StatusOr<ovsdb::Record> record =
          ovsdb::ReadRecord(database, text.data(), text.size(), &uuids_);
      if (!record.ok()) return record.status();
      database.Apply(record->change);
    }
    const absl::StatusOr<std::unique_ptr<ovsdb::Database>> converted = ovsdb::ConvertDatabase(
        database.TakeSnapshot(), schema, ovsdb::OldDefault::kConvert, &uuids_);
    if (!converted.ok()) return converted.status();
    std::string rows;
    const absl::Status status = ovsdb::WriteSnapshotRecord(
        (*converted)->TakeSnapshot(), absl::ToUnixMillis(absl::Now()), "converted by ovsdb-tool",
        ovsdb::RecordForm::kDifferences, [&rows](absl::string_view piece) {
          rows.append(piece.data(), piece.size());
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return rows;
  }

  ovsdb::UuidGenerator uuids_{RandomSeed()};
  ovsdb::SchemaRef schema_;
  std::vector<std::string> transactions_;
};

// What was truncated from the log is not content; what is not known to be committed is.
absl::StatusOr<Content> ReadContent(ClusterFile file) {
  Content content;
  absl::Status status = content.Add(*file.header.snapshot_data);
  if (!status.ok()) return status;
  raft::Replay replay(std::move(file.header));
  while (true) {
    absl::StatusOr<std::optional<raft::Record>> record = server::ReadClusterRecord(file.log.get());
    if (!record.ok()) return record.status();
    if (!*record) break;
    status = replay.Apply(**std::move(record));
    if (!status.ok()) return status;
  }
  const raft::Log& log = replay.state().log;
  for (raft::Index i = log.first_index(); i < log.end(); ++i) {
    if (log.entry(i).data == nullptr) continue;
    status = content.Add(*log.entry(i).data);
    if (!status.ok()) return status;
  }
  return content;
}

// A server would refuse the file rather late.
absl::Status Verify(const std::string& path) {
  const absl::StatusOr<std::unique_ptr<server::LogFile>> log = OpenStandalone(path);
  if (!log.ok()) return log.status();
  const absl::StatusOr<server::LoadedDatabase> loaded = server::LoadDatabase(log->get());
  return loaded.ok() ? loaded->tail : loaded.status();
}

}  // namespace

absl::StatusOr<int> ClusterToStandalone(const Invocation& invocation) {
  const std::string& destination = invocation.args[0];
  const std::string& source = invocation.args[1];
  absl::StatusOr<ClusterFile> file = OpenClustered(source, "Database is not clustered db.\n");
  if (!file.ok()) return file.status();
  if (!file->header.remote_addresses.empty()) {
    return Failure(absl::StrCat(source, ": has not joined its cluster and has no content"));
  }
  absl::StatusOr<Content> content = ReadContent(*std::move(file));
  if (!content.ok()) return content.status();
  absl::Status status =
      CreateFile(destination, server::LogMagic::kStandalone, std::move(*content).TakeRecords());
  if (status.ok()) status = Verify(destination);
  if (!status.ok()) return status;
  return kSuccess;
}

}  // namespace tool

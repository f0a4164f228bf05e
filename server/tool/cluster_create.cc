// Files for the first server of a cluster, and for the others.

#include <optional>
#include <random>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "ovsdb/error.h"
#include "ovsdb/log_json.h"
#include "ovsdb/object_parser.h"
#include "raft/fields.h"
#include "raft/record.h"
#include "raft/replay.h"
#include "server/base/log.h"
#include "server/database_file.h"
#include "server/log_file.h"
#include "server/tool/command.h"

namespace tool {
namespace {

base::LogModule log("ovsdb");

// A cluster has nowhere to keep what is not in its log.
ovsdb::SchemaRef MakePersistent(const ovsdb::SchemaRef& schema, const std::string& source) {
  auto changed = std::make_shared<ovsdb::DatabaseSchema>(*schema);
  int n = 0;
  std::string example;
  for (ovsdb::TableSchema& table : changed->tables) {
    for (size_t i = ovsdb::TableSchema::kFirstRealColumn; i < table.columns.size(); ++i) {
      ovsdb::ColumnSchema& column = table.columns[i];
      if (column.persistent) continue;
      column.persistent = true;
      if (n++ == 0) example = absl::StrCat("'", column.name, "' column in '", table.name, "'");
    }
  }
  if (n == 0) return schema;
  log.Warn(
      "%s: changed %d columns in '%s' database from ephemeral to persistent, including %s table, "
      "because clusters do not support ephemeral columns",
      source, n, schema->name, example);
  return changed;
}

// `[schema, rows]` of a standalone database or of a schema alone, and the name.
struct Contents {
  std::string name;
  raft::Payload data;
};

Contents MakeContents(const ovsdb::SchemaRef& schema, absl::string_view rows) {
  std::string data = "[";
  schema->AppendJson(&data);
  absl::StrAppend(&data, ",", rows, "]");
  return {schema->name, std::make_shared<const std::string>(std::move(data))};
}

absl::StatusOr<Contents> ReadDatabase(server::LogFile* file) {
  absl::StatusOr<server::LoadedDatabase> loaded = server::LoadDatabase(file);
  if (!loaded.ok()) return loaded.status();
  if (!loaded->tail.ok()) return loaded->tail;
  ovsdb::Snapshot snapshot = loaded->database->TakeSnapshot();
  snapshot.schema = MakePersistent(snapshot.schema, file->path());
  std::string rows;
  const absl::Status status = ovsdb::WriteSnapshotRecord(
      snapshot, absl::ToUnixMillis(absl::Now()), absl::StrCat("created from ", file->path()),
      ovsdb::RecordForm::kDifferences, [&rows](absl::string_view piece) {
        absl::StrAppend(&rows, piece);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return MakeContents(snapshot.schema, rows);
}

absl::StatusOr<Contents> ReadContents(const std::string& path) {
  absl::StatusOr<std::unique_ptr<server::LogFile>> file = OpenStandalone(path);
  if (file.ok()) return ReadDatabase(file->get());
  const absl::StatusOr<ovsdb::SchemaRef> schema = ReadSchemaFile(path);
  if (!schema.ok()) return file.status();
  return MakeContents(MakePersistent(*schema, path), "{}");
}

absl::Status CheckAddresses(const std::string& local, const std::vector<std::string>& remotes) {
  if (absl::Status status = raft::CheckAddress(local); !status.ok()) return status;
  for (const std::string& remote : remotes) {
    if (absl::Status status = raft::CheckAddress(remote); !status.ok()) return status;
  }
  if (absl::c_linear_search(remotes, local)) {
    return ovsdb::Error("ovsdb error", "remote addresses cannot be the same as the local address");
  }
  return absl::OkStatus();
}

// Makes the file of a server that is still to join. One that has its id from elsewhere may have
// been a member before: the file says so.
absl::StatusOr<int> CreateJoining(const std::string& path, const raft::Header& header,
                                  bool returning) {
  if (!ovsdb::IsValidIdentifier(header.name)) {
    return Failure(absl::StrCat(header.name, ": not a valid schema name (use \"schema-name\" ",
                                "command to find the correct name)"));
  }
  absl::Status status = CheckAddresses(header.local_address, header.remote_addresses);
  if (!status.ok()) return status;
  std::vector<std::string> records(1);
  raft::AppendHeader(header, &records[0]);
  if (returning) {
    raft::PersistentState state;
    state.remote_addresses = header.remote_addresses;
    state.returning = true;
    raft::AppendRecord(raft::PromiseRecord(state), &records.emplace_back());
  }
  status = CreateFile(path, server::LogMagic::kClustered, std::move(records));
  if (!status.ok()) return status;
  return kSuccess;
}

// The arguments from `first` on, each once.
std::vector<std::string> Remotes(const Invocation& invocation, size_t first) {
  std::vector<std::string> remotes;
  for (size_t i = first; i < invocation.args.size(); ++i) {
    if (!absl::c_linear_search(remotes, invocation.args[i])) remotes.push_back(invocation.args[i]);
  }
  return remotes;
}

absl::StatusOr<raft::Header> ParseIdentity(const ovsdb::Json& json) {
  ovsdb::ObjectParser parser(json);
  raft::Header header;
  header.server_id = raft::ReadServerId("server_id", &parser);
  header.name = raft::ReadString("name", &parser);
  header.cluster_id = raft::ReadOptionalUuid("cluster_id", &parser);
  raft::ReadOptionalString("local_address", &parser);  // That it had; it may have another now.
  if (!parser.Finish()) return parser.Error("raft header");
  return header;
}

// What db-raft-header printed.
absl::StatusOr<raft::Header> ReadIdentity(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  const absl::StatusOr<ovsdb::JsonDocument> json = ovsdb::ParseJsonStructure(*text);
  if (json.ok()) return ParseIdentity(*json);
  return Failure(
      absl::StrCat("\"", path, "\" could not be read as JSON (", json.status().message(), ")"));
}

}  // namespace

absl::StatusOr<int> CreateCluster(const Invocation& invocation) {
  absl::StatusOr<Contents> contents = ReadContents(invocation.args[1]);
  if (!contents.ok()) return contents.status();

  ovsdb::UuidGenerator uuids(RandomSeed());
  raft::Header header;
  header.server_id = uuids.Next();
  header.local_address = invocation.args[2];
  header.name = std::move(contents->name);
  header.cluster_id = uuids.Next();
  header.snapshot = {.term = 1,
                     .index = 1,
                     .eid = uuids.Next(),
                     .servers = std::make_shared<const raft::Servers>(
                         raft::Servers{{header.server_id, header.local_address}}),
                     .election_timer_ms = 0};
  header.snapshot_data = std::move(contents->data);
  absl::Status status = CheckAddresses(header.local_address, {});
  if (!status.ok()) return status;

  std::vector<std::string> records(1);
  raft::AppendHeader(header, &records[0]);
  if (invocation.election_timer_ms != 0) {
    const raft::Entry entry{.term = 1, .election_timer_ms = invocation.election_timer_ms};
    raft::AppendRecord({raft::EntryRecord{2, entry}, ""}, &records.emplace_back());
  }
  status = CreateFile(invocation.args[0], server::LogMagic::kClustered, std::move(records));
  if (!status.ok()) return status;
  return kSuccess;
}

absl::StatusOr<int> JoinCluster(const Invocation& invocation) {
  raft::Header header;
  header.name = invocation.args[1];
  header.local_address = invocation.args[2];
  header.remote_addresses = Remotes(invocation, 3);
  header.cluster_id = invocation.cid;
  header.server_id = invocation.sid;
  const bool returning = !header.server_id.is_zero();
  if (!returning) header.server_id = ovsdb::UuidGenerator(RandomSeed()).Next();
  return CreateJoining(invocation.args[0], header, returning);
}

absl::StatusOr<int> RejoinCluster(const Invocation& invocation) {
  absl::StatusOr<raft::Header> header = ReadIdentity(invocation.args[1]);
  if (!header.ok()) return header.status();
  header->local_address = invocation.args[2];
  header->remote_addresses = Remotes(invocation, 3);
  return CreateJoining(invocation.args[0], *header, /*returning=*/true);
}

}  // namespace tool

// Prints the records of a clustered database's file for people.

#include <cstdint>
#include <optional>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ovsdb/error.h"
#include "raft/record.h"
#include "server/database_file.h"
#include "server/log_file.h"
#include "server/tool/cluster.h"
#include "server/tool/command.h"
#include "server/tool/log_printer.h"

namespace tool {
namespace {

using ovsdb::Json;

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", text, "\""); }

class ClusterLogPrinter {
 public:
  explicit ClusterLogPrinter(int more) : transactions_(more) {}

  // What is wrong with a record is a part of the output; what is wrong in its data ends it.
  absl::Status Header(const Json& json) {
    const absl::StatusOr<raft::Header> header = raft::ParseHeader(json);
    if (!header.ok()) return Bad(header.status());
    Member("name", absl::StrCat("\"", header->name, "'"));  // As stock has it.
    Member("local address", Quoted(header->local_address));
    Id("server_id", header->server_id);
    Id("cluster_id", header->cluster_id);
    if (!header->remote_addresses.empty()) {
      Member("remote_addresses", absl::StrJoin(header->remote_addresses, " "));
      PrintLine("");
      return absl::OkStatus();
    }
    const raft::SnapshotInfo& snapshot = header->snapshot;
    Number("prev_index", snapshot.index);
    Number("prev_term", snapshot.term);
    Servers("prev_servers", *snapshot.servers);
    Id("prev_eid", snapshot.eid);
    return Data("prev_schema", *ovsdb::FindMember(json, "prev_data"));
  }

  absl::Status Record(const Json& json) {
    const absl::StatusOr<raft::Record> record = raft::ParseRecord(json);
    if (!record.ok()) return Bad(record.status());
    if (!record->comment.empty()) Member("comment", Quoted(record->comment));
    std::visit([](const auto& body) { Body(body); }, record->body);
    if (const Json* data = ovsdb::FindMember(json, "data")) return Data("schema", *data);
    PrintLine("");
    return absl::OkStatus();
  }

 private:
  static absl::Status Bad(const absl::Status& error) {
    PrintLine(absl::StrCat(ovsdb::ErrorText(error), "\n"));
    return absl::OkStatus();
  }

  static void Member(absl::string_view name, absl::string_view value) {
    PrintLine(absl::StrCat(" ", name, ": ", value));
  }
  // As stock, these leave out what is zero.
  static void Number(absl::string_view name, uint64_t value) {
    if (value != 0) Member(name, absl::StrCat(value));
  }
  static void Id(absl::string_view name, const ovsdb::Uuid& id) {
    if (!id.is_zero()) Member(name, Nick(id));
  }

  static void Servers(absl::string_view name, const raft::Servers& servers) {
    const auto append = [](std::string* out, const auto& server) {
      absl::StrAppend(out, Nick(server.first), "(", Quoted(server.second), ")");
    };
    Member(name, absl::StrJoin(servers, ", ", append));
  }

  static void Body(const raft::EntryRecord& record) {
    Number("term", record.entry.term);
    Number("index", record.index);
    if (record.entry.servers != nullptr) Servers("servers", *record.entry.servers);
    Id("eid", record.entry.eid);
  }
  static void Body(const raft::TermRecord& record) { Number("term", record.term); }
  static void Body(const raft::VoteRecord& record) {
    Number("term", record.term);
    Id("vote", record.vote);
  }
  static void Body(const raft::LeaderRecord& record) {
    Number("term", record.term);
    Id("leader", record.leader);
  }
  static void Body(const raft::CommitRecord& record) {
    Number("commit_index", record.commit_index);
  }
  static void Body(const raft::NoteRecord& record) {
    Member("note", Quoted(raft::NoteText(record)));
  }

  // `[schema or null, transaction or null]`.
  absl::Status Data(absl::string_view schema_name, const Json& data) {
    if (!data.IsArray() || data.Size() != 2) {
      return ovsdb::SyntaxError(data, "data must be an array of schema and transaction");
    }
    if (!data[0].IsNull()) {
      absl::StatusOr<ovsdb::SchemaRef> schema = ovsdb::DatabaseSchema::Parse(data[0]);
      if (!schema.ok()) return schema.status();
      Member(schema_name,
             absl::StrCat(Quoted((*schema)->name), ", ", transactions_.SetSchema(*schema)));
    }
    Print(data[1].IsObject() ? transactions_.Transaction(data[1]) : "\n");
    return absl::OkStatus();
  }

  LogPrinter transactions_;
};

}  // namespace

absl::StatusOr<int> ShowClusterLog(server::LogFile* log, int more) {
  ClusterLogPrinter printer(more);
  for (int n = 0;; ++n) {
    absl::StatusOr<std::optional<ovsdb::JsonDocument>> json = server::ReadJson(log);
    if (!json.ok()) return json.status();
    if (!*json) return kSuccess;
    PrintLine(absl::StrCat("record ", n, ":"));
    const absl::Status status = n == 0 ? printer.Header(**json) : printer.Record(**json);
    if (!status.ok()) return status;
  }
}

}  // namespace tool

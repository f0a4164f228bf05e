#include "server/replication.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/read_updates.h"
#include "ovsdb/transaction.h"
#include "server/base/log.h"
#include "server/client/monitor_requests.h"

namespace server {
namespace {

base::LogModule log("replication");
base::LogModule error_log("ovsdb_error");

}  // namespace

Replication::Replication(const base::StreamContext& context, const Options& options,
                         ovsdb::UuidGenerator* uuids, const ovsdb::Uuid& server_id,
                         HostedDatabase* database, std::function<void()> failed)
    : options_(options),
      uuids_(uuids),
      server_id_(server_id),
      database_(database),
      failed_(context.loop, std::move(failed)),
      client_(context, options.source, uuids, this) {}

// What was proposed refers to this.
Replication::~Replication() { database_->executor().Settle(); }

bool Replication::IsReplicated(const ovsdb::TableSchema& table) const {
  return !options_.exclude_tables.contains(table.name);
}

void Replication::Fail(absl::string_view reason) {
  error_log.Error("unexpected ovsdb error: %s", reason);
  Stop();
}

void Replication::Stop() {
  has_failed_ = true;
  failed_.Start(0);
}

void Replication::OnConnected() {
  client_.Request("get_server_id", "[]", [this](const base::JsonRpcMessage* reply) {
    // Old servers have no id; then nobody can tell.
    if (reply == nullptr || reply->type() != base::JsonRpcMessage::kReply) return;
    const ovsdb::Json& id = reply->result();
    if (id.IsString() && ovsdb::StringView(id) == server_id_.ToString()) {
      Fail(absl::StrCat("Server ID check failed: ", database_->name(),
                        ": Self replicating is not allowed"));
    }
  });
}

void Replication::OnNoDatabase() {
  Fail(absl::StrCat("list_dbs failed: ", database_->name(), ": database name is not in the list"));
}

std::optional<std::string> Replication::OnSchema(const ovsdb::Json& json) {
  if (has_failed_) return std::nullopt;
  const absl::StatusOr<ovsdb::SchemaRef> source = ovsdb::DatabaseSchema::Parse(json);
  if (!source.ok()) {
    Fail(ovsdb::ErrorText(source.status()));
    return std::nullopt;
  }
  std::string text;
  (*source)->AppendJson(&text);
  if (text != database_->schema_text()) {
    const std::string& name = database_->name();
    log.Info("%s: Schema version mismatch, checking if %s can still be replicated or not.", name,
             name);
    if (!CanReplicate(**source)) {
      log.Info("%s cannot be replicated.", name);
      Stop();
      return std::nullopt;
    }
    log.Info("%s can be replicated.", name);
  }
  return MonitorRequests(**source,
                         [this](const ovsdb::TableSchema& table) { return IsReplicated(table); });
}

// Whether we have a place for all that the source may have.
bool Replication::CanReplicate(const ovsdb::DatabaseSchema& source) const {
  const ovsdb::DatabaseSchema& ours = database_->state().schema();
  for (const ovsdb::TableSchema& table : source.tables) {
    const ovsdb::TableSchema* our_table = ours.FindTable(table.name);
    if (our_table == nullptr) {
      log.Info("Table %s not present in the local db schema", table.name);
      return false;
    }
    for (const ovsdb::ColumnSchema& column : table.columns) {
      const ovsdb::ColumnSchema* our_column = our_table->FindColumn(column.name);
      if (our_column == nullptr) {
        log.Info("Column %s not present in the local db schema table %s.", column.name, table.name);
        return false;
      }
      if (!(our_column->type == column.type) || our_column->is_mutable != column.is_mutable ||
          our_column->persistent != column.persistent) {
        log.Info("Column %s mismatch in local db schema table %s.", column.name, table.name);
        return false;
      }
    }
  }
  return true;
}

absl::Status Replication::OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                     const ovsdb::Uuid& txn_id) {
  log.Info("%s: Monitor reply received. Resetting the database.", database_->name());
  Commit(ovsdb::ReadContents(
      database_->state(), version, updates,
      [this](const ovsdb::TableSchema& table) { return IsReplicated(table); }, uuids_));
  replicating_ = true;
  return absl::OkStatus();
}

absl::Status Replication::OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                    const ovsdb::Uuid& txn_id) {
  Commit(ovsdb::ReadUpdates(database_->state(), version, updates, uuids_));
  return absl::OkStatus();
}

void Replication::Commit(absl::StatusOr<ovsdb::Change> change) {
  if (has_failed_) return;
  // Excluded tables have rows of our own, with which the others must go together.
  if (change.ok()) change = ovsdb::CheckChange(database_->state(), *std::move(change), uuids_);
  if (!change.ok()) return Fail(ovsdb::ErrorText(change.status()));
  if (change->empty()) return;
  database_->executor().Propose(*std::move(change), [this](const absl::Status& status) {
    if (!status.ok()) client_.Restart();  // It was taken back: we are no copy any more.
  });
}

}  // namespace server

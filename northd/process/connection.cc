#include "northd/process/connection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "ovsdb/read_updates.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("ovsdb_idl");

bool EveryTable(const ovsdb::TableSchema&) { return true; }

// Whether every operation of a `transact` was done; else the first error that it tells of.
absl::Status ResultOf(const ovsdb::Json& results) {
  if (!results.IsArray()) return absl::InternalError("bad reply to transact");
  for (const ovsdb::Json& result : results.GetArray()) {
    if (ovsdb::FindMember(result, "error") != nullptr) {
      return absl::AbortedError(ovsdb::JsonText(result));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Connection::Connection(const base::StreamContext& context, const server::DbClient::Options& options,
                       Replica* replica, ovsdb::UuidGenerator* uuids, Callbacks callbacks)
    : replica_(replica),
      uuids_(uuids),
      callbacks_(std::move(callbacks)),
      client_(context, options, uuids, this) {}

// ---- Contents ----

// Asks for what both sides know: the server may be older or newer than our schema.
std::optional<std::string> Connection::OnSchema(const ovsdb::Json& json) {
  const absl::StatusOr<ovsdb::SchemaRef> theirs = ovsdb::DatabaseSchema::Parse(json);
  if (!theirs.ok()) {
    log.Warn("bad schema from %s: %s", client_.remote(), std::string(theirs.status().message()));
    return std::nullopt;
  }
  if (!std::exchange(accepted_, true)) AskForLock();
  std::string requests = "{";
  for (const ovsdb::TableSchema& table : replica_->database().schema().tables) {
    const ovsdb::TableSchema* their_table = (*theirs)->FindTable(table.name);
    if (their_table == nullptr) {
      log.Warn("%s database lacks %s table (database needs upgrade?)", (*theirs)->name, table.name);
      continue;
    }
    absl::StrAppend(&requests, requests.size() > 1 ? "," : "", "\"", table.name,
                    "\":[{\"columns\":[");
    bool first = true;
    for (size_t i = ovsdb::TableSchema::kFirstRealColumn; i < table.columns.size(); ++i) {
      const std::string& column = table.columns[i].name;
      if (their_table->FindColumn(column) == nullptr) {
        log.Warn("%s table in %s database lacks %s column (database needs upgrade?)", table.name,
                 (*theirs)->name, column);
        continue;
      }
      absl::StrAppend(&requests, first ? "\"" : ",\"", column, "\"");
      first = false;
    }
    requests += "]}]";
  }
  return requests + "}";
}

absl::Status Connection::OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                    const ovsdb::Uuid& /*txn_id*/) {
  const absl::StatusOr<ovsdb::Change> change =
      ovsdb::ReadContents(replica_->database(), version, updates, EveryTable, uuids_);
  if (!change.ok()) return change.status();
  replica_->Apply(*change);
  has_contents_ = true;
  callbacks_.on_contents();
  return absl::OkStatus();
}

absl::Status Connection::OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                   const ovsdb::Uuid& /*txn_id*/) {
  const absl::StatusOr<ovsdb::Change> change =
      ovsdb::ReadUpdates(replica_->database(), version, updates, uuids_);
  if (!change.ok()) return change.status();
  replica_->Apply(*change);
  callbacks_.on_change();
  return absl::OkStatus();
}

void Connection::OnDisconnected() {
  accepted_ = false;
  SetHasLock(false);
}

// ---- The lock ----

void Connection::SetLock(const std::string& lock) {
  if (lock == lock_) return;
  if (!lock_.empty()) {
    if (accepted_) {
      client_.Request("unlock", absl::StrCat("[\"", lock_, "\"]"),
                      [](const base::JsonRpcMessage*) {});
    }
    SetHasLock(false);
  }
  lock_ = lock;
  if (accepted_) AskForLock();
}

void Connection::AskForLock() {
  if (lock_.empty()) return;
  client_.Request("lock", absl::StrCat("[\"", lock_, "\"]"),
                  [this, lock = lock_](const base::JsonRpcMessage* reply) {
                    if (reply == nullptr || lock != lock_) return;
                    const ovsdb::Json* locked = ovsdb::FindMember(reply->result(), "locked");
                    SetHasLock(locked != nullptr && locked->IsTrue());
                  });
}

void Connection::OnNotification(const base::JsonRpcMessage& message) {
  const ovsdb::Json& params = message.params();
  if (!params[0].IsString() || ovsdb::StringView(params[0]) != lock_) return;
  SetHasLock(message.method() == "locked");
}

void Connection::SetHasLock(bool has_lock) {
  if (has_lock == has_lock_) return;
  has_lock_ = has_lock;
  callbacks_.on_lock();
}

// ---- Transactions ----

void Connection::Transact(const std::string& params, std::function<void(absl::Status)> done) {
  client_.Request("transact", params, [done = std::move(done)](const base::JsonRpcMessage* reply) {
    if (reply == nullptr) {
      done(absl::UnavailableError("the connection was lost"));
    } else if (reply->type() == base::JsonRpcMessage::kError) {
      done(absl::AbortedError(ovsdb::JsonText(reply->error())));
    } else {
      done(ResultOf(reply->result()));
    }
  });
}

}  // namespace northd

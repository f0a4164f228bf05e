#include "server/relay.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/read_updates.h"
#include "server/base/log.h"
#include "server/client/monitor_requests.h"

namespace server {
namespace {

base::LogModule log("relay");

// For so long after losing its source a relay still says that it is connected, as stock: clients
// stay, for the source is likely to come back.
constexpr int64_t kMaxReconnectionMs = 30'000;

bool EveryTable(const ovsdb::TableSchema&) { return true; }

std::string SchemaText(const ovsdb::DatabaseSchema& schema) {
  std::string text;
  schema.AppendJson(&text);
  return text;
}

}  // namespace

Relay::Relay(const base::StreamContext& context, const DbClient::Options& source,
             ovsdb::UuidGenerator* uuids, HostedDatabase* database, RelayStorage* storage,
             std::function<void()> status_changed)
    : uuids_(uuids),
      database_(database),
      storage_(storage),
      status_changed_(std::move(status_changed)),
      lost_timer_(context.loop, [this] { SetConnected(false); }),
      client_(context, source, uuids, this) {
  database_->executor().SetForwarder(this);
}

Relay::~Relay() { database_->executor().SetForwarder(nullptr); }

std::optional<std::string> Relay::OnSchema(const ovsdb::Json& json) {
  absl::StatusOr<ovsdb::SchemaRef> schema = ovsdb::DatabaseSchema::Parse(json);
  if (!schema.ok()) {
    log.Warn("%s: bad schema from %s: %s", database_->name(), client_.remote(),
             std::string(schema.status().message()));
    return std::nullopt;
  }
  const bool is_new = !database_->available() || SchemaText(**schema) != database_->schema_text();
  if (is_new) log.Debug("database %s schema changed.", database_->name());
  new_schema_ = is_new ? *schema : nullptr;
  return MonitorRequests(**schema, EveryTable);
}

absl::Status Relay::OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                               const ovsdb::Uuid& txn_id) {
  if (new_schema_) {
    absl::Status status = ReplaceContents(version, updates, txn_id);
    if (!status.ok()) return status;
  } else {
    absl::StatusOr<ovsdb::Change> change = ovsdb::ReadContents(
        *database_->executor().database(), version, updates, EveryTable, uuids_);
    if (!change.ok()) return change.status();
    Propose(*std::move(change), txn_id);
  }
  Connected();
  return absl::OkStatus();
}

absl::Status Relay::ReplaceContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                    const ovsdb::Uuid& txn_id) {
  const std::string reason =
      database_->available()
          ? absl::StrCat("updating ", database_->name(), " database schema")
          : absl::StrCat("database ", database_->name(), " connected to storage");
  auto contents = std::make_unique<ovsdb::Database>(new_schema_);
  absl::StatusOr<ovsdb::Change> rows =
      ovsdb::ReadContents(*contents, version, updates, EveryTable, uuids_);
  if (!rows.ok()) return rows.status();
  contents->Apply(*rows);
  new_schema_ = nullptr;
  database_->executor().Settle();
  storage_->Reset(txn_id);
  database_->Replace(std::move(contents), reason);
  return absl::OkStatus();
}

absl::Status Relay::OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                              const ovsdb::Uuid& txn_id) {
  absl::StatusOr<ovsdb::Change> change =
      ovsdb::ReadUpdates(*database_->executor().database(), version, updates, uuids_);
  if (!change.ok()) return change.status();
  Propose(*std::move(change), txn_id);
  Connected();
  return absl::OkStatus();
}

void Relay::Propose(ovsdb::Change change, const ovsdb::Uuid& txn_id) {
  if (change.empty()) return;
  storage_->SetNextTxnId(txn_id);
  database_->executor().Propose(std::move(change), nullptr);
}

// Contact with the source

void Relay::Connected() {
  lost_timer_.Stop();
  SetConnected(true);
  std::deque<Waiting> waiting;
  waiting.swap(waiting_);
  for (Waiting& request : waiting) Send(request.params, std::move(request.done));
}

void Relay::OnDisconnected() {
  if (storage_->connected() && !lost_timer_.active()) lost_timer_.Start(kMaxReconnectionMs);
}

void Relay::SetConnected(bool connected) {
  if (connected == storage_->connected()) return;
  storage_->SetConnected(connected);
  status_changed_();
}

// Transactions

void Relay::Forward(const Request& request, std::function<void(Answer)> done) {
  const std::string params = ovsdb::JsonText(request.message->params());
  if (client_.monitoring()) {
    Send(params, std::move(done));
  } else {
    waiting_.push_back({&request, params, std::move(done)});
  }
}

bool Relay::Withdraw(const Request& request) {
  return std::erase_if(waiting_, [&](const Waiting& w) { return w.request == &request; }) > 0;
}

void Relay::Send(const std::string& params, std::function<void(Answer)> done) {
  client_.Request("transact", params,
                  [this, done = std::move(done)](const base::JsonRpcMessage* reply) {
                    // The updates that came before the reply go to clients before it.
                    database_->executor().Settle();
                    if (reply == nullptr) {
                      done({true, "\"canceled\""});
                    } else if (reply->type() == base::JsonRpcMessage::kError) {
                      done({true, ovsdb::JsonText(reply->error())});
                    } else {
                      done({false, ovsdb::JsonText(reply->result())});
                    }
                  });
}

}  // namespace server

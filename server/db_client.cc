#include "server/db_client.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/read_updates.h"
#include "schemas/builtin.h"
#include "server/base/log.h"

namespace server {
namespace {

using base::JsonRpcMessage;
using ovsdb::Json;
using ovsdb::MonitorVersion;

base::LogModule log("db_client");

constexpr char kServerDatabase[] = "_Server";
constexpr int kDatabaseTable = 0;

absl::string_view MonitorMethod(MonitorVersion version) {
  switch (version) {
    case MonitorVersion::kV1:
      return "monitor";
    case MonitorVersion::kV2:
      return "monitor_cond";
    case MonitorVersion::kV3:
      return "monitor_cond_since";
  }
  return "";
}

std::string Quoted(absl::string_view text) {
  std::string quoted;
  ovsdb::AppendJsonString(text, &quoted);
  return quoted;
}

std::string MonitorId(absl::string_view database) {
  return absl::StrCat("[\"monid\",", Quoted(database), "]");
}

bool IsMonitorId(const Json& id, absl::string_view database) {
  return id.IsArray() && id.Size() == 2 && id[1].IsString() && ovsdb::StringView(id[1]) == database;
}

std::string ErrorText(const JsonRpcMessage& reply) {
  return ovsdb::JsonText(reply.error(), /*sorted=*/true);
}

// Columns of a row of `_Server`.
class DatabaseStatus {
 public:
  explicit DatabaseStatus(const ovsdb::Table& table, const ovsdb::Row& row)
      : schema_(table.schema()), row_(row) {}

  std::string Text(absl::string_view column) const {
    const ovsdb::Datum& datum = Get(column);
    return datum.empty() ? "" : std::string(datum.key(0).string());
  }
  bool Flag(absl::string_view column) const { return Get(column).key(0).boolean(); }

 private:
  const ovsdb::Datum& Get(absl::string_view column) const {
    return row_.datum(schema_.FindColumn(column)->index);
  }

  const ovsdb::TableSchema& schema_;
  const ovsdb::Row& row_;
};

}  // namespace

DbClient::DbClient(const base::StreamContext& context, const Options& options,
                   ovsdb::UuidGenerator* uuids, Handler* handler)
    : options_(options),
      uuids_(uuids),
      handler_(handler),
      server_(*ovsdb::DatabaseSchema::ParseText(schemas::kServer)),
      session_(context, options.remotes, this, std::numeric_limits<size_t>::max()) {
  base::Reconnect& reconnect = session_.reconnect();
  if (options.probe_interval_ms) reconnect.SetProbeInterval(*options.probe_interval_ms);
  if (options.max_backoff_ms) {
    reconnect.SetBackoff(std::min(base::kDefaultMinBackoffMs, *options.max_backoff_ms),
                         *options.max_backoff_ms);
  }
  if (options.dscp) session_.SetDscp(*options.dscp);
  session_.Update();
}

DbClient::~DbClient() = default;

void DbClient::SetProbeInterval(int ms) {
  session_.reconnect().SetProbeInterval(ms);
  session_.Update();
}

void DbClient::Restart() {
  last_txn_id_ = {};
  session_.ForceReconnect();
}

void DbClient::Request(absl::string_view method, absl::string_view params, ReplyCallback callback) {
  const int64_t id = ++last_request_;
  requests_[id] = std::move(callback);
  session_.rpc()->Send(base::RequestText(method, params, absl::StrCat(id)));
}

// What comes from the connection

void DbClient::OnConnected() {
  state_ = State::kStarting;
  version_ = MonitorVersion::kV3;
  handler_->OnConnected();
  AskServer();
}

void DbClient::OnDisconnected(const absl::Status& reason) {
  state_ = State::kStarting;
  CancelRequests();
  handler_->OnDisconnected();
}

void DbClient::CancelRequests() {
  absl::flat_hash_map<int64_t, ReplyCallback> requests;
  requests.swap(requests_);
  for (auto& [id, callback] : requests) callback(nullptr);
}

void DbClient::OnMessage(std::unique_ptr<JsonRpcMessage> message) {
  switch (message->type()) {
    case JsonRpcMessage::kReply:
    case JsonRpcMessage::kError: {
      const auto request =
          message->id().IsInt64() ? requests_.find(message->id().GetInt64()) : requests_.end();
      if (request == requests_.end()) return;
      const ReplyCallback callback = std::move(request->second);
      requests_.erase(request);
      callback(message.get());
      return;
    }
    case JsonRpcMessage::kNotify:
      OnNotification(*message);
      return;
    case JsonRpcMessage::kRequest:
      session_.rpc()->Send(base::ErrorReplyText(message->id(), "\"unknown method\""));
      return;
  }
}

// The `_Server` database

void DbClient::AskServer() {
  Request("get_schema", absl::StrCat("[", Quoted(kServerDatabase), "]"),
          [this](const JsonRpcMessage* reply) {
            if (reply == nullptr) return;
            if (reply->type() == JsonRpcMessage::kReply) {
              MonitorServer(reply->result());
            } else {
              AskSchema();
            }
          });
}

void DbClient::MonitorServer(const Json& server_schema) {
  // What both sides know.
  std::string columns;
  const auto theirs = ovsdb::DatabaseSchema::Parse(server_schema);
  const ovsdb::TableSchema& ours = server_.schema().tables[kDatabaseTable];
  const ovsdb::TableSchema* table = theirs.ok() ? (*theirs)->FindTable(ours.name) : nullptr;
  if (table == nullptr) return AskSchema();
  for (const ovsdb::ColumnSchema& column : ours.columns) {
    if (column.index < ovsdb::TableSchema::kFirstRealColumn || !table->FindColumn(column.name)) {
      continue;
    }
    absl::StrAppend(&columns, columns.empty() ? "" : ",", Quoted(column.name));
  }
  Request("monitor_cond",
          absl::StrCat("[", Quoted(kServerDatabase), ",", MonitorId(kServerDatabase), ",{",
                       Quoted(ours.name), ":[{\"columns\":[", columns, "]}]}]"),
          [this](const JsonRpcMessage* reply) {
            if (reply == nullptr) return;
            if (reply->type() == JsonRpcMessage::kError) return AskSchema();
            const absl::Status status = ReadServer(reply->result(), /*initial=*/true);
            if (!status.ok()) return Fail(status);
            CheckServer();
          });
}

absl::Status DbClient::ReadServer(const Json& updates, bool initial) {
  absl::StatusOr<ovsdb::Change> change =
      initial ? ovsdb::ReadContents(
                    server_, MonitorVersion::kV2, updates,
                    [](const ovsdb::TableSchema&) { return true; }, uuids_)
              : ovsdb::ReadUpdates(server_, MonitorVersion::kV2, updates, uuids_);
  if (!change.ok()) return change.status();
  server_.Apply(*change);
  return absl::OkStatus();
}

// Whether this server will do; begins to monitor the database if that is to be done.
void DbClient::CheckServer() {
  const ovsdb::Table& table = server_.table(kDatabaseTable);
  const ovsdb::Row* found = nullptr;
  table.ForEach([&](const ovsdb::Row& row) {
    if (DatabaseStatus(table, row).Text("name") == options_.database) found = &row;
  });
  if (found == nullptr) {
    handler_->OnNoDatabase();
    return TryAnother(absl::StrCat("server does not have ", options_.database, " database"));
  }
  const DatabaseStatus status(table, *found);
  if (status.Text("model") == "clustered") {
    if (status.Text("schema").empty()) {
      return TryAnother("clustered database server has not yet joined cluster");
    }
    if (!status.Flag("connected")) {
      return TryAnother("clustered database server is disconnected from cluster");
    }
    if (options_.leader_only && !status.Flag("leader")) {
      return TryAnother("clustered database server is not cluster leader");
    }
  }
  const std::string schema_text = status.Text("schema");
  if (schema_text.empty()) return;  // A relay that has not heard of its source yet.
  if (state_ != State::kStarting) {
    if (schema_text == server_schema_text_) return;
    // Our monitor was canceled before this was told, or will be.
    Request("monitor_cancel", absl::StrCat("[", MonitorId(options_.database), "]"),
            [](const JsonRpcMessage*) {});
  }
  server_schema_text_ = schema_text;
  AskSchema();
}

// The database itself

// Stock's standalone servers do not tell `_Server` of conversions: this is the schema that counts.
void DbClient::AskSchema() {
  state_ = State::kAsked;
  Request("get_schema", absl::StrCat("[", Quoted(options_.database), "]"),
          [this](const JsonRpcMessage* reply) {
            if (reply == nullptr) return;
            if (reply->type() == JsonRpcMessage::kReply) return StartMonitor(reply->result());
            handler_->OnNoDatabase();
            TryAnother(ErrorText(*reply));
          });
}

void DbClient::StartMonitor(const Json& schema) {
  std::string schema_text = ovsdb::JsonText(schema);
  if (schema_text != schema_text_) last_txn_id_ = {};
  schema_text_ = std::move(schema_text);
  std::optional<std::string> requests = handler_->OnSchema(schema);
  if (!requests) return;
  monitor_requests_ = *std::move(requests);
  SendMonitor();
  Request("set_db_change_aware", "[true]", [](const JsonRpcMessage*) {});
}

void DbClient::SendMonitor() {
  std::string params = absl::StrCat("[", Quoted(options_.database), ",",
                                    MonitorId(options_.database), ",", monitor_requests_);
  if (version_ == MonitorVersion::kV3) {
    absl::StrAppend(&params, ",", Quoted(last_txn_id_.ToString()));
  }
  Request(MonitorMethod(version_), absl::StrCat(params, "]"), [this](const JsonRpcMessage* reply) {
    if (reply != nullptr) OnMonitorReply(*reply);
  });
}

void DbClient::OnMonitorReply(const JsonRpcMessage& reply) {
  if (reply.type() == JsonRpcMessage::kError) {
    if (version_ == MonitorVersion::kV1) return TryAnother(ErrorText(reply));
    version_ = version_ == MonitorVersion::kV3 ? MonitorVersion::kV2 : MonitorVersion::kV1;
    return SendMonitor();
  }
  state_ = State::kMonitoring;
  if (version_ != MonitorVersion::kV3) {
    return Fail(handler_->OnContents(version_, reply.result(), ovsdb::Uuid()));
  }
  const Json& result = reply.result();
  std::optional<ovsdb::Uuid> txn_id;
  if (result.IsArray() && result.Size() == 3 && result[0].IsBool() && result[1].IsString()) {
    txn_id = ovsdb::Uuid::Parse(ovsdb::StringView(result[1]));
  }
  if (!txn_id) return Fail(ovsdb::SyntaxError(result, "bad reply to monitor_cond_since"));
  last_txn_id_ = *txn_id;
  Fail(result[0].GetBool() ? handler_->OnUpdates(version_, result[2], *txn_id)
                           : handler_->OnContents(version_, result[2], *txn_id));
}

void DbClient::OnNotification(const JsonRpcMessage& message) {
  const Json& params = message.params();
  if (params.Empty()) return;
  if (message.method() == "monitor_canceled") {
    if (!IsMonitorId(params[0], options_.database)) return;
    // The schema has changed, or the database is gone: begin anew.
    state_ = State::kStarting;
    Request("monitor_cancel", absl::StrCat("[", MonitorId(kServerDatabase), "]"),
            [](const JsonRpcMessage*) {});
    AskServer();
  } else if (message.method() == "update2" && IsMonitorId(params[0], kServerDatabase)) {
    const absl::Status status = params.Size() == 2
                                    ? ReadServer(params[1], /*initial=*/false)
                                    : ovsdb::SyntaxError(params, "bad update2 notification");
    if (!status.ok()) return Fail(status);
    CheckServer();
  } else if (IsMonitorId(params[0], options_.database) && state_ == State::kMonitoring) {
    OnDataUpdate(message);
  }
}

void DbClient::OnDataUpdate(const JsonRpcMessage& message) {
  const Json& params = message.params();
  if (message.method() == "update3" && params.Size() == 3 && params[1].IsString()) {
    const std::optional<ovsdb::Uuid> txn_id = ovsdb::Uuid::Parse(ovsdb::StringView(params[1]));
    if (!txn_id) return Fail(ovsdb::SyntaxError(params[1], "bad update3 notification"));
    last_txn_id_ = *txn_id;
    Fail(handler_->OnUpdates(MonitorVersion::kV3, params[2], *txn_id));
  } else if (message.method() == "update2" && params.Size() == 2) {
    Fail(handler_->OnUpdates(MonitorVersion::kV2, params[1], ovsdb::Uuid()));
  } else if (message.method() == "update" && params.Size() == 2) {
    Fail(handler_->OnUpdates(MonitorVersion::kV1, params[1], ovsdb::Uuid()));
  }
}

void DbClient::TryAnother(absl::string_view why) {
  static base::RateLimit limit;
  log.Log(limit, base::LogLevel::kInfo, "%s: %s; trying another server", session_.name(), why);
  session_.ForceReconnect();
}

// Begins anew if the status is an error.
void DbClient::Fail(const absl::Status& status) {
  if (status.ok()) return;
  static base::RateLimit limit;
  log.Log(limit, base::LogLevel::kWarning, "%s: %s", session_.name(), ovsdb::ErrorText(status));
  Restart();
}

}  // namespace server

#include "server/client/db_client.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "absl/strings/ascii.h"
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

base::LogModule log("ovsdb_cs");

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
  return ovsdb::JsonText(reply.error(), ovsdb::JsonForm::kSorted);
}

bool IsUnknownDatabase(const JsonRpcMessage& reply) {
  const Json* error = ovsdb::FindMember(reply.error(), "error");
  return error != nullptr && error->IsString() && ovsdb::StringView(*error) == "unknown database";
}

// Whether a target's kind and a colon come first.
bool BeginsTarget(absl::string_view text) {
  const size_t colon = text.find(':');
  return colon != absl::string_view::npos && colon > 0 &&
         std::all_of(text.begin(), text.begin() + colon, absl::ascii_isalpha);
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
  int64_t Integer(absl::string_view column) const {
    const ovsdb::Datum& datum = Get(column);
    return datum.empty() ? 0 : datum.key(0).integer();
  }

 private:
  const ovsdb::Datum& Get(absl::string_view column) const {
    return row_.datum(schema_.FindColumn(column)->index);
  }

  const ovsdb::TableSchema& schema_;
  const ovsdb::Row& row_;
};

}  // namespace

std::vector<std::string> SplitRemotes(absl::string_view list) {
  std::vector<std::string> remotes;
  size_t begin = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    const absl::string_view rest = absl::StripLeadingAsciiWhitespace(list.substr(i + 1));
    if (list[i] != ',' || !BeginsTarget(rest)) continue;
    remotes.emplace_back(list.substr(begin, i - begin));
    begin = list.size() - rest.size();
  }
  remotes.emplace_back(list.substr(begin));
  return remotes;
}

DbClient::DbClient(const base::StreamContext& context, const Options& options,
                   ovsdb::UuidGenerator* uuids, Handler* handler)
    : context_(context),
      options_(options),
      uuids_(uuids),
      handler_(handler),
      server_(*ovsdb::DatabaseSchema::ParseText(schemas::kServer)) {
  Connect();
}

DbClient::~DbClient() = default;

void DbClient::Connect() {
  // So that the clients of a cluster spread over its members.
  std::vector<std::string> remotes = options_.remotes;
  std::shuffle(remotes.begin(), remotes.end(), std::minstd_rand(uuids_->Next().lo));
  base::RpcSession::Handler* const handler = this;
  session_ = std::make_unique<base::RpcSession>(context_, std::move(remotes), handler,
                                                std::numeric_limits<size_t>::max());
  TryAllOnce();
  ApplySettings();
}

// Who leads is found by asking around, which need not take a back-off for each that does not; but
// nor may servers that are of no use be asked without end.
void DbClient::TryAllOnce() {
  constexpr int64_t kOnceInMs = base::kDefaultMaxBackoffMs;
  const int64_t now = base::MonotonicMs();
  if (tried_all_ms_ && now - *tried_all_ms_ < kOnceInMs) return;
  tried_all_ms_ = now;
  session_->reconnect().SkipBackoff(options_.remotes.size() - 1);
}

void DbClient::ApplySettings() {
  base::Reconnect& reconnect = session_->reconnect();
  if (options_.probe_interval_ms) reconnect.SetProbeInterval(*options_.probe_interval_ms);
  if (options_.max_backoff_ms) {
    reconnect.SetBackoff(std::min(base::kDefaultMinBackoffMs, *options_.max_backoff_ms),
                         *options_.max_backoff_ms);
  }
  if (options_.dscp) session_->SetDscp(*options_.dscp);
  session_->Update();
}

void DbClient::SetOptions(const Options& options) {
  const bool elsewhere = options.remotes != options_.remotes;
  options_ = options;
  if (!elsewhere) return ApplySettings();
  OnDisconnected(absl::OkStatus());
  Connect();
}

void DbClient::Restart() {
  last_txn_id_ = {};
  session_->ForceReconnect();
}

void DbClient::Request(absl::string_view method, absl::string_view params, ReplyCallback callback) {
  const int64_t id = ++last_request_;
  requests_[id] = std::move(callback);
  session_->rpc()->Send(base::RequestText(method, params, absl::StrCat(id)));
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
      session_->rpc()->Send(base::ErrorReplyText(message->id(), "\"unknown method\""));
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

// Why this server will not do, in stock's words; empty if it will. Null: it lacks the database.
std::string DbClient::ReasonToLeave(const ovsdb::Row* row) {
  if (row == nullptr) return absl::StrCat("server does not have ", options_.database, " database");
  const DatabaseStatus status(server_.table(kDatabaseTable), *row);
  if (status.Text("model") != "clustered") return "";
  const char* problem = nullptr;
  if (status.Text("schema").empty()) {
    problem = "has not yet joined cluster";
  } else if (!status.Flag("connected")) {
    problem = "is disconnected from cluster";
  } else if (options_.leader_only && !status.Flag("leader")) {
    problem = "is not cluster leader";
  } else if (status.Integer("index") < min_index_) {
    problem = "has stale data";
  } else {
    min_index_ = status.Integer("index");
    return "";
  }
  return absl::StrCat("clustered database server ", problem, "; trying another server");
}

// Whether this server will do; begins to monitor the database if that is to be done.
void DbClient::CheckServer() {
  const ovsdb::Table& table = server_.table(kDatabaseTable);
  const ovsdb::Row* found = nullptr;
  table.ForEach([&](const ovsdb::Row& row) {
    if (DatabaseStatus(table, row).Text("name") == options_.database) found = &row;
  });
  if (found == nullptr) handler_->OnNoDatabase();
  const std::string reason = ReasonToLeave(found);
  if (!reason.empty()) return TryAnother(reason);
  const std::string schema_text = DatabaseStatus(table, *found).Text("schema");
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
            if (IsUnknownDatabase(*reply)) handler_->OnNoDatabase();
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
  TryAllOnce();
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
  if (message.method() == "locked" || message.method() == "stolen") {
    handler_->OnNotification(message);
  } else if (message.method() == "monitor_canceled") {
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
  log.Log(limit, base::LogLevel::kInfo, "%s: %s", session_->name(), why);
  session_->ForceReconnect();
}

// Begins anew if the status is an error.
void DbClient::Fail(const absl::Status& status) {
  if (status.ok()) return;
  static base::RateLimit limit;
  log.Log(limit, base::LogLevel::kWarning, "%s: %s", session_->name(), ovsdb::ErrorText(status));
  Restart();
}

}  // namespace server

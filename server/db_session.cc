#include "server/db_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "ovsdb/rbac.h"
#include "server/base/coverage.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/slow.h"
#include "server/hosted_database.h"

namespace server {
namespace {

base::LogModule log("ovsdb_jsonrpc_server");

// A client that is behind for so long is worth a line.
constexpr int64_t kSlowClientMs = 1000;

using ovsdb::Json;
using ovsdb::MonitorVersion;

// By which the ids of requests are told apart.
std::string IdKey(const Json& id) { return ovsdb::JsonText(id, ovsdb::JsonForm::kSorted); }

// The part of an answer before and after its result, for results that come in pieces.
ovsdb::Envelope ReplyEnvelope(const Json& id) {
  return {absl::StrCat("{\"id\":", base::ValueText(id), ",\"result\":"), ",\"error\":null}", true};
}

// The database's name, if that is what `params` begins with.
absl::string_view DatabaseName(const Json& params) {
  if (params.Empty() || !params[0].IsString()) return {};
  return ovsdb::StringView(params[0]);
}

}  // namespace

// Sessions

Sessions::Sessions(base::Loop* loop, Databases* databases, const ovsdb::Uuid& server_id)
    : loop_(loop), databases_(databases), server_id_(server_id), output_turns_(loop) {}

uint64_t Sessions::Register(DbSession* session) {
  by_id_[++last_id_] = session;
  return last_id_;
}

const DbSession* Sessions::LockOwner(absl::string_view lock) const {
  const std::optional<ovsdb::LockTable::Session> owner = locks_.OwnerOf(lock);
  const auto session = owner ? by_id_.find(*owner) : by_id_.end();
  return session == by_id_.end() ? nullptr : session->second;
}

void Sessions::SendNotices(const std::vector<ovsdb::LockTable::Notice>& notices) {
  for (const ovsdb::LockTable::Notice& notice : notices) {
    auto session = by_id_.find(notice.session);
    if (session == by_id_.end()) continue;
    std::string params = "[";
    ovsdb::AppendJsonString(notice.lock, &params);
    params += ']';
    const bool locked = notice.kind == ovsdb::LockTable::Notice::kLocked;
    session->second->output_.Send(base::NotifyText(locked ? "locked" : "stolen", params));
  }
}

void Sessions::Disconnect(absl::string_view reason, bool even_aware) {
  for (const auto& [id, session] : by_id_) {
    if (even_aware || !session->change_aware_) session->Disconnect(reason);
  }
}

void Sessions::Leave(HostedDatabase* database) {
  for (const auto& [id, session] : by_id_) session->LeaveMonitors(database);
}

void Sessions::AddMemoryUsage(base::MemoryUsage* usage) const {
  uint64_t backlog = 0;
  for (const auto& [id, session] : by_id_) backlog += session->output_.backlog();
  if (backlog > 0) (*usage)["backlog"] += backlog;
  if (!by_id_.empty()) (*usage)["sessions"] += by_id_.size();
}

// DbSession

DbSession::DbSession(Sessions* sessions, const base::StreamContext& context,
                     absl::string_view target, Options options)
    : sessions_(sessions),
      options_(std::move(options)),
      id_(sessions->Register(this)),
      conditions_enabled_(sessions->conditions_enabled()),
      output_(&sessions->output_turns_, [this] { UpdateReading(); }),
      rpc_(context, target, this) {}

DbSession::DbSession(Sessions* sessions, const base::StreamContext& context,
                     std::unique_ptr<base::Stream> accepted, Options options, EndedCallback ended)
    : sessions_(sessions),
      options_(std::move(options)),
      ended_(std::move(ended)),
      id_(sessions->Register(this)),
      conditions_enabled_(sessions->conditions_enabled()),
      output_(&sessions->output_turns_, [this] { UpdateReading(); }),
      rpc_(context, std::move(accepted), this) {
  output_.SetConnection(rpc_.rpc());
}

DbSession::~DbSession() {
  Reset();
  sessions_->Unregister(id_);
}

void DbSession::OnConnected() {
  conditions_enabled_ = sessions_->conditions_enabled();
  output_.SetConnection(rpc_.rpc());
}

void DbSession::OnDisconnected(const absl::Status& reason) {
  Reset();
  const EndedCallback ended = std::move(ended_);
  if (ended) ended(this);
}

// Forgets everything that belonged to the connection.
void DbSession::Reset() {
  if (behind_since_ms_ != 0) NoteCaughtUp("without reading what it was sent until it was gone");
  output_.SetConnection(nullptr);
  for (const auto& [id, held] : monitors_) held.database->Forget(this);
  monitors_.clear();
  for (const auto& [id, held] : requests_) held.database->executor().Abandon(this);
  requests_.clear();
  change_aware_ = false;
  std::vector<ovsdb::LockTable::Notice> notices;
  sessions_->locks_.Remove(id_, &notices);
  sessions_->SendNotices(notices);
  sessions_->Unregister(id_);
  id_ = sessions_->Register(this);
}

void DbSession::Disconnect(absl::string_view reason) {
  if (rpc_.rpc() == nullptr) return;
  log.Info("%s: disconnecting (%s)", rpc_.name(), reason);
  // In the next turn: what this one has to say still leaves.
  sessions_->loop()->Post([sessions = sessions_, id = id_] {
    auto session = sessions->by_id_.find(id);
    if (session != sessions->by_id_.end()) session->second->rpc_.ForceReconnect();
  });
}

void DbSession::LeaveMonitors(HostedDatabase* database) {
  database->Forget(this);
  absl::erase_if(monitors_, [&](const auto& entry) {
    const auto& [id, held] = entry;
    if (held.database != database) return false;
    output_.Remove(held.monitor.get());
    if (change_aware_) {
      output_.Send(base::NotifyText("monitor_canceled", absl::StrCat("[", id, "]")));
    }
    return true;
  });
}

void DbSession::UpdateReading() {
  if (rpc_.rpc() != nullptr) rpc_.rpc()->SetReading(output_.keeping_up());
  if (behind_since_ms_ == 0) return;
  NoteBehind();
  if (output_.keeping_up()) NoteCaughtUp("to read what it was sent");
}

void DbSession::NoteBehind() {
  if (behind_since_ms_ == 0) behind_since_ms_ = base::MonotonicMs();
  behind_bytes_ = std::max(behind_bytes_, output_.backlog());
}

void DbSession::NoteCaughtUp(absl::string_view how) {
  const int64_t took_ms = base::MonotonicMs() - std::exchange(behind_since_ms_, 0);
  const size_t bytes = std::exchange(behind_bytes_, 0);
  if (took_ms < kSlowClientMs) return;
  base::NoteSlow(base::SlowKind::kClient,
                 absl::StrCat(rpc_.name(), " took ", took_ms, " ms ", how, ", up to ", bytes,
                              " bytes at a time; updates for it were held back meanwhile"));
}

void DbSession::OnDrained() {
  output_.OnDrained();
  UpdateReading();
}

// Requests

void DbSession::OnMessage(std::unique_ptr<Message> message) {
  switch (message->type()) {
    case Message::Type::kRequest:
      HandleRequest(std::move(message));
      UpdateReading();
      break;
    case Message::Type::kNotify:
      if (message->method() == "cancel") Cancel(*message);
      break;
    case Message::Type::kReply:
    case Message::Type::kError:
      log.Warn("%s: received unexpected %s message", rpc_.name(),
               message->type() == Message::Type::kReply ? "reply" : "error");
      rpc_.ForceReconnect();
      break;
  }
}

void DbSession::HandleRequest(std::unique_ptr<Message> message) {
  const absl::string_view method = message->method();
  if (method == "transact") return Transact(std::move(message));

  using Method = void (DbSession::*)(const Message&);
  struct Entry {
    absl::string_view name;
    Method method;
    bool conditional = false;
  };
  static constexpr Entry kMethods[] = {
      {"monitor", &DbSession::MonitorV1},
      {"monitor_cond", &DbSession::MonitorV2, true},
      {"monitor_cond_since", &DbSession::MonitorV3, true},
      {"monitor_cond_change", &DbSession::ChangeMonitor},
      {"monitor_cancel", &DbSession::CancelMonitor},
      {"get_schema", &DbSession::GetSchema},
      {"list_dbs", &DbSession::ListDatabases},
      {"lock", &DbSession::ChangeLock},
      {"steal", &DbSession::ChangeLock},
      {"unlock", &DbSession::ChangeLock},
      {"convert", &DbSession::Convert},
      {"get_server_id", &DbSession::GetServerId},
      {"set_db_change_aware", &DbSession::SetChangeAware},
  };
  for (const Entry& entry : kMethods) {
    if (entry.name == method && (conditions_enabled_ || !entry.conditional)) {
      return (this->*entry.method)(*message);
    }
  }
  ReplyErrorText(message->id(), "unknown method");
}

void DbSession::Reply(const Json& id, absl::string_view result) {
  output_.Send(base::ReplyText(id, result));
}

void DbSession::ReplyError(const Json& id, const absl::Status& error) {
  std::string text;
  ovsdb::AppendError(error, &text);
  output_.Send(base::ErrorReplyText(id, text));
}

void DbSession::ReplyErrorText(const Json& id, absl::string_view error) {
  std::string text;
  ovsdb::AppendJsonString(error, &text);
  output_.Send(base::ErrorReplyText(id, text));
}

HostedDatabase* DbSession::FindDatabase(const Message& message) {
  const Json& params = message.params();
  const absl::string_view name = DatabaseName(params);
  if (name.data() == nullptr) {
    ReplyError(message.id(),
               ovsdb::SyntaxError(params, absl::StrCat(message.method(),
                                                       " request params must begin with "
                                                       "<db-name>")));
    return nullptr;
  }
  HostedDatabase* database = sessions_->databases()->Find(name);
  if (database == nullptr) {
    ReplyError(message.id(),
               ovsdb::ErrorAbout(
                   params, "unknown database",
                   absl::StrCat(message.method(), " request specifies unknown database ", name)));
    return nullptr;
  }
  if (!database->available()) {
    ReplyError(message.id(),
               ovsdb::Error("database not available",
                            absl::StrCat(message.method(), " request specifies database ", name,
                                         " which is not yet available because it has not "
                                         "completed joining its cluster")));
    return nullptr;
  }
  return database;
}

void DbSession::ListDatabases(const Message& message) {
  std::string names = "[";
  sessions_->databases()->ForEach([&](const HostedDatabase& database) {
    if (names.size() > 1) names += ',';
    ovsdb::AppendJsonString(database.name(), &names);
  });
  names += ']';
  Reply(message.id(), names);
}

void DbSession::GetSchema(const Message& message) {
  if (HostedDatabase* database = FindDatabase(message)) {
    Reply(message.id(), database->schema_text());
  }
}

void DbSession::GetServerId(const Message& message) {
  Reply(message.id(), absl::StrCat("\"", sessions_->server_id().ToString(), "\""));
}

void DbSession::SetChangeAware(const Message& message) {
  const Json& params = message.params();
  if (params.Size() != 1 || !params[0].IsBool()) {
    ReplyError(message.id(),
               ovsdb::SyntaxError(params, "set_db_change_aware: true or false parameter expected"));
    return;
  }
  change_aware_ = params[0].GetBool();
  Reply(message.id(), "{}");
}

// Transactions

void DbSession::Transact(std::unique_ptr<Message> message) {
  HostedDatabase* database = FindDatabase(*message);
  if (database == nullptr) return;
  auto request = std::make_unique<Request>();
  auto [held, inserted] =
      requests_.try_emplace(IdKey(message->id()), HeldRequest{database, request.get()});
  if (!inserted) {
    ReplyDuplicateId(*message);
    return;
  }
  request->client = this;
  request->message = std::move(message);
  request->read_only = options_.read_only || database->read_only();
  request->role = options_.role;
  if (!options_.role.empty()) request->client_id = rpc_.rpc()->stream()->PeerCommonName();
  database->executor().Submit(std::move(request));
}

void DbSession::ReplyDuplicateId(const Message& message) {
  ReplyError(message.id(),
             ovsdb::SyntaxError(message.params(),
                                absl::StrCat(message.method(), ": duplicate request ID")));
}

void DbSession::Cancel(const Message& message) {
  if (message.params().Size() != 1) return;
  auto held = requests_.find(IdKey(message.params()[0]));
  if (held != requests_.end()) held->second.database->executor().Cancel(held->second.request);
}

bool DbSession::OwnsLock(absl::string_view lock) const { return sessions_->locks_.Owns(id_, lock); }

void DbSession::OnHeld(Request* request) { output_.Hold(request); }

void DbSession::OnAnswer(Request* request, Answer answer) {
  const Json& id = request->message->id();
  std::string text =
      answer.is_error ? base::ErrorReplyText(id, answer.text) : base::ReplyText(id, answer.text);
  requests_.erase(IdKey(id));
  // Stock tells only those who follow changes of databases.
  if (answer.canceled && !change_aware_) return;
  output_.Fill(request, std::move(text));
}

// Monitors

void DbSession::MonitorV1(const Message& message) { StartMonitor(message, MonitorVersion::kV1); }
void DbSession::MonitorV2(const Message& message) { StartMonitor(message, MonitorVersion::kV2); }
void DbSession::MonitorV3(const Message& message) { StartMonitor(message, MonitorVersion::kV3); }

void DbSession::StartMonitor(const Message& message, MonitorVersion version) {
  HostedDatabase* database = FindDatabase(message);
  if (database == nullptr) return;
  absl::StatusOr<ovsdb::MonitorRequest> request =
      ovsdb::MonitorRequest::Parse(version, database->state().schema_ref(), message.params(),
                                   [&](absl::string_view id) { return monitors_.contains(id); });
  if (!request.ok()) {
    ReplyError(message.id(), request.status());
    return;
  }
  database->executor().Settle();
  const ovsdb::Uuid last_txn_id = request->last_txn_id;
  std::unique_ptr<ovsdb::Monitor> monitor =
      database->monitors().Add(*std::move(request), static_cast<MonitorOwner*>(this));

  ovsdb::Envelope envelope = ReplyEnvelope(message.id());
  std::optional<ovsdb::Change> missed;
  if (version == MonitorVersion::kV3) {
    missed = database->history().Since(last_txn_id);
    absl::StrAppend(&envelope.before, "[", missed ? "true" : "false", ",\"",
                    database->executor().storage().last_txn_id().ToString(), "\",");
    envelope.after = absl::StrCat("]", envelope.after);
  }
  output_.Send(missed ? monitor->Since(*std::move(missed), std::move(envelope))
                      : monitor->Initial(database->state(), std::move(envelope)));
  const std::string id = monitor->id();
  monitors_[id] = {database, std::move(monitor)};
}

void DbSession::ChangeMonitor(const Message& message) {
  const Json& params = message.params();
  absl::StatusOr<std::string> id = ovsdb::FilterRequest::MonitorOf(params);
  if (!id.ok()) return ReplyError(message.id(), id.status());
  auto held = monitors_.find(*id);
  if (held == monitors_.end()) {
    return ReplyError(message.id(), ovsdb::FilterRequest::UnknownMonitor(params));
  }
  HostedDatabase* database = held->second.database;
  ovsdb::Monitor* monitor = held->second.monitor.get();
  absl::StatusOr<ovsdb::FilterRequest> request = ovsdb::FilterRequest::Parse(
      *monitor->shape(), monitor->filters(), params,
      [&](absl::string_view new_id) { return monitors_.contains(new_id); });
  if (!request.ok()) return ReplyError(message.id(), request.status());

  database->executor().Settle();
  ovsdb::Envelope envelope = {ovsdb::UpdatePrefix(monitor->version(), request->new_id,
                                                  database->executor().storage().last_txn_id()),
                              "]}"};
  output_.Send(monitor->ChangeFilters(*std::move(request), database->state(), std::move(envelope)));
  Reply(message.id(), "{}");
  if (monitor->id() != *id) {
    HeldMonitor renamed = std::move(held->second);
    monitors_.erase(held);
    monitors_[monitor->id()] = std::move(renamed);
  }
}

void DbSession::CancelMonitor(const Message& message) {
  const Json& params = message.params();
  if (params.Size() != 1) return ReplyErrorText(message.id(), "invalid parameters");
  auto held = monitors_.find(ovsdb::MonitorId(params[0]));
  if (held == monitors_.end()) return ReplyErrorText(message.id(), "unknown monitor");
  output_.Remove(held->second.monitor.get());
  monitors_.erase(held);
  Reply(message.id(), "{}");
}

void DbSession::Deliver(const ovsdb::Delivery& delivery, const ovsdb::Uuid& txn_id) {
  const ovsdb::Monitor& monitor = *delivery.monitor;
  output_.Send(ovsdb::UpdatePrefix(monitor.version(), monitor.id(), txn_id), delivery.updates,
               "]}");
}

void DbSession::PauseMonitors(HostedDatabase* database) {
  NoteBehind();
  for (const auto& [id, held] : monitors_) {
    ovsdb::Monitor* monitor = held.monitor.get();
    if (held.database != database || monitor->paused()) continue;
    monitor->Pause(database->state().TakeSnapshot());
    output_.SendLater(monitor, [database, monitor] {
      database->executor().Settle();
      return monitor->Resume(database->state().TakeSnapshot(),
                             {ovsdb::UpdatePrefix(monitor->version(), monitor->id(),
                                                  database->executor().storage().last_txn_id()),
                              "]}"});
    });
  }
  UpdateReading();
}

// Locks and conversion

void DbSession::ChangeLock(const Message& message) {
  if (options_.read_only) {
    return ReplyErrorText(message.id(),
                          "lock and unlock methods not allowed, DB server is read only.");
  }
  std::string result;
  std::vector<ovsdb::LockTable::Notice> notices;
  ovsdb::LockTable& locks = sessions_->locks_;
  const Json& params = message.params();
  const absl::Status status = message.method() == "lock" ? locks.Lock(id_, params, &result)
                              : message.method() == "steal"
                                  ? locks.Steal(id_, params, &result, &notices)
                                  : locks.Unlock(id_, params, &result, &notices);
  if (!status.ok()) return ReplyError(message.id(), status);
  Reply(message.id(), result);
  sessions_->SendNotices(notices);
}

void DbSession::Convert(const Message& message) {
  HostedDatabase* database = FindDatabase(message);
  if (database == nullptr) return;
  if (requests_.contains(IdKey(message.id()))) return ReplyDuplicateId(message);
  const Json& params = message.params();
  absl::Status refused;
  if (!options_.role.empty()) {
    const std::string client = rpc_.rpc()->stream()->PeerCommonName();
    refused = ovsdb::ConvertDenied(options_.role, client, database->name());
  } else if (options_.read_only || database->read_only()) {
    refused = ovsdb::Error(
        ovsdb::kNotAllowed,
        absl::StrCat("conversion is not allowed for read-only database ", database->name()));
  } else if (params.Size() != 2) {
    refused = ovsdb::SyntaxError(params, "array expected");
  }
  if (!refused.ok()) return ReplyError(message.id(), refused);

  absl::StatusOr<ovsdb::SchemaRef> schema = ovsdb::DatabaseSchema::Parse(params[1]);
  if (!schema.ok()) return ReplyError(message.id(), schema.status());
  if ((*schema)->name != database->name()) {
    return ReplyError(message.id(),
                      ovsdb::Error("invalid parameters",
                                   absl::StrFormat("new schema name (%s) does not match database "
                                                   "name (%s)",
                                                   (*schema)->name, database->name())));
  }
  const auto wanted = [sessions = sessions_, session_id = id_] {
    return sessions->by_id_.contains(session_id);
  };
  const auto answer = [sessions = sessions_, session_id = id_,
                       id = base::ValueText(message.id())](const absl::Status& status) {
    auto session = sessions->by_id_.find(session_id);
    if (session == sessions->by_id_.end()) return;
    std::string text;
    if (!status.ok()) ovsdb::AppendError(status, &text);
    session->second->output_.Send(status.ok() ? base::ReplyText(id, "{}")
                                              : base::ErrorReplyText(id, text));
  };
  database->Convert(*std::move(schema), wanted, answer);
}

}  // namespace server

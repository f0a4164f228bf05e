// One JSON-RPC client of the databases: its monitors, its requests under way, its locks (RFC 7047
// section 4, ovsdb-server(7)).
#ifndef SERVER_DB_SESSION_H_
#define SERVER_DB_SESSION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/locks.h"
#include "ovsdb/monitor_index.h"
#include "server/base/rpc_session.h"
#include "server/databases.h"
#include "server/executor.h"
#include "server/session_output.h"

namespace server {

class DbSession;

// What the sessions of a server have in common.
class Sessions {
 public:
  Sessions(base::Loop* loop, Databases* databases, const ovsdb::Uuid& server_id);

  base::Loop* loop() const { return loop_; }
  Databases* databases() const { return databases_; }
  ovsdb::LockTable& locks() { return locks_; }
  const ovsdb::Uuid& server_id() const { return server_id_; }
  bool conditions_enabled() const { return conditions_enabled_; }
  // Hides monitor_cond and its kin from sessions to come.
  void DisableConditions() { conditions_enabled_ = false; }

  void SendNotices(const std::vector<ovsdb::LockTable::Notice>& notices);
  // Ends all connections, saying why in the log. With `even_aware` unset, those of clients that
  // follow changes of databases by themselves stay.
  void Disconnect(absl::string_view reason, bool even_aware);
  // `database` goes, or its schema: ends its monitors.
  void Leave(HostedDatabase* database);
  size_t count() const { return by_id_.size(); }
  const DbSession* LockOwner(absl::string_view lock) const;  // Null: nobody has it.
  template <typename F>                                      // f(const DbSession&), in no order.
  void ForEach(F&& f) const {
    for (const auto& [id, session] : by_id_) f(*session);
  }
  void AddMemoryUsage(base::MemoryUsage* usage) const;

 private:
  friend class DbSession;
  uint64_t Register(DbSession* session);
  void Unregister(uint64_t id) { by_id_.erase(id); }

  base::Loop* loop_;
  Databases* databases_;
  ovsdb::Uuid server_id_;
  ovsdb::LockTable locks_;
  OutputTurns output_turns_;
  absl::flat_hash_map<uint64_t, DbSession*> by_id_;
  uint64_t last_id_ = 0;
  bool conditions_enabled_ = true;
};

// Loop thread only.
class DbSession final : public ovsdb::MonitorOwner,
                        private Request::Client,
                        private base::RpcSession::Handler {
 public:
  struct Options {
    bool read_only = false;
    std::string role;
  };

  // Called when an accepted connection has ended: the session should be destroyed.
  using EndedCallback = std::function<void(DbSession*)>;

  // A session that connects to `target`, for ever.
  DbSession(Sessions* sessions, const base::StreamContext& context, absl::string_view target,
            Options options);
  // The session of an accepted connection.
  DbSession(Sessions* sessions, const base::StreamContext& context,
            std::unique_ptr<base::Stream> accepted, Options options, EndedCallback ended);
  ~DbSession() override;
  DbSession(const DbSession&) = delete;
  DbSession& operator=(const DbSession&) = delete;

  base::RpcSession& rpc() { return rpc_; }
  const base::RpcSession& rpc() const { return rpc_; }
  ovsdb::LockTable::Names lock_names() const { return sessions_->locks_.NamesOf(id_); }

  // Sends an update of `delivery.monitor`, which is this session's.
  void Deliver(const ovsdb::Delivery& delivery, const ovsdb::Uuid& txn_id);
  size_t backlog() const { return output_.backlog(); }  // SessionOutput::backlog().
  size_t monitor_count() const { return monitors_.size(); }
  size_t request_count() const { return requests_.size(); }  // Not answered yet.
  int64_t since_ms() const { return since_ms_; }             // base::MonotonicMs().

  // It has much to read before it is up to date.
  bool lagging() const { return output_.backlog() > SessionOutput::kHighWater; }
  // Stops updates of the monitors of `database` until the client has caught up.
  void PauseMonitors(HostedDatabase* database);

 private:
  friend class Sessions;
  struct HeldMonitor {
    HostedDatabase* database;
    std::unique_ptr<ovsdb::Monitor> monitor;
  };
  struct HeldRequest {
    HostedDatabase* database;
    Request* request;
  };
  using Message = base::JsonRpcMessage;

  // base::RpcSession::Handler
  void OnConnected() override;
  void OnMessage(std::unique_ptr<Message> message) override;
  void OnDrained() override;
  void OnDisconnected(const absl::Status& reason) override;

  // Request::Client
  bool OwnsLock(absl::string_view lock) const override;
  std::string ClientName() const override { return rpc_.name(); }
  void OnHeld(Request* request) override;
  void OnAnswer(Request* request, Answer answer) override;

  void HandleRequest(std::unique_ptr<Message> message);
  void Transact(std::unique_ptr<Message> message);
  void Cancel(const Message& message);
  void ListDatabases(const Message& message);
  void GetSchema(const Message& message);
  void GetServerId(const Message& message);
  void SetChangeAware(const Message& message);
  void MonitorV1(const Message& message);
  void MonitorV2(const Message& message);
  void MonitorV3(const Message& message);
  void StartMonitor(const Message& message, ovsdb::MonitorVersion version);
  void ChangeMonitor(const Message& message);
  void CancelMonitor(const Message& message);
  void ChangeLock(const Message& message);
  void Convert(const Message& message);

  // The database that the first parameter names; null and answered if there is none.
  HostedDatabase* FindDatabase(const Message& message);
  void Reply(const rapidjson::Value& id, absl::string_view result);
  void ReplyError(const rapidjson::Value& id, const absl::Status& error);
  void ReplyErrorText(const rapidjson::Value& id, absl::string_view error);
  void ReplyDuplicateId(const Message& message);
  void Disconnect(absl::string_view reason);
  void LeaveMonitors(HostedDatabase* database);
  void Reset();
  void UpdateReading();
  void NoteBehind();
  void NoteCaughtUp(absl::string_view how);

  Sessions* sessions_;
  Options options_;
  EndedCallback ended_;
  uint64_t id_;  // Of the connection.
  bool change_aware_ = false;
  bool conditions_enabled_;
  absl::flat_hash_map<std::string, HeldMonitor> monitors_;  // By MonitorId.
  absl::flat_hash_map<std::string, HeldRequest> requests_;  // By the request's id as sorted JSON.
  int64_t behind_since_ms_ = 0;  // When its monitors were paused; 0: they are not.
  size_t behind_bytes_ = 0;      // The most that it had to read meanwhile.
  const int64_t since_ms_ = base::MonotonicMs();
  SessionOutput output_;
  base::RpcSession rpc_;
};

}  // namespace server

#endif  // SERVER_DB_SESSION_H_

// A client of one database on another server: it keeps a replica informed of its contents, and
// sends it requests. It connects again after failures, to one server after the other if there are
// several, and asks for no more than what was missed where the server can tell.
//
// The order of things on every connection: the `_Server` database says whether this server will do
// and what the schema is (ovsdb-server(5)); the handler says what to monitor; contents, then
// updates. Servers that lack `_Server`, monitor_cond_since or monitor_cond are asked in older ways.
#ifndef SERVER_DB_CLIENT_H_
#define SERVER_DB_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/database.h"
#include "ovsdb/json.h"
#include "ovsdb/update_json.h"
#include "ovsdb/uuid.h"
#include "server/base/rpc_session.h"

namespace server {

// Loop thread only.
class DbClient final : private base::RpcSession::Handler {
 public:
  struct Options {
    std::string database;
    std::vector<std::string> remotes;  // One or more active targets.
    bool leader_only = false;          // Of a cluster only the leader will do.
    std::optional<int> probe_interval_ms;
    std::optional<int> max_backoff_ms;
    std::optional<int> dscp;
  };

  // Told what the server says. None of these may destroy the client.
  class Handler {
   public:
    virtual void OnConnected() {}
    // The database's schema, before the contents of every connection. Returns the
    // <monitor-requests> (RFC 7047 section 4.1.5) for whole tables, or nothing not to ask for
    // contents on this connection.
    virtual std::optional<std::string> OnSchema(const ovsdb::Json& schema) = 0;
    // All rows as of now, or what has changed since, with the name of the state that it leads to.
    // An error has the client connect again and ask for everything.
    virtual absl::Status OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                    const ovsdb::Uuid& txn_id) = 0;
    virtual absl::Status OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                   const ovsdb::Uuid& txn_id) = 0;
    // The server does not have the database.
    virtual void OnNoDatabase() {}
    virtual void OnDisconnected() {}

   protected:
    ~Handler() = default;
  };

  // The reply to a request; null if the connection ended before it came.
  using ReplyCallback = std::function<void(const base::JsonRpcMessage* reply)>;

  // `uuids` and `handler` outlive this.
  DbClient(const base::StreamContext& context, const Options& options, ovsdb::UuidGenerator* uuids,
           Handler* handler);
  ~DbClient() override;
  DbClient(const DbClient&) = delete;
  DbClient& operator=(const DbClient&) = delete;

  bool connected() const { return session_.connected(); }
  // The handler has the contents, and is told of all that changes.
  bool monitoring() const { return state_ == State::kMonitoring; }
  const std::string& remote() const { return session_.name(); }  // The present or the last one.

  // Sends a request. Requires connected(). `params` is a JSON text.
  void Request(absl::string_view method, absl::string_view params, ReplyCallback callback);

  void SetProbeInterval(int ms);
  // Connects again, and asks for all contents.
  void Restart();

 private:
  enum class State { kStarting, kAsked, kMonitoring };

  void OnConnected() override;
  void OnMessage(std::unique_ptr<base::JsonRpcMessage> message) override;
  void OnDisconnected(const absl::Status& reason) override;

  void AskServer();
  void MonitorServer(const ovsdb::Json& server_schema);
  absl::Status ReadServer(const ovsdb::Json& updates, bool initial);
  void CheckServer();
  void AskSchema();
  void StartMonitor(const ovsdb::Json& schema);
  void SendMonitor();
  void OnMonitorReply(const base::JsonRpcMessage& reply);
  void OnNotification(const base::JsonRpcMessage& message);
  void OnDataUpdate(const base::JsonRpcMessage& message);
  void TryAnother(absl::string_view why);
  void Fail(const absl::Status& status);
  void CancelRequests();

  const Options options_;
  ovsdb::UuidGenerator* const uuids_;
  Handler* const handler_;
  State state_ = State::kStarting;
  ovsdb::MonitorVersion version_ = ovsdb::MonitorVersion::kV3;
  std::string server_schema_text_;  // What `_Server` told last.
  std::string schema_text_;         // Of the contents.
  std::string monitor_requests_;
  ovsdb::Uuid last_txn_id_;  // Of the handler's contents; zero if unknown.
  ovsdb::Database server_;   // Replica of `_Server`, in this server's schema.
  int64_t last_request_ = 0;
  absl::flat_hash_map<int64_t, ReplyCallback> requests_;
  base::RpcSession session_;
};

}  // namespace server

#endif  // SERVER_DB_CLIENT_H_

// A client of one database on another server: it keeps a replica informed of the contents, and
// sends requests. It connects again after failures, to one server after the other if there are
// several, and asks for no more than what was missed where the server can tell.
//
// The order of things on every connection: the `_Server` database says whether this server will do
// and what the schema is (ovsdb-server(5)); the handler says what to monitor; contents, then
// updates. When the schema changes it begins anew with OnSchema. Servers that lack `_Server`,
// monitor_cond_since or monitor_cond are asked in older ways.
//
// Of a cluster, a member will do if it is in touch with the others, is not behind what was seen
// before and, if so wished, is the leader.
#ifndef SERVER_CLIENT_DB_CLIENT_H_
#define SERVER_CLIENT_DB_CLIENT_H_

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

// The targets of a list as options have it. A comma separates two if a target's kind and a colon
// follow, for it may be part of a file's name, too. At least one target, maybe an empty one.
std::vector<std::string> SplitRemotes(absl::string_view list);

// Loop thread only.
class DbClient final : private base::RpcSession::Handler {
 public:
  struct Options {
    std::string database;
    // Active targets, one or more, asked in a random order. A malformed one is an attempt that
    // fails.
    std::vector<std::string> remotes;
    bool leader_only = false;              // Of a cluster only the leader will do.
    std::optional<int> probe_interval_ms;  // 0: no probes. Unset: 5000, none for unix sockets.
    std::optional<int> max_backoff_ms;     // Unset: 8000.
    std::optional<int> dscp;               // 0..63. Unset: 48.
  };

  // Told what the server says. None of these may destroy the client or change its options.
  class Handler {
   public:
    virtual void OnConnected() {}
    // The server will do. The database's schema, before the contents, whether it is known already
    // or not. Returns the <monitor-requests> (RFC 7047 section 4.1.5) for whole tables, or nothing
    // not to ask for contents on this connection.
    virtual std::optional<std::string> OnSchema(const ovsdb::Json& schema) = 0;
    // All rows as of now, or what has changed since, with the name of the state that it leads to.
    // An error has the client connect again and ask for everything.
    virtual absl::Status OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                    const ovsdb::Uuid& txn_id) = 0;
    virtual absl::Status OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                                   const ovsdb::Uuid& txn_id) = 0;
    // Any other notification: of locks (RFC 7047 section 4.1.9), say.
    virtual void OnNotification(const base::JsonRpcMessage& message) {}
    // The server does not have the database; another one will be tried.
    virtual void OnNoDatabase() {}
    // The connection has ended, or could not be made.
    virtual void OnDisconnected() {}

   protected:
    ~Handler() = default;
  };

  // The reply to a request; null if the connection ended before it came: nobody knows then whether
  // the server has done it.
  using ReplyCallback = std::function<void(const base::JsonRpcMessage* reply)>;

  // Begins to connect in the next turn. `uuids` and `handler` outlive this.
  DbClient(const base::StreamContext& context, const Options& options, ovsdb::UuidGenerator* uuids,
           Handler* handler);
  // Requests under way are not answered.
  ~DbClient() override;
  DbClient(const DbClient&) = delete;
  DbClient& operator=(const DbClient&) = delete;

  bool connected() const { return session_->connected(); }
  // The handler has the contents, and is told of all that changes.
  bool monitoring() const { return state_ == State::kMonitoring; }
  const std::string& remote() const { return session_->name(); }  // The present or the last one.

  // Sends a request. Requires connected(). `params` is the JSON text of an array. The callback may
  // send further requests.
  void Request(absl::string_view method, absl::string_view params, ReplyCallback callback);

  // Other settings of the connection, for the same database. If the remotes differ, the connection
  // is given up for one to them.
  void SetOptions(const Options& options);
  // Forgets how far a cluster's log was seen to go: one that is behind that will do.
  void ForgetClusterState() { min_index_ = 0; }
  // Connects again, and asks for all contents.
  void Restart();

 private:
  enum class State { kStarting, kAsked, kMonitoring };

  void OnConnected() override;
  void OnMessage(std::unique_ptr<base::JsonRpcMessage> message) override;
  void OnDisconnected(const absl::Status& reason) override;

  void Connect();
  void ApplySettings();
  void AskServer();
  void MonitorServer(const ovsdb::Json& server_schema);
  absl::Status ReadServer(const ovsdb::Json& updates, bool initial);
  std::string ReasonToLeave(const ovsdb::Row* status);
  void CheckServer();
  void AskSchema();
  void StartMonitor(const ovsdb::Json& schema);
  void SendMonitor();
  void OnMonitorReply(const base::JsonRpcMessage& reply);
  void OnNotification(const base::JsonRpcMessage& message);
  void OnDataUpdate(const base::JsonRpcMessage& message);
  void TryAnother(absl::string_view why);
  void TryAllOnce();
  void Fail(const absl::Status& status);
  void CancelRequests();

  const base::StreamContext context_;
  Options options_;
  ovsdb::UuidGenerator* const uuids_;
  Handler* const handler_;
  State state_ = State::kStarting;
  ovsdb::MonitorVersion version_ = ovsdb::MonitorVersion::kV3;
  std::string server_schema_text_;  // What `_Server` told last.
  std::string schema_text_;         // Of the contents.
  std::string monitor_requests_;
  ovsdb::Uuid last_txn_id_;              // Of the handler's contents; zero if unknown.
  ovsdb::Database server_;               // Replica of `_Server`, in this server's schema.
  int64_t min_index_ = 0;                // A cluster's log as far as it was seen.
  std::optional<int64_t> tried_all_ms_;  // When all remotes could be tried without waiting.
  int64_t last_request_ = 0;
  absl::flat_hash_map<int64_t, ReplyCallback> requests_;
  std::unique_ptr<base::RpcSession> session_;
};

}  // namespace server

#endif  // SERVER_CLIENT_DB_CLIENT_H_

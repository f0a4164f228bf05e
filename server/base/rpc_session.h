// A JSON-RPC connection that is kept up: active targets are connected again after backing off, and
// both active and accepted connections are probed when silent. Loop thread only.
#ifndef SERVER_BASE_RPC_SESSION_H_
#define SERVER_BASE_RPC_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/base/jsonrpc.h"
#include "server/base/loop.h"
#include "server/base/reconnect.h"

namespace base {

class RpcSession : private JsonRpc::Handler {
 public:
  // Callbacks may destroy the session. None comes from within a call of the owner.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnConnected() {}  // Not for accepted streams, which are connected already.
    virtual void OnMessage(std::unique_ptr<JsonRpcMessage> message) = 0;
    virtual void OnDrained() {}
    // The connection is gone, or an attempt to connect failed; OK if we ended it (no answer to a
    // probe, ForceReconnect). An active session goes on by itself; that of an accepted stream is
    // over and should be destroyed.
    virtual void OnDisconnected(const absl::Status& reason) = 0;
  };

  // Keeps a connection to `target` up, beginning in the next turn. A malformed target is an attempt
  // that fails, again and again. Probes are off for unix sockets until set.
  RpcSession(const StreamContext& context, absl::string_view target, Handler* handler,
             size_t max_frame = kMaxClientFrame);
  // Keeps a connection to one of `targets` up: each attempt is for the next one in turn.
  RpcSession(const StreamContext& context, std::vector<std::string> targets, Handler* handler,
             size_t max_frame = kMaxClientFrame);
  // Serves an accepted stream until it ends. Probes are on until set.
  RpcSession(const StreamContext& context, std::unique_ptr<Stream> accepted, Handler* handler,
             size_t max_frame = kMaxClientFrame);
  ~RpcSession() override;
  RpcSession(const RpcSession&) = delete;
  RpcSession& operator=(const RpcSession&) = delete;

  // Null while not connected. The pointer is valid until OnDisconnected.
  JsonRpc* rpc() { return connected_ ? rpc_.get() : nullptr; }
  bool connected() const { return connected_; }

  // For its settings and state; call Update() after a change.
  Reconnect& reconnect() { return reconnect_; }
  const Reconnect& reconnect() const { return reconnect_; }
  void Update();
  // Of connections that we make; a live one is made anew if this is a change.
  void SetDscp(int dscp);
  // Drops the connection; active sessions connect again.
  void ForceReconnect();
  // The newest reason why it was or could not be connected; OK if there is none.
  const absl::Status& last_error() const { return last_error_; }
  const std::string& name() const { return reconnect_.name(); }

 private:
  void OnConnected() override;
  void OnMessage(std::unique_ptr<JsonRpcMessage> message) override;
  void OnActivity() override;
  void OnDrained() override;
  void OnClosed(const absl::Status& reason) override;
  void Run();
  void Connect();
  void Disconnect(const absl::Status& reason);

  StreamContext context_;
  Handler* handler_;
  size_t max_frame_;
  std::vector<std::string> targets_;  // Empty for accepted streams.
  size_t next_target_ = 0;
  int dscp_ = kDefaultDscp;
  Reconnect reconnect_;
  std::unique_ptr<JsonRpc> rpc_;
  bool connected_ = false;
  absl::Status last_error_;
  Timer timer_;
};

}  // namespace base

#endif  // SERVER_BASE_RPC_SESSION_H_

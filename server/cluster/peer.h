// One connection between two members of a cluster: JSON-RPC notifications that carry messages.
#ifndef SERVER_CLUSTER_PEER_H_
#define SERVER_CLUSTER_PEER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/message.h"
#include "server/base/rpc_session.h"
#include "server/base/stream.h"

namespace server {

// Loop thread only.
class Peer final : private base::RpcSession::Handler {
 public:
  class Owner {
   public:
    virtual void OnConnected(
        Peer* peer) = 0;  // Not of accepted ones, which are from the beginning.
    // Of this cluster, to this server, and always from the same one.
    virtual void OnMessage(Peer* peer, const raft::Message& message) = 0;
    // id() is still that of the connection that was. An accepted one is to be destroyed.
    virtual void OnDisconnected(Peer* peer) = 0;
    // Who this server is; the cluster's id is zero until it is known.
    virtual raft::ClusterId cluster_id() const = 0;
    virtual raft::ServerId server_id() const = 0;

   protected:
    ~Owner() = default;
  };

  // What may wait to be sent before the connection is dropped: a peer that does not read has to
  // start anew. Looked at only above kMinBacklogMessages.
  struct BacklogLimit {
    size_t messages = 500;
    size_t bytes = UINT32_MAX;
  };
  static constexpr size_t kMinBacklogMessages = 50;

  // Keeps a connection up to where a member listens.
  Peer(const base::StreamContext& context, const std::string& address, Owner* owner);
  // Serves one that was accepted.
  Peer(const base::StreamContext& context, std::unique_ptr<base::Stream> accepted, Owner* owner);
  ~Peer() override;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  const std::string& address() const { return address_; }  // Empty for accepted ones.
  bool incoming() const { return address_.empty(); }
  const std::string& name() const { return session_.name(); }  // Of the connection, for people.
  bool connected() const { return session_.connected(); }
  const raft::ServerId& id() const { return id_; }  // Zero: not known yet.
  // Of OnDisconnected: whether there was a connection, not an attempt at one.
  bool was_connected() const { return was_connected_; }
  // Bytes not yet taken by the kernel.
  size_t backlog() { return connected() ? session_.rpc()->backlog() : 0; }

  void SetProbeInterval(int64_t ms);

  // These require connected().
  void Send(const raft::Message& message, const BacklogLimit& limit);
  // What was sent leaves now, not at the end of the turn.
  void Flush() { session_.rpc()->Flush(); }
  // Sends a snapshot, whose data are the concatenation of `data`. Either as stock knows it, in one
  // message; or to one of our kind piece by piece, so that it does not hold up what is sent later.
  void SendSnapshot(raft::Message message, std::vector<base::SharedText> data, bool in_pieces);

 private:
  // A snapshot that leaves in pieces.
  struct Large {
    std::deque<base::SharedText> data;
    raft::Message message;  // Behind them.
  };

  void OnConnected() override;
  void OnMessage(std::unique_ptr<base::JsonRpcMessage> message) override;
  void OnDrained() override { SendPiece(); }
  void OnDisconnected(const absl::Status& reason) override;

  void SendPiece();
  void TakePiece(const rapidjson::Value& params);
  void ParseAside(std::unique_ptr<base::JsonRpcMessage> message);
  void TakeSnapshot(raft::Message message);
  void Take(absl::StatusOr<raft::Message> parsed);
  absl::Status Check(const raft::Message& message);

  const base::StreamContext context_;
  const std::string address_;
  Owner* const owner_;
  raft::ServerId id_;
  bool was_connected_;
  base::RpcSession session_;
  std::deque<Large> large_;                                     // To be sent, oldest first.
  std::vector<std::string> pieces_;                             // Received.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // This connection.
};

}  // namespace server

#endif  // SERVER_CLUSTER_PEER_H_

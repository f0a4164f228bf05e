// The connections between the members of one clustered database.
//
// Each member listens at its address and keeps a connection up to every other one; a message goes
// over whichever of the two there is. Messages between two members keep their order, but for
// snapshots: what is sent later may overtake them.
#ifndef SERVER_CLUSTER_PEERS_H_
#define SERVER_CLUSTER_PEERS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "raft/message.h"
#include "raft/server.h"
#include "server/base/listener.h"
#include "server/cluster/peer.h"

namespace server {

// Loop thread only.
class Peers final : private Peer::Owner {
 public:
  class Handler {
   public:
    // A connection to `address` was made.
    virtual void OnPeerConnected(const std::string& address) = 0;
    // Of this cluster, to this server.
    virtual void OnPeerMessage(const raft::Message& message) = 0;
    // Who this server is; the cluster's id is zero until it is known.
    virtual raft::ClusterId cluster_id() const = 0;
    virtual raft::ServerId server_id() const = 0;

   protected:
    ~Handler() = default;
  };

  struct Connection {
    raft::ServerId id;    // Zero: not known yet.
    std::string address;  // Empty for incoming ones.
    bool incoming = false;
    bool connected = false;
  };

  Peers(const base::StreamContext& context, Handler* handler);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Listens at a member's address: tcp:IP:PORT, ssl:IP:PORT or unix:FILE. Tried again for as long
  // as it fails.
  void Listen(const std::string& address);

  // Keeps connections up to these addresses and to no others.
  void SetAddresses(const std::vector<std::string>& addresses);
  void SetProbeInterval(int64_t ms);
  void SetBacklogLimit(const Peer::BacklogLimit& limit) { limit_ = limit; }

  void Send(const raft::Outgoing& outgoing);
  // What was sent leaves now, not at the end of the turn.
  void Flush();
  // Sends an InstallSnapshotRequest, whose data are the concatenation of `data`. False: the member
  // is not connected.
  bool SendSnapshot(const raft::Outgoing& outgoing, std::vector<base::SharedText> data);

  std::vector<Connection> connections() const;
  uint64_t n_disconnections() const { return n_disconnections_; }
  size_t backlog_bytes() const;

 private:
  // Peer::Owner
  void OnConnected(Peer* peer) override { handler_->OnPeerConnected(peer->address()); }
  void OnMessage(Peer* peer, const raft::Message& message) override;
  void OnDisconnected(Peer* peer) override;
  raft::ClusterId cluster_id() const override { return handler_->cluster_id(); }
  raft::ServerId server_id() const override { return handler_->server_id(); }

  void Accept(std::unique_ptr<base::Stream> stream);
  void TryToListen();
  void LookForKeys();
  Peer* FindConnected(const raft::Outgoing& outgoing) const;

  const base::StreamContext context_;
  Handler* handler_;
  std::string address_;  // Where to listen.
  std::unique_ptr<base::Listener> listener_;
  base::Timer listen_timer_;
  base::Timer keys_timer_;
  std::map<std::string, std::unique_ptr<Peer>> outgoing_;  // By address.
  std::list<std::unique_ptr<Peer>> incoming_;
  std::set<raft::ServerId> kindred_;  // Those connected that are of our kind.
  Peer::BacklogLimit limit_;
  int64_t probe_ms_;
  uint64_t n_disconnections_ = 0;
};

}  // namespace server

#endif  // SERVER_CLUSTER_PEERS_H_

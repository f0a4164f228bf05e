// The connections between the members of one clustered database.
//
// Each member listens at its address and keeps a connection up to every other one; a message goes
// over whichever of the two there is. JSON-RPC notifications carry them. Large ones go in pieces
// where the other side is of our kind: they do not keep their place among the others then.
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

#include "absl/status/status.h"
#include "raft/message.h"
#include "raft/server.h"
#include "server/base/listener.h"
#include "server/base/rpc_session.h"

namespace server {

// Loop thread only.
class Peers {
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

  // What may wait to be sent to one peer before its connection is dropped: a peer that does not
  // read has to start anew. Looked at only above kMinBacklogMessages.
  struct BacklogLimit {
    size_t messages = 500;
    size_t bytes = UINT32_MAX;
  };
  static constexpr size_t kMinBacklogMessages = 50;

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
  void SetBacklogLimit(const BacklogLimit& limit) { limit_ = limit; }

  void Send(const raft::Outgoing& outgoing);
  // The same in two steps, for messages that are large. The text can be made on any thread.
  static base::SharedText TextOf(const raft::Message& message);
  void SendText(const std::string& address, const raft::ServerId& to, base::SharedText text);

  std::vector<Connection> connections() const;
  uint64_t n_disconnections() const { return n_disconnections_; }
  size_t backlog_bytes() const;

 private:
  class Peer;

  void Accept(std::unique_ptr<base::Stream> stream);
  void TryToListen();
  void Remove(Peer* peer);
  Peer* FindConnected(const std::string& address, const raft::ServerId& to) const;

  const base::StreamContext context_;
  Handler* handler_;
  std::string address_;  // Where to listen.
  std::unique_ptr<base::Listener> listener_;
  base::Timer listen_timer_;
  std::map<std::string, std::unique_ptr<Peer>> outgoing_;  // By address.
  std::list<std::unique_ptr<Peer>> incoming_;
  std::set<raft::ServerId> kindred_;  // Those connected that take messages in fragments.
  BacklogLimit limit_;
  int64_t probe_ms_;
  uint64_t n_disconnections_ = 0;
};

}  // namespace server

#endif  // SERVER_CLUSTER_PEERS_H_

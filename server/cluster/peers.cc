#include "server/cluster/peers.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "raft/message_json.h"
#include "server/base/log.h"

namespace server {
namespace {

using base::JsonRpcMessage;

base::LogModule log("raft");

constexpr int64_t kListenAgainMs = 1000;
constexpr size_t kMaxIncoming = 256;

// The passive form of an address: ptcp:PORT:IP for tcp:IP:PORT, punix:FILE for unix:FILE.
std::string PassiveTarget(const std::string& address) {
  const size_t kind = address.find(':');
  const size_t port = address.rfind(':');
  if (absl::StartsWith(address, "unix:") || port == kind) return absl::StrCat("p", address);
  return absl::StrCat("p", address.substr(0, kind), address.substr(port), ":",
                      address.substr(kind + 1, port - kind - 1));
}

}  // namespace

// One connection.
class Peers::Peer final : private base::RpcSession::Handler {
 public:
  Peer(Peers* owner, const std::string& address)
      : owner_(owner),
        address_(address),
        session_(owner->context_, address, this, std::numeric_limits<size_t>::max()) {
    session_.reconnect().SetBackoff(kDefaultBackoffMs, kDefaultBackoffMs);
    Probe();
  }
  Peer(Peers* owner, std::unique_ptr<base::Stream> accepted)
      : owner_(owner),
        incoming_(true),
        session_(owner->context_, std::move(accepted), this, std::numeric_limits<size_t>::max()) {
    Probe();
  }

  void Probe() {
    session_.reconnect().SetProbeInterval(static_cast<int>(owner_->probe_ms_));
    session_.Update();
  }

  bool connected() const { return session_.connected(); }
  const raft::ServerId& id() const { return id_; }
  base::RpcSession& session() { return session_; }

  void Send(const base::SharedText& text) {
    base::JsonRpc* rpc = session_.rpc();
    rpc->Send(text);
    const size_t messages = rpc->backlog_messages();
    if (messages <= kMinBacklogMessages) return;
    const BacklogLimit& limit = owner_->limit_;
    if (messages <= limit.messages && rpc->backlog() <= limit.bytes) return;
    static base::RateLimit rate;
    log.InfoLimited(rate, "%s: %d messages of %d bytes wait to be sent, reconnecting",
                    session_.name(), messages, rpc->backlog());
    session_.ForceReconnect();
  }

 private:
  static constexpr int kDefaultBackoffMs = 1000;

  void OnConnected() override {
    id_ = {};
    owner_->handler_->OnPeerConnected(address_);
  }

  void OnMessage(std::unique_ptr<JsonRpcMessage> message) override {
    absl::StatusOr<raft::Message> parsed = Check(*message);
    if (parsed.ok()) {
      owner_->handler_->OnPeerMessage(*parsed);
      return;
    }
    static base::RateLimit rate;
    log.WarnLimited(rate, "%s: %s", session_.name(), std::string(parsed.status().message()));
    session_.ForceReconnect();
  }

  void OnDisconnected(const absl::Status&) override {
    ++owner_->n_disconnections_;
    if (incoming_) owner_->Remove(this);
  }

  absl::StatusOr<raft::Message> Check(const JsonRpcMessage& message) {
    if (message.type() != JsonRpcMessage::kNotify) {
      return absl::InvalidArgumentError("received a message that is no notification");
    }
    absl::StatusOr<raft::Message> parsed = raft::ParseMessage(message.method(), message.params());
    if (!parsed.ok()) return parsed.status();
    const raft::ClusterId cluster = owner_->handler_->cluster_id();
    if (!parsed->cluster.is_zero() && !cluster.is_zero() && parsed->cluster != cluster) {
      return absl::InvalidArgumentError(absl::StrCat("ignoring ", message.method(), " for cluster ",
                                                     parsed->cluster.ToString(), ", which is not ",
                                                     cluster.ToString()));
    }
    const raft::ServerId self = owner_->handler_->server_id();
    if (!parsed->to.is_zero() && parsed->to != self) {
      return absl::InvalidArgumentError(absl::StrCat("ignoring ", message.method(), " for server ",
                                                     parsed->to.ToString(), ", which is not ",
                                                     self.ToString()));
    }
    if (parsed->from == self) {
      return absl::InvalidArgumentError("received a message that claims to be from this server");
    }
    if (id_.is_zero()) id_ = parsed->from;
    if (parsed->from != id_) {
      return absl::InvalidArgumentError(absl::StrCat("received messages from server ",
                                                     id_.ToString(), " and now from ",
                                                     parsed->from.ToString()));
    }
    return parsed;
  }

  Peers* owner_;
  const std::string address_;  // Empty for incoming ones.
  const bool incoming_ = false;
  raft::ServerId id_;
  base::RpcSession session_;
};

Peers::Peers(const base::StreamContext& context, Handler* handler)
    : context_(context),
      handler_(handler),
      listen_timer_(context.loop, [this] { TryToListen(); }),
      probe_ms_(base::kDefaultProbeIntervalMs) {}

Peers::~Peers() = default;

void Peers::Listen(const std::string& address) {
  address_ = address;
  TryToListen();
}

void Peers::TryToListen() {
  absl::StatusOr<std::unique_ptr<base::Listener>> listener = base::Listener::Listen(
      context_, PassiveTarget(address_), base::kDefaultDscp,
      [this](std::unique_ptr<base::Stream> stream) { Accept(std::move(stream)); });
  if (listener.ok()) {
    listener_ = *std::move(listener);
  } else {
    listen_timer_.Start(kListenAgainMs);
  }
}

void Peers::Accept(std::unique_ptr<base::Stream> stream) {
  if (incoming_.size() >= kMaxIncoming) return;
  incoming_.push_back(std::make_unique<Peer>(this, std::move(stream)));
}

void Peers::Remove(Peer* peer) {
  incoming_.remove_if([peer](const auto& other) { return other.get() == peer; });
}

void Peers::SetAddresses(const std::vector<std::string>& addresses) {
  std::erase_if(outgoing_, [&](const auto& peer) {
    return std::find(addresses.begin(), addresses.end(), peer.first) == addresses.end();
  });
  for (const std::string& address : addresses) {
    std::unique_ptr<Peer>& peer = outgoing_[address];
    if (peer == nullptr) peer = std::make_unique<Peer>(this, address);
  }
}

void Peers::SetProbeInterval(int64_t ms) {
  if (ms == probe_ms_) return;
  probe_ms_ = ms;
  for (auto& [address, peer] : outgoing_) peer->Probe();
  for (auto& peer : incoming_) peer->Probe();
}

void Peers::Send(const raft::Outgoing& outgoing) {
  Peer* peer = nullptr;
  if (const auto it = outgoing_.find(outgoing.address); it != outgoing_.end()) {
    if (it->second->connected()) peer = it->second.get();
  }
  const raft::ServerId& to = outgoing.message.to;
  if (peer == nullptr && !to.is_zero()) {
    for (const auto& candidate : incoming_) {
      if (candidate->id() == to && candidate->connected()) peer = candidate.get();
    }
    for (const auto& [address, candidate] : outgoing_) {
      if (candidate->id() == to && candidate->connected()) peer = candidate.get();
    }
  }
  if (peer == nullptr) return;
  auto text = std::make_shared<std::string>();
  std::string params = "[";
  raft::AppendMessage(outgoing.message, &params);
  params += ']';
  *text = base::NotifyText(raft::MethodName(outgoing.message), params);
  peer->Send(std::move(text));
}

std::vector<Peers::Connection> Peers::connections() const {
  std::vector<Connection> connections;
  for (const auto& [address, peer] : outgoing_) {
    connections.push_back({peer->id(), address, false, peer->connected()});
  }
  for (const auto& peer : incoming_)
    connections.push_back({peer->id(), "", true, peer->connected()});
  return connections;
}

size_t Peers::backlog_bytes() const {
  size_t bytes = 0;
  const auto add = [&bytes](Peer& peer) {
    if (peer.connected()) bytes += peer.session().rpc()->backlog();
  };
  for (const auto& [address, peer] : outgoing_) add(*peer);
  for (const auto& peer : incoming_) add(*peer);
  return bytes;
}

}  // namespace server

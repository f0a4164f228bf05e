#include "server/cluster/peers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/log.h"
#include "server/base/tls.h"

namespace server {
namespace {

base::LogModule log("raft");

constexpr int64_t kListenAgainMs = 1000;
constexpr int64_t kKeysAgainMs = 60'000;
constexpr size_t kMaxIncoming = 256;

// Servers of our kind send each other snapshots in pieces, for which stock has no words. They know
// each other by a comment in what they say first on a connection.
constexpr absl::string_view kKindred = "boreas: pieces";

// The passive form of an address: ptcp:PORT:IP for tcp:IP:PORT, punix:FILE for unix:FILE.
std::string PassiveTarget(const std::string& address) {
  const size_t kind = address.find(':');
  const size_t port = address.rfind(':');
  if (absl::StartsWith(address, "unix:") || port == kind) return absl::StrCat("p", address);
  return absl::StrCat("p", address.substr(0, kind), address.substr(port), ":",
                      address.substr(kind + 1, port - kind - 1));
}

bool IsFirst(const raft::Message& message) {
  return std::holds_alternative<raft::HelloRequest>(message.body) ||
         std::holds_alternative<raft::AddServerRequest>(message.body);
}

}  // namespace

Peers::Peers(const base::StreamContext& context, Handler* handler)
    : context_(context),
      handler_(handler),
      listen_timer_(context.loop, [this] { TryToListen(); }),
      keys_timer_(context.loop, [this] { LookForKeys(); }),
      probe_ms_(base::kDefaultProbeIntervalMs) {}

Peers::~Peers() = default;

void Peers::Listen(const std::string& address) {
  address_ = address;
  TryToListen();
  // A moment later, for they may be named by a database.
  if (absl::StartsWith(address, "ssl:") && context_.tls != nullptr) {
    keys_timer_.Start(kListenAgainMs);
  }
}

// Without them this server hears nobody: that is logged while it is so.
void Peers::LookForKeys() {
  if (!context_.tls->Complete()) keys_timer_.Start(kKeysAgainMs);
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

// Where there are too many, one that has not said who it is makes room: strangers who only hold
// their connections must not keep a member out.
void Peers::Accept(std::unique_ptr<base::Stream> stream) {
  if (incoming_.size() >= kMaxIncoming) {
    const auto stranger =
        std::find_if(incoming_.begin(), incoming_.end(),
                     [](const std::unique_ptr<Peer>& peer) { return peer->id().is_zero(); });
    const bool is_refused = stranger == incoming_.end();
    static base::RateLimit limit;
    log.WarnLimited(limit, "%s: dropped, since %d others are connected%s",
                    is_refused ? stream->name() : (*stranger)->name(), kMaxIncoming,
                    is_refused ? "" : " and it has not said who it is");
    if (is_refused) return;
    incoming_.erase(stranger);
  }
  Peer::Owner* const owner = this;
  incoming_.push_back(std::make_unique<Peer>(context_, std::move(stream), owner));
  incoming_.back()->SetProbeInterval(probe_ms_);
}

void Peers::SetAddresses(const std::vector<std::string>& addresses) {
  std::erase_if(outgoing_, [&](const auto& peer) {
    return std::find(addresses.begin(), addresses.end(), peer.first) == addresses.end();
  });
  Peer::Owner* const owner = this;
  for (const std::string& address : addresses) {
    std::unique_ptr<Peer>& peer = outgoing_[address];
    if (peer != nullptr) continue;
    peer = std::make_unique<Peer>(context_, address, owner);
    peer->SetProbeInterval(probe_ms_);
  }
}

void Peers::SetProbeInterval(int64_t ms) {
  if (ms == probe_ms_) return;
  probe_ms_ = ms;
  for (auto& [address, peer] : outgoing_) peer->SetProbeInterval(ms);
  for (auto& peer : incoming_) peer->SetProbeInterval(ms);
}

void Peers::Send(const raft::Outgoing& outgoing) {
  Peer* const peer = FindConnected(outgoing);
  if (peer == nullptr) return;
  if (IsFirst(outgoing.message)) {
    raft::Message message = outgoing.message;
    message.comment = absl::StrCat(kKindred, message.comment.empty() ? "" : ", ", message.comment);
    peer->Send(message, limit_);
  } else {
    peer->Send(outgoing.message, limit_);
  }
}

void Peers::Flush() {
  for (const auto& [address, peer] : outgoing_) {
    if (peer->connected()) peer->Flush();
  }
  for (const auto& peer : incoming_) {
    if (peer->connected()) peer->Flush();
  }
}

bool Peers::SendSnapshot(const raft::Outgoing& outgoing, std::vector<base::SharedText> data) {
  Peer* const peer = FindConnected(outgoing);
  if (peer == nullptr) return false;
  peer->SendSnapshot(outgoing.message, std::move(data), kindred_.contains(outgoing.message.to));
  return true;
}

void Peers::OnMessage(Peer* peer, const raft::Message& message) {
  if (IsFirst(message)) {
    if (absl::StartsWith(message.comment, kKindred)) {
      kindred_.insert(peer->id());
    } else {
      kindred_.erase(peer->id());
    }
  }
  handler_->OnPeerMessage(message);
}

void Peers::OnDisconnected(Peer* peer) {
  kindred_.erase(peer->id());  // It may be another program the next time.
  if (peer->was_connected()) ++n_disconnections_;
  if (peer->incoming()) {
    incoming_.remove_if([peer](const auto& other) { return other.get() == peer; });
  }
}

Peer* Peers::FindConnected(const raft::Outgoing& outgoing) const {
  const auto it = outgoing_.find(outgoing.address);
  if (it != outgoing_.end() && it->second->connected()) return it->second.get();
  const raft::ServerId& to = outgoing.message.to;
  if (to.is_zero()) return nullptr;
  Peer* found = nullptr;
  for (const auto& peer : incoming_) {
    if (peer->id() == to && peer->connected()) found = peer.get();
  }
  for (const auto& [at, peer] : outgoing_) {
    if (peer->id() == to && peer->connected()) found = peer.get();
  }
  return found;
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
  for (const auto& [address, peer] : outgoing_) bytes += peer->backlog();
  for (const auto& peer : incoming_) bytes += peer->backlog();
  return bytes;
}

}  // namespace server

#include "server/cluster/peers.h"

#include <algorithm>
#include <deque>
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
constexpr size_t kLargeMessage = 4 << 20;  // Bytes of memory.

// Servers of our kind send each other large messages in pieces, for which stock has no words. They
// know each other by a comment in what they say first on a connection.
constexpr absl::string_view kKindred = "boreas: fragments";
constexpr absl::string_view kFragmentMethod = "boreas_fragment";  // [TEXT, whether it is the last].
constexpr size_t kFragmentBytes = 256 << 10;

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
  ~Peer() override { *alive_ = false; }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void Probe() {
    session_.reconnect().SetProbeInterval(static_cast<int>(owner_->probe_ms_));
    session_.Update();
  }

  bool connected() const { return session_.connected(); }
  const raft::ServerId& id() const { return id_; }

  void SendInFragments(base::SharedText text) {
    large_.push_back(std::move(text));
    SendFragment();
  }
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

  void OnConnected() override { owner_->handler_->OnPeerConnected(address_); }

  void OnMessage(std::unique_ptr<JsonRpcMessage> message) override {
    if (message->type() != JsonRpcMessage::kNotify) {
      Take(absl::InvalidArgumentError("received a message that is no notification"));
    } else if (message->method() == kFragmentMethod) {
      TakeFragment(message->params());
    } else if (message->memory() > kLargeMessage) {
      ParseAside(std::move(message));
    } else {
      Take(raft::ParseMessage(message->method(), message->params()));
    }
  }

  void OnDrained() override { SendFragment(); }

  // The next piece of the oldest large message, once what was sent before it has left: so whatever
  // else there is to say waits for no more than one piece.
  void SendFragment() {
    if (large_.empty() || session_.rpc()->backlog() > 0) return;
    const absl::string_view rest = absl::string_view(*large_.front()).substr(large_sent_);
    size_t size = std::min(rest.size(), kFragmentBytes);
    // Not in the midst of a character.
    while (size < rest.size() && (rest[size] & 0xc0) == 0x80) --size;
    const bool last = size == rest.size();
    session_.rpc()->Send(
        base::NotifyText(kFragmentMethod, absl::StrCat("[", base::StringText(rest.substr(0, size)),
                                                       ",", last ? "true" : "false", "]")));
    large_sent_ += size;
    if (last) {
      large_.pop_front();
      large_sent_ = 0;
    }
  }

  void TakeFragment(const rapidjson::Value& params) {
    if (params.Size() != 2 || !params[0].IsString() || !params[1].IsBool()) {
      Take(absl::InvalidArgumentError("received a malformed fragment of a message"));
      return;
    }
    assembled_.append(params[0].GetString(), params[0].GetStringLength());
    if (params[1].GetBool()) ParseAssembled(std::exchange(assembled_, {}));
  }

  // On another thread; other messages may overtake it.
  void ParseAssembled(std::string text) {
    struct Job {
      std::string text;
      absl::StatusOr<raft::Message> parsed;
    };
    auto job = std::make_shared<Job>();
    job->text = std::move(text);
    owner_->context_.loop->Work([job] { job->parsed = Parse(std::move(job->text)); },
                                [this, alive = alive_, job] {
                                  if (*alive) Take(std::move(job->parsed));
                                });
  }

  static absl::StatusOr<raft::Message> Parse(std::string text) {
    const absl::StatusOr<std::unique_ptr<JsonRpcMessage>> message =
        JsonRpcMessage::Parse(std::move(text));
    if (!message.ok()) return message.status();
    return raft::ParseMessage((*message)->method(), (*message)->params());
  }

  // On another thread, for it takes long. What comes behind it waits.
  void ParseAside(std::unique_ptr<JsonRpcMessage> message) {
    struct Job {
      std::unique_ptr<JsonRpcMessage> message;
      absl::StatusOr<raft::Message> parsed;
    };
    auto job = std::make_shared<Job>();
    job->message = std::move(message);
    session_.rpc()->SetReading(false);
    owner_->context_.loop->Work(
        [job] {
          job->parsed = raft::ParseMessage(job->message->method(), job->message->params());
          job->message = nullptr;
        },
        [this, alive = alive_, job] {
          if (!*alive) return;
          session_.rpc()->SetReading(true);
          Take(std::move(job->parsed));
        });
  }

  void Take(absl::StatusOr<raft::Message> parsed) {
    if (parsed.ok()) {
      absl::Status status = Check(*parsed);
      if (!status.ok()) parsed = std::move(status);
    }
    if (parsed.ok()) {
      NoteKindred(*parsed);
      owner_->handler_->OnPeerMessage(*parsed);
      return;
    }
    static base::RateLimit rate;
    log.WarnLimited(rate, "%s: %s", session_.name(), std::string(parsed.status().message()));
    session_.ForceReconnect();
  }

  // Whether it is one of us, who know of fragments, stands in what it says first.
  void NoteKindred(const raft::Message& message) {
    if (!IsFirst(message)) return;
    if (absl::StartsWith(message.comment, kKindred)) {
      owner_->kindred_.insert(message.from);
    } else {
      owner_->kindred_.erase(message.from);
    }
  }

  void OnDisconnected(const absl::Status&) override {
    *std::exchange(alive_, std::make_shared<bool>(true)) = false;
    owner_->kindred_.erase(id_);  // It may be another program the next time.
    id_ = {};
    large_.clear();
    large_sent_ = 0;
    assembled_.clear();
    ++owner_->n_disconnections_;
    if (incoming_) owner_->Remove(this);
  }

  // Whether it is for this server, of its cluster, and from whom it should be.
  absl::Status Check(const raft::Message& message) {
    const raft::ClusterId cluster = owner_->handler_->cluster_id();
    if (!message.cluster.is_zero() && !cluster.is_zero() && message.cluster != cluster) {
      return absl::InvalidArgumentError(absl::StrCat("ignoring ", raft::MethodName(message),
                                                     " for cluster ", message.cluster.ToString(),
                                                     ", which is not ", cluster.ToString()));
    }
    const raft::ServerId self = owner_->handler_->server_id();
    if (!message.to.is_zero() && message.to != self) {
      return absl::InvalidArgumentError(absl::StrCat("ignoring ", raft::MethodName(message),
                                                     " for server ", message.to.ToString(),
                                                     ", which is not ", self.ToString()));
    }
    if (message.from == self) {
      return absl::InvalidArgumentError("received a message that claims to be from this server");
    }
    if (id_.is_zero()) id_ = message.from;
    if (message.from != id_) {
      return absl::InvalidArgumentError(absl::StrCat("received messages from server ",
                                                     id_.ToString(), " and now from ",
                                                     message.from.ToString()));
    }
    return absl::OkStatus();
  }

  Peers* owner_;
  const std::string address_;  // Empty for incoming ones.
  const bool incoming_ = false;
  raft::ServerId id_;
  base::RpcSession session_;
  std::deque<base::SharedText> large_;                          // To be sent in fragments,
  size_t large_sent_ = 0;                                       // the first of them up to here.
  std::string assembled_;                                       // Of fragments received.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // This connection.
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
  Peer* const peer = FindConnected(outgoing.address, outgoing.message.to);
  if (peer == nullptr) return;
  if (IsFirst(outgoing.message)) {
    raft::Message message = outgoing.message;
    message.comment = absl::StrCat(kKindred, message.comment.empty() ? "" : ", ", message.comment);
    peer->Send(TextOf(message));
  } else {
    peer->Send(TextOf(outgoing.message));
  }
}

void Peers::SendText(const std::string& address, const raft::ServerId& to, base::SharedText text) {
  Peer* const peer = FindConnected(address, to);
  if (peer == nullptr) return;
  if (text->size() > 2 * kFragmentBytes && kindred_.contains(to)) {
    peer->SendInFragments(std::move(text));
  } else {
    peer->Send(text);
  }
}

base::SharedText Peers::TextOf(const raft::Message& message) {
  std::string params = "[";
  raft::AppendMessage(message, &params);
  params += ']';
  return std::make_shared<const std::string>(base::NotifyText(raft::MethodName(message), params));
}

Peers::Peer* Peers::FindConnected(const std::string& address, const raft::ServerId& to) const {
  if (const auto it = outgoing_.find(address); it != outgoing_.end() && it->second->connected()) {
    return it->second.get();
  }
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
  const auto add = [&bytes](Peer& peer) {
    if (peer.connected()) bytes += peer.session().rpc()->backlog();
  };
  for (const auto& [address, peer] : outgoing_) add(*peer);
  for (const auto& peer : incoming_) add(*peer);
  return bytes;
}

}  // namespace server

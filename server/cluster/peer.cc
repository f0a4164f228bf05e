#include "server/cluster/peer.h"

#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "raft/message_json.h"
#include "server/base/log.h"

namespace server {
namespace {

using base::JsonRpcMessage;

base::LogModule log("raft");

constexpr int kBackoffMs = 1000;
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();
constexpr size_t kLargeMessage = 4 << 20;  // Bytes of memory.

// [TEXT]: of the data of the next snapshot, which has kNoData itself. Stock has no word for that.
constexpr absl::string_view kPieceMethod = "boreas_piece";
constexpr absl::string_view kNoData = "[]";

std::string TextOf(const raft::Message& message) {
  std::string params = "[";
  raft::AppendMessage(message, &params);
  params += ']';
  return base::NotifyText(raft::MethodName(message), params);
}

// Frees what may be large on another thread.
template <typename Value>
void FreeAside(base::Loop* loop, Value value) {
  loop->Work([value = std::move(value)]() mutable { value = {}; }, nullptr);
}

}  // namespace

Peer::Peer(const base::StreamContext& context, const std::string& address, Owner* owner)
    : context_(context),
      address_(address),
      owner_(owner),
      was_connected_(false),
      session_(context, address, this, kNoLimit) {
  session_.reconnect().SetBackoff(kBackoffMs, kBackoffMs);
}

Peer::Peer(const base::StreamContext& context, std::unique_ptr<base::Stream> accepted, Owner* owner)
    : context_(context),
      owner_(owner),
      was_connected_(true),
      session_(context, std::move(accepted), this, kNoLimit) {}

Peer::~Peer() { *alive_ = false; }

void Peer::SetProbeInterval(int64_t ms) {
  session_.reconnect().SetProbeInterval(static_cast<int>(ms));
  session_.Update();
}

// ---- Out ----

void Peer::Send(const raft::Message& message, const BacklogLimit& limit) {
  base::JsonRpc* const rpc = session_.rpc();
  rpc->Send(std::make_shared<const std::string>(TextOf(message)));
  const size_t messages = rpc->backlog_messages();
  if (messages <= kMinBacklogMessages) return;
  if (messages <= limit.messages && rpc->backlog() <= limit.bytes) return;
  static base::RateLimit rate;
  log.InfoLimited(rate, "%s: %d messages of %d bytes wait to be sent, reconnecting",
                  session_.name(), messages, rpc->backlog());
  session_.ForceReconnect();
}

void Peer::SendSnapshot(raft::Message message, std::vector<base::SharedText> data, bool in_pieces) {
  std::get<raft::InstallSnapshotRequest>(message.body).data =
      std::make_shared<const std::string>(kNoData);
  if (in_pieces) {
    large_.push_back({{std::make_move_iterator(data.begin()), std::make_move_iterator(data.end())},
                      std::move(message)});
    SendPiece();
    return;
  }
  // The data are the last member.
  const std::string whole = TextOf(message);
  const absl::string_view text = whole;
  const size_t place = text.rfind(kNoData);
  session_.rpc()->Send(text.substr(0, place), data, text.substr(place + kNoData.size()));
}

// The next piece of the oldest snapshot, once what was sent before it has left: so whatever else
// there is to say waits for no more than one piece.
void Peer::SendPiece() {
  if (large_.empty() || backlog() > 0) return;
  Large& oldest = large_.front();
  if (!oldest.data.empty()) {
    session_.rpc()->Send(std::make_shared<const std::string>(base::NotifyText(
        kPieceMethod, absl::StrCat("[", base::StringText(*oldest.data.front()), "]"))));
    oldest.data.pop_front();
  } else {
    session_.rpc()->Send(TextOf(oldest.message));
    large_.pop_front();
  }
}

// ---- In ----

void Peer::OnMessage(std::unique_ptr<JsonRpcMessage> message) {
  if (message->type() != JsonRpcMessage::kNotify) {
    Take(absl::InvalidArgumentError("received a message that is no notification"));
  } else if (message->method() == kPieceMethod) {
    TakePiece(message->params());
  } else if (message->memory() > kLargeMessage) {
    ParseAside(std::move(message));
  } else {
    absl::StatusOr<raft::Message> parsed = raft::ParseMessage(message->method(), message->params());
    const bool in_pieces = parsed.ok() && !pieces_.empty() &&
                           std::holds_alternative<raft::InstallSnapshotRequest>(parsed->body);
    in_pieces ? TakeSnapshot(*std::move(parsed)) : Take(std::move(parsed));
  }
}

void Peer::TakePiece(const rapidjson::Value& params) {
  if (params.Size() != 1 || !params[0].IsString()) {
    Take(absl::InvalidArgumentError("received a malformed piece of a snapshot"));
    return;
  }
  pieces_.emplace_back(params[0].GetString(), params[0].GetStringLength());
}

// Puts the pieces together on another thread; other messages may overtake it.
void Peer::TakeSnapshot(raft::Message message) {
  auto whole = std::make_shared<raft::Message>(std::move(message));
  context_.loop->Work(
      [whole, pieces = std::exchange(pieces_, {})]() mutable {
        std::get<raft::InstallSnapshotRequest>(whole->body).data =
            std::make_shared<const std::string>(absl::StrJoin(pieces, ""));
        pieces = {};
      },
      [this, alive = alive_, whole] {
        if (*alive) Take(std::move(*whole));
      });
}

// On another thread, for it takes long. What comes behind it waits.
void Peer::ParseAside(std::unique_ptr<JsonRpcMessage> message) {
  struct Job {
    std::unique_ptr<JsonRpcMessage> message;
    absl::StatusOr<raft::Message> parsed;
  };
  auto job = std::make_shared<Job>();
  job->message = std::move(message);
  session_.rpc()->SetReading(false);
  context_.loop->Work(
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

void Peer::Take(absl::StatusOr<raft::Message> parsed) {
  if (parsed.ok()) {
    absl::Status status = Check(*parsed);
    if (!status.ok()) parsed = std::move(status);
  }
  if (parsed.ok()) {
    owner_->OnMessage(this, *parsed);
    return;
  }
  static base::RateLimit rate;
  log.WarnLimited(rate, "%s: %s", session_.name(), std::string(parsed.status().message()));
  session_.ForceReconnect();
}

// Whether it is for this server, of its cluster, and from whom it should be.
absl::Status Peer::Check(const raft::Message& message) {
  const raft::ClusterId cluster = owner_->cluster_id();
  if (!message.cluster.is_zero() && !cluster.is_zero() && message.cluster != cluster) {
    return absl::InvalidArgumentError(absl::StrCat("ignoring ", raft::MethodName(message),
                                                   " for cluster ", message.cluster.ToString(),
                                                   ", which is not ", cluster.ToString()));
  }
  const raft::ServerId self = owner_->server_id();
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
    return absl::InvalidArgumentError(absl::StrCat("received messages from server ", id_.ToString(),
                                                   " and now from ", message.from.ToString()));
  }
  return absl::OkStatus();
}

void Peer::OnConnected() {
  was_connected_ = true;
  owner_->OnConnected(this);
}

void Peer::OnDisconnected(const absl::Status&) {
  *std::exchange(alive_, std::make_shared<bool>(true)) = false;
  if (!large_.empty()) FreeAside(context_.loop, std::exchange(large_, {}));
  if (!pieces_.empty()) FreeAside(context_.loop, std::exchange(pieces_, {}));
  const bool is_over = incoming();
  owner_->OnDisconnected(this);
  if (is_over) return;  // Gone.
  id_ = {};
  was_connected_ = false;
}

}  // namespace server

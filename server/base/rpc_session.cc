#include "server/base/rpc_session.h"

#include <cerrno>
#include <utility>

#include "server/base/io_error.h"

namespace base {

RpcSession::RpcSession(const StreamContext& context, absl::string_view target, Handler* handler,
                       size_t max_frame)
    : RpcSession(context, std::vector<std::string>{std::string(target)}, handler, max_frame) {}

RpcSession::RpcSession(const StreamContext& context, std::vector<std::string> targets,
                       Handler* handler, size_t max_frame)
    : context_(context),
      handler_(handler),
      max_frame_(max_frame),
      targets_(std::move(targets)),
      reconnect_(MonotonicMs()),
      timer_(context.loop, [this] { Run(); }) {
  reconnect_.SetName(targets_.front());
  reconnect_.SetPassive(IsPassiveTarget(targets_.front()), MonotonicMs());
  if (!TargetNeedsProbes(targets_.front())) reconnect_.SetProbeInterval(0);
  reconnect_.Enable(MonotonicMs());
  timer_.Start(0);
}

RpcSession::RpcSession(const StreamContext& context, std::unique_ptr<Stream> accepted,
                       Handler* handler, size_t max_frame)
    : context_(context),
      handler_(handler),
      max_frame_(max_frame),
      reconnect_(MonotonicMs()),
      rpc_(new JsonRpc(context.loop, std::move(accepted), this, max_frame)),
      connected_(true),
      timer_(context.loop, [this] { Run(); }) {
  const int64_t now = MonotonicMs();
  reconnect_.SetQuiet(true);
  reconnect_.SetName(rpc_->name());
  reconnect_.SetMaxTries(0);
  reconnect_.Connected(now);
  Update();
}

RpcSession::~RpcSession() = default;

void RpcSession::SetDscp(int dscp) {
  if (dscp == dscp_) return;
  dscp_ = dscp;
  ForceReconnect();
}

void RpcSession::ForceReconnect() {
  reconnect_.ForceReconnect(MonotonicMs());
  Update();
}

// Sees to it that Run is called when the state machine wants it.
void RpcSession::Update() {
  const std::optional<int64_t> deadline = reconnect_.Deadline();
  if (deadline) {
    timer_.StartAt(*deadline);
  } else {
    timer_.Stop();
  }
}

void RpcSession::Run() {
  const int64_t now = MonotonicMs();
  switch (reconnect_.Run(now)) {
    case Reconnect::Action::kNone:
      break;
    case Reconnect::Action::kConnect:
      return Connect();
    case Reconnect::Action::kDisconnect:
      return Disconnect(absl::OkStatus());
    case Reconnect::Action::kProbe:
      rpc_->SendEcho();
      break;
  }
  Update();
}

void RpcSession::Connect() {
  const std::string& target = targets_[next_target_++ % targets_.size()];
  reconnect_.SetName(target);
  auto rpc = JsonRpc::Connect(context_, target, dscp_, this, max_frame_);
  reconnect_.Connecting(MonotonicMs());
  if (!rpc.ok()) return Disconnect(rpc.status());
  rpc_ = *std::move(rpc);
  Update();
}

// Drops what there is of a connection, tells everybody, and goes on. May destroy the session.
void RpcSession::Disconnect(const absl::Status& reason) {
  // The connection may be a caller up the stack: it can be destroyed from its callbacks.
  connected_ = false;
  rpc_.reset();
  if (!reason.ok()) last_error_ = reason;
  reconnect_.Disconnected(MonotonicMs(), reason);
  Update();
  handler_->OnDisconnected(reason);
}

void RpcSession::OnConnected() {
  connected_ = true;
  reconnect_.Connected(MonotonicMs());
  Update();
  handler_->OnConnected();
}

void RpcSession::OnActivity() {
  // The timer is left alone: it finds out when it fires that there was activity, and is set anew.
  reconnect_.Activity(context_.loop->Now());
}

void RpcSession::OnMessage(std::unique_ptr<JsonRpcMessage> message) {
  handler_->OnMessage(std::move(message));
}

void RpcSession::OnDrained() { handler_->OnDrained(); }

void RpcSession::OnClosed(const absl::Status& reason) {
  Disconnect(absl::Status(reason));  // A copy: the reason lives in the connection.
}

}  // namespace base

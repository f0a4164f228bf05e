#include "bench/load/lanes.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace load {

Lanes::Lanes(Loop* loop, const std::vector<Connection*>& connections, size_t lanes_per_connection,
             NextRequest next)
    : loop_(loop), next_(std::move(next)) {
  for (size_t i = 0; i < lanes_per_connection; ++i) {
    for (Connection* connection : connections) lanes_.push_back({.connection = connection});
  }
  for (Connection* connection : connections) {
    connection->OnMessage([this](const Message& message) { Reply(message); });
  }
}

void Lanes::Advance(size_t lane_index) {
  if (to_send_ == 0 || (stop_ != nullptr && stop_())) return;
  --to_send_;
  ++in_flight_;
  Lane& lane = lanes_[lane_index];
  const Request request = next_(lane_index, lane.reply);
  lane.sent_nsec = last_sent_nsec_ = NowNsec();
  lane.connection->Send(absl::StrCat("{\"id\":", lane_index, ",\"method\":\"", request.method,
                                     "\",\"params\":", request.params, "}"));
}

void Lanes::Reply(const Message& message) {
  const uint64_t index = message.scan.id();
  if (!message.scan.is_reply() || index >= lanes_.size()) return;
  // Operations of a transaction fail inside the result.
  if (message.scan.is_error() || absl::StrContains(message.text, "\"error\":\"")) {
    Die(absl::StrCat("a request failed: ", message.text));
  }
  latencies_.Add(NowNsec() - lanes_[index].sent_nsec);
  lanes_[index].reply.assign(message.text.data(), message.text.size());
  --in_flight_;
  ++completed_;
  Advance(index);
}

void Lanes::Run(uint64_t count, const std::function<bool()>& stop) {
  to_send_ = count;
  stop_ = stop;
  for (size_t i = 0; i < lanes_.size(); ++i) Advance(i);
  loop_->RunUntil([this] { return in_flight_ == 0; });
}

}  // namespace load

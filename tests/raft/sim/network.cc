#include "tests/raft/sim/network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/raft/sim/describe.h"

namespace raft::sim {

void Network::Attach(Endpoint* endpoint) {
  endpoints_.push_back(endpoint);
  connections_.resize(endpoints_.size());
  for (auto& row : connections_) row.resize(endpoints_.size());
  cut_.resize(endpoints_.size());
  for (auto& row : cut_) row.resize(endpoints_.size());
}

int Network::NodeAt(const std::string& address) const {
  for (int i = 0; i < size(); ++i) {
    if (endpoints_[i]->address() == address) return i;
  }
  return -1;
}

void Network::KeepConnected(int from, const std::vector<std::string>& addresses) {
  for (int to = 0; to < size(); ++to) {
    Connection& c = connection(from, to);
    c.wanted =
        std::find(addresses.begin(), addresses.end(), endpoints_[to]->address()) != addresses.end();
    if (!c.wanted && c.up) Drop(from, to);
    if (c.wanted && !c.up) TryToConnect(from, to, world_->random.Between(0, 5));
  }
}

void Network::TryToConnect(int from, int to, int64_t delay_ms) {
  if (connection(from, to).trying) return;
  connection(from, to).trying = true;
  world_->timeline.After(delay_ms, [this, from, to] {
    Connection& c = connection(from, to);
    c.trying = false;
    if (!c.wanted || c.up || !endpoints_[from]->listens()) return;
    if (severed(from, to) || !endpoints_[to]->listens()) {
      TryToConnect(from, to, world_->random.Between(50, 500));
      return;
    }
    c.up = true;
    ++c.life;
    endpoints_[from]->Connected(endpoints_[to]->address());
  });
}

// A connection ends, and what is on its way with it.
void Network::Drop(int from, int to) {
  Connection& c = connection(from, to);
  if (c.up) {
    c.up = false;
    for (auto& held : c.held) held.clear();
  }
  if (c.wanted && endpoints_[from]->listens()) {
    TryToConnect(from, to, world_->random.Between(1, 200));
  }
}

void Network::Disconnect(int node) {
  for (int other = 0; other < size(); ++other) {
    connection(node, other).wanted = false;
    Break(node, other);
  }
}

void Network::Break(int a, int b) {
  Drop(a, b);
  Drop(b, a);
}

void Network::BreakAll() {
  for (int a = 0; a < size(); ++a) {
    for (int b = 0; b < size(); ++b) Drop(a, b);
  }
}

void Network::Cut(int from, int to) {
  if (cut_[from][to]) return;
  cut_[from][to] = true;
  // Nothing is heard from there: at last both give up.
  world_->timeline.After(world_->random.Between(500, 5000), [this, from, to] {
    if (cut_[from][to]) Break(from, to);
  });
}

void Network::Mend(int from, int to) {
  cut_[from][to] = false;
  for (const bool back : {false, true}) {
    const int connector = back ? to : from;
    const int listener = back ? from : to;
    std::deque<Message> held;
    held.swap(connection(connector, listener).held[back]);
    for (Message& message : held) Transmit(connector, listener, back, std::move(message));
  }
}

void Network::MendAll() {
  for (int a = 0; a < size(); ++a) {
    for (int b = 0; b < size(); ++b) {
      if (cut_[a][b]) Mend(a, b);
    }
  }
}

void Network::Send(int from, Outgoing outgoing) {
  const ServerId& id = outgoing.message.to;
  const int to = id.is_zero() ? NodeAt(outgoing.address) : static_cast<int>(id.lo) - 1;
  if (to < 0 || to >= size()) return;
  const bool out = connection(from, to).up;
  const bool back = !out && !id.is_zero() && connection(to, from).up;
  const bool lost = (!out && !back) || world_->random.Chance(weather_.drop_percent);
  if (world_->tracing) {
    world_->Trace(absl::StrCat("n", from),
                  absl::StrCat("-> n", to, " ", Describe(outgoing.message), lost ? "  LOST" : ""));
  }
  if (lost) return;
  const int connector = back ? to : from;
  const int listener = back ? from : to;
  if (world_->random.Chance(weather_.duplicate_percent)) {
    Transmit(connector, listener, back, outgoing.message);
  }
  Transmit(connector, listener, back, std::move(outgoing.message));
}

void Network::Transmit(int connector, int listener, bool back, Message message) {
  Connection& c = connection(connector, listener);
  int64_t arrival_ms = world_->timeline.now_ms() +
                       world_->random.Between(weather_.min_delay_ms, weather_.max_delay_ms);
  if (weather_.reorder) {
    if (world_->random.Chance(2)) arrival_ms += world_->random.Between(0, 500);
  } else {
    arrival_ms = std::max(arrival_ms, c.last_arrival_ms[back]);
    c.last_arrival_ms[back] = arrival_ms;
  }
  world_->timeline.At(
      arrival_ms, [this, connector, listener, back, life = c.life, message = std::move(message)] {
        Arrive(connector, listener, back, life, message);
      });
}

void Network::Arrive(int connector, int listener, bool back, uint64_t life,
                     const Message& message) {
  Connection& c = connection(connector, listener);
  const int from = back ? listener : connector;
  const int to = back ? connector : listener;
  const bool late = !c.up || c.life != life;
  if (late && !weather_.reorder) return;
  if (cut_[from][to] || (!c.held[back].empty() && !weather_.reorder)) {
    if (!late) c.held[back].push_back(message);
    return;
  }
  if (!endpoints_[to]->listens()) return;
  endpoints_[to]->Receive(message);
}

}  // namespace raft::sim

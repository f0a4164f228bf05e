// Connections between servers, and what can happen to them and on them.
//
// In fair weather a connection is what TCP promises: in order, all or a broken connection. In foul
// weather messages are lost, doubled and overtaken besides, and arrive after their connection
// broke.
#ifndef TESTS_RAFT_SIM_NETWORK_H_
#define TESTS_RAFT_SIM_NETWORK_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "raft/message.h"
#include "raft/server.h"
#include "tests/raft/sim/world.h"

namespace raft::sim {

struct Weather {
  int64_t min_delay_ms = 0;
  int64_t max_delay_ms = 3;
  double drop_percent = 0;
  double duplicate_percent = 0;
  bool reorder = false;
};

// Whom the network brings messages to.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual bool listens() const = 0;
  virtual const std::string& address() const = 0;
  virtual void Receive(const Message& message) = 0;
  virtual void Connected(const std::string& address) = 0;
};

// Endpoints are numbered in the order in which they are attached; IdOfNode() of the number is the
// id of the server there.
class Network {
 public:
  explicit Network(World* world) : world_(world) {}

  void Attach(Endpoint* endpoint);  // Not owned.
  void set_weather(const Weather& weather) { weather_ = weather; }

  // From now on `from` tries to be connected to exactly these.
  void KeepConnected(int from, const std::vector<std::string>& addresses);
  void Send(int from, Outgoing outgoing);
  // `node` stopped: its connections break.
  void Disconnect(int node);

  // What `from` sends to `to` does not arrive, until it is mended. A connection survives that for a
  // while, and then what was held up arrives.
  void Cut(int from, int to);
  void Mend(int from, int to);
  void MendAll();
  // Both connections between them, with all that is on its way.
  void Break(int a, int b);
  void BreakAll();

 private:
  // Made by one side, used by both.
  struct Connection {
    bool wanted = false;
    bool trying = false;
    bool up = false;
    uint64_t life = 0;  // Counts how often it was made.
    // Towards the listener, and back:
    int64_t last_arrival_ms[2] = {0, 0};
    std::deque<Message> held[2];
  };

  Connection& connection(int from, int to) { return connections_[from][to]; }
  int size() const { return static_cast<int>(endpoints_.size()); }
  int NodeAt(const std::string& address) const;  // -1: none.
  bool severed(int a, int b) const { return cut_[a][b] || cut_[b][a]; }
  void TryToConnect(int from, int to, int64_t delay_ms);
  void Drop(int from, int to);
  void Transmit(int connector, int listener, bool back, Message message);
  void Arrive(int connector, int listener, bool back, uint64_t life, const Message& message);

  World* world_;
  Weather weather_;
  std::vector<Endpoint*> endpoints_;
  std::vector<std::vector<Connection>> connections_;  // [connector][listener]
  std::vector<std::vector<bool>> cut_;
};

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_NETWORK_H_

// Members for tests of single rules.
#ifndef TESTS_RAFT_SERVER_TEST_UTIL_H_
#define TESTS_RAFT_SERVER_TEST_UTIL_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "raft/server.h"

namespace raft {

inline ServerId Id(uint64_t n) { return ServerId{n << 48, n}; }
inline std::string Address(uint64_t n) { return absl::StrCat("tcp:127.0.0.1:", 6000 + n); }
inline Payload Text(absl::string_view text) { return std::make_shared<const std::string>(text); }

inline PersistentState Member(uint64_t self, uint64_t n_servers) {
  Servers servers;
  for (uint64_t i = 1; i <= n_servers; ++i) servers[Id(i)] = Address(i);
  SnapshotInfo snapshot;
  snapshot.term = 1;
  snapshot.index = 1;
  snapshot.eid = EntryId{0, 1};
  snapshot.servers = std::make_shared<const Servers>(servers);
  PersistentState state;
  state.server_id = Id(self);
  state.local_address = Address(self);
  state.name = "db";
  state.cluster_id = ClusterId{1, 1};
  state.log = Log(snapshot);
  state.term = 1;
  state.commit_index = 1;
  return state;
}

// Members that hear each other at once, and whose disks are as fast as that.
class Cluster {
 public:
  explicit Cluster(uint64_t n) {
    for (uint64_t i = 1; i <= n; ++i) Add(i, Member(i, n));
  }

  void Add(uint64_t i, PersistentState state) {
    servers_[Id(i)] = std::make_unique<Server>(std::move(state), Server::Options{.seed = i}, now_);
    addresses_[Address(i)] = Id(i);
  }

  void Remove(uint64_t i) { servers_.erase(Id(i)); }

  Server& operator[](uint64_t i) { return *servers_.at(Id(i)); }
  std::vector<Settled>& settled(uint64_t i) { return settled_[Id(i)]; }

  // Until nobody has anything to say.
  void Run() {
    for (int round = 0; round < 100; ++round) {
      bool quiet = true;
      for (auto& [id, server] : servers_) {
        Effects effects = server->TakeEffects();
        server->Persisted(effects.last_record);
        for (Outgoing& outgoing : server->TakeEffects().messages) {
          effects.messages.push_back(std::move(outgoing));
        }
        for (const Settled& settled : effects.settled) settled_[id].push_back(settled);
        if (effects.install) server->Installed(absl::OkStatus());
        for (const Outgoing& outgoing : effects.messages) {
          quiet = false;
          const ServerId to =
              outgoing.message.to.is_zero() ? addresses_[outgoing.address] : outgoing.message.to;
          if (const auto it = servers_.find(to); it != servers_.end()) {
            it->second->Receive(outgoing.message);
          }
        }
      }
      if (quiet) return;
    }
    FAIL() << "never quiet";
  }

  void Elapse(int64_t ms) {
    for (int64_t end = now_ + ms; now_ < end;) {
      now_ += 50;
      for (auto& [id, server] : servers_) server->Tick(now_);
      Run();
    }
  }

  // Gives them time to, and returns whom; 0: nobody.
  uint64_t ElectOne() {
    Elapse(3000);
    return Leader();
  }

  uint64_t Leader() const {
    for (const auto& [id, server] : servers_) {
      if (server->role() == Role::kLeader) return id.lo;
    }
    return 0;
  }

 private:
  int64_t now_ = 0;
  std::map<ServerId, std::unique_ptr<Server>> servers_;
  std::map<std::string, ServerId> addresses_;
  std::map<ServerId, std::vector<Settled>> settled_;
};

// The rest is for a test that plays all servers but one.

inline void Tell(Server* server, uint64_t from, decltype(Message::body) body,
                 absl::string_view comment = {}) {
  server->Receive({ClusterId{1, 1}, server->id(), Id(from), std::string(comment), std::move(body)});
}

// Server 2 of three votes for server 1.
inline void Elect(Server* server) {
  server->ForceElection();
  server->Persisted(server->TakeEffects().last_record);
  Tell(server, 2, VoteReply{server->term(), server->id()});
  ASSERT_EQ(server->role(), Role::kLeader);
}

}  // namespace raft

#endif  // TESTS_RAFT_SERVER_TEST_UTIL_H_

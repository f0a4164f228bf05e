// Single rules of a member, one at a time; whole clusters are the simulation's.
#include "raft/server.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace raft {
namespace {

ServerId Id(uint64_t n) { return ServerId{n << 48, n}; }
std::string Address(uint64_t n) { return absl::StrCat("tcp:127.0.0.1:", 6000 + n); }
Payload Text(absl::string_view text) { return std::make_shared<const std::string>(text); }

PersistentState Member(uint64_t self, uint64_t n_servers) {
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

TEST(ServerTest, ALoneServerLeadsAndCommitsWhatIsOnItsDisk) {
  Server server(Member(1, 1), {}, 0);
  EXPECT_EQ(server.role(), Role::kCandidate);  // Its vote is not on disk.
  server.Persisted(server.TakeEffects().last_record);
  EXPECT_EQ(server.role(), Role::kLeader);
  Effects effects = server.TakeEffects();
  EXPECT_FALSE(server.accepts_proposals());  // Nothing of its term is on disk.
  server.Persisted(effects.last_record);
  ASSERT_TRUE(server.Propose(Text("[null,{}]"), EntryId{0, 1}, EntryId{0, 2}).ok());
  effects = server.TakeEffects();
  EXPECT_TRUE(effects.settled.empty());
  server.Persisted(effects.last_record);
  effects = server.TakeEffects();
  ASSERT_EQ(effects.settled.size(), 1);
  EXPECT_EQ(effects.settled[0].outcome, Settled::kCommitted);
  EXPECT_EQ(effects.commit_index, server.log().last_index());
}

TEST(ServerTest, ThreeServersElectOneAndCommitInOrder) {
  Cluster cluster(3);
  cluster.Elapse(3000);
  const uint64_t leader = cluster.Leader();
  ASSERT_NE(leader, 0);
  EntryId prereq{0, 1};
  for (uint64_t n = 2; n < 12; ++n) {
    ASSERT_TRUE(cluster[leader].Propose(Text("[null,{}]"), prereq, EntryId{0, n}).ok());
    prereq = EntryId{0, n};
  }
  cluster.Run();
  EXPECT_EQ(cluster.settled(leader).size(), 10);
  for (uint64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(cluster[i].commit_index(), cluster[leader].log().last_index());
    EXPECT_EQ(cluster[i].log().last_eid(), (EntryId{0, 11}));
  }
}

TEST(ServerTest, AFollowerForwardsAndLearnsTheOutcome) {
  Cluster cluster(3);
  cluster.Elapse(3000);
  const uint64_t leader = cluster.Leader();
  const uint64_t a = leader % 3 + 1;
  const uint64_t b = a % 3 + 1;
  EXPECT_FALSE(cluster[a].Propose(Text("[null,{}]"), EntryId{0, 9}, EntryId{1, 1}).ok());
  // Both build on the same state: only one can have it.
  ASSERT_TRUE(cluster[a].Propose(Text("[null,{}]"), EntryId{0, 1}, EntryId{1, 1}).ok());
  ASSERT_TRUE(cluster[a].Propose(Text("[null,{}]"), EntryId{1, 1}, EntryId{1, 2}).ok());
  ASSERT_TRUE(cluster[b].Propose(Text("[null,{}]"), EntryId{0, 1}, EntryId{2, 1}).ok());
  cluster.Run();
  ASSERT_EQ(cluster.settled(a).size(), 2);
  ASSERT_EQ(cluster.settled(b).size(), 1);
  const bool a_won = cluster.settled(a)[0].outcome == Settled::kCommitted;
  EXPECT_EQ(cluster.settled(a)[1].outcome, cluster.settled(a)[0].outcome);
  EXPECT_EQ(cluster.settled(b)[0].outcome, a_won ? Settled::kRefused : Settled::kCommitted);
}

TEST(ServerTest, ANewcomerIsBroughtUpToDateAndAdded) {
  Cluster cluster(1);
  cluster.Run();
  PersistentState joining;
  joining.server_id = Id(2);
  joining.local_address = Address(2);
  joining.name = "db";
  joining.remote_addresses = {Address(1)};
  cluster.Add(2, std::move(joining));
  cluster.Elapse(3000);
  EXPECT_EQ(cluster[2].membership(), Membership::kMember);
  EXPECT_EQ(cluster[2].cluster_id(), cluster[1].cluster_id());
  EXPECT_EQ(cluster[1].status(0).servers.size(), 2);
  EXPECT_EQ(cluster[2].commit_index(), cluster[1].commit_index());

  ASSERT_TRUE(cluster[2].Leave().ok());
  cluster.Elapse(3000);
  EXPECT_EQ(cluster[2].membership(), Membership::kLeft);
  EXPECT_EQ(cluster[1].status(0).servers.size(), 1);
  EXPECT_TRUE(cluster[1].accepts_proposals());
}

// A member that lost its file and its name, and joins anew.
TEST(ServerTest, ANewcomerTakesThePlaceOfWhoWasAtItsAddress) {
  for (const bool is_alive : {false, true}) {
    SCOPED_TRACE(is_alive);
    Cluster cluster(3);
    cluster.Elapse(3000);
    const uint64_t leader = cluster.Leader();
    ASSERT_NE(leader, 0);
    const uint64_t lost = leader % 3 + 1;
    if (!is_alive) cluster.Remove(lost);
    PersistentState joining;
    joining.server_id = Id(4);
    joining.local_address = Address(lost);
    joining.name = "db";
    joining.remote_addresses = {Address(leader)};
    cluster.Add(4, std::move(joining));
    cluster.Elapse(500);
    EXPECT_EQ(cluster[4].membership(), Membership::kMember);
    EXPECT_EQ(cluster[leader].status(0).servers.size(), 4);  // It may be late.
    cluster.Elapse(3000);
    EXPECT_EQ(cluster[leader].status(0).servers.size(), is_alive ? 4 : 3);
    EXPECT_EQ(cluster[4].membership(), Membership::kMember);
  }
}

TEST(ServerTest, StandsWhenItsTimeHasComeButNotWhenItOverslept) {
  Server server(Member(1, 3), {}, 0);
  int64_t due = server.next_tick_ms();
  server.Tick(due + 10000);  // Stopped meanwhile: the leader may have sent any number of messages.
  EXPECT_EQ(server.role(), Role::kFollower);
  due = server.next_tick_ms();
  EXPECT_GT(due, 11000);
  server.Tick(due);
  EXPECT_EQ(server.role(), Role::kCandidate);
}

// Else the cluster is without a leader for longer than it has to be.
TEST(ServerTest, MostServersWaitNotMuchLongerThanTheElectionTimer) {
  std::vector<int64_t> waits;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    waits.push_back(Server(Member(1, 3), {.seed = seed}, 0).next_tick_ms());
  }
  std::sort(waits.begin(), waits.end());
  EXPECT_GE(waits.front(), 1000);
  EXPECT_LT(waits.back(), 1500);
  EXPECT_LT(waits[50], 1150);
  EXPECT_GT(waits[90], 1300);  // But they must differ, or all stand at once.
}

TEST(ServerTest, VotesOnceInATermAndOnlyWhenThatIsOnDisk) {
  Server server(Member(1, 3), {}, 0);
  Message request;
  request.cluster = ClusterId{1, 1};
  request.to = Id(1);
  request.from = Id(2);
  request.body = VoteRequest{.term = 5, .last_log_index = 1, .last_log_term = 1};
  server.Receive(request);
  Effects effects = server.TakeEffects();
  EXPECT_TRUE(effects.messages.empty());
  server.Persisted(effects.last_record);
  effects = server.TakeEffects();
  ASSERT_EQ(effects.messages.size(), 1);
  EXPECT_EQ(std::get<VoteReply>(effects.messages[0].message.body).vote, Id(2));
  request.from = Id(3);
  server.Receive(request);
  effects = server.TakeEffects();
  ASSERT_EQ(effects.messages.size(), 1);
  EXPECT_EQ(std::get<VoteReply>(effects.messages[0].message.body).vote, Id(2));
}

// Members that hear nothing at all for a long time must not take that for a sleep of their own.
TEST(ServerTest, AFollowerThatIsWokenOnlyWhenItAskedForItStands) {
  Server server(Member(1, 3), {}, 0);
  for (int i = 0; i < 3; ++i) server.Tick(server.next_tick_ms());
  EXPECT_EQ(server.role(), Role::kCandidate);
}

TEST(ServerTest, ARefusalOfOneCopyOfACommandSettlesNothing) {
  Server server(Member(1, 3), {}, 0);
  const auto receive = [&server](decltype(Message::body) body) {
    server.Receive({ClusterId{1, 1}, Id(1), Id(2), "", std::move(body)});
  };
  AppendRequest request{.term = 1, .prev_log_index = 1, .prev_log_term = 1, .leader_commit = 1};
  receive(request);
  ASSERT_TRUE(server.Propose(Text("[null,{}]"), EntryId{0, 1}, EntryId{0, 2}).ok());
  receive(ExecuteReply{EntryId{0, 2}, CommandStatus::kBadPrereq, 0});
  EXPECT_TRUE(server.TakeEffects().settled.empty());
  request.log = {Entry{.term = 1, .data = Text("[null,{}]"), .eid = EntryId{0, 2}}};
  request.leader_commit = 2;
  receive(request);
  const Effects effects = server.TakeEffects();
  ASSERT_EQ(effects.settled.size(), 1);
  EXPECT_EQ(effects.settled[0].outcome, Settled::kCommitted);
}

// The one with the better log knows of an older term only.
// As leader it had the first in its log, but the second could not follow it.
TEST(ServerTest, CommandsAreForwardedOnceInAWhile) {
  Server server(Member(1, 3), {}, 0);
  int64_t now = 0;
  const auto receive = [&](uint64_t from, decltype(Message::body) body) {
    server.Tick(now);
    server.Receive({ClusterId{1, 1}, Id(1), Id(from), "", std::move(body)});
    int n = 0;
    Effects effects = server.TakeEffects();
    server.Persisted(effects.last_record);
    for (const Outgoing& outgoing : effects.messages) {
      n += std::holds_alternative<ExecuteRequest>(outgoing.message.body) ? 1 : 0;
    }
    return n;
  };
  receive(2, AppendRequest{2, 1, 1, 1, {}});
  ASSERT_TRUE(server.Propose(Text("[null,{}]"), EntryId{0, 1}, EntryId{0, 10}).ok());
  ASSERT_TRUE(server.Propose(Text("[null,{}]"), EntryId{0, 10}, EntryId{0, 11}).ok());
  const auto entry = [](uint64_t eid) {
    return Entry{.term = 2, .data = Text("[null,{}]"), .eid = EntryId{0, eid}};
  };
  EXPECT_EQ(receive(2, AppendRequest{2, 1, 1, 1, {entry(10), entry(20)}}), 2);
  server.ForceElection();
  receive(3, VoteReply{3, Id(1)});
  receive(3, VoteReply{3, Id(1)});
  ASSERT_EQ(server.role(), Role::kLeader);
  server.Tick(now);
  int n = 0;
  for (; now < 10000; now += 100) n += receive(3, AppendRequest{4, 3, 2, 1, {}});
  EXPECT_GE(n, 2);
  EXPECT_LE(n, 6);
}

TEST(ServerTest, APrevoteThatIsNotGrantedTellsTheTermAllTheSame) {
  PersistentState state = Member(1, 2);
  state.log.Append(Entry{.term = 1});
  Server server(std::move(state), {}, 0);
  server.Receive(
      {ClusterId{1, 1}, Id(1), Id(2), "",
       VoteRequest{.term = 9, .last_log_index = 1, .last_log_term = 1, .is_prevote = true}});
  EXPECT_EQ(server.term(), 9);
}

// It would lead a cluster that it does not belong to.
TEST(ServerTest, ALeaderThatIsToGoHandsOverFirst) {
  Cluster cluster(2);
  cluster.Elapse(3000);
  const uint64_t leader = cluster.Leader();
  ASSERT_NE(leader, 0);
  const Index end = cluster[leader].log().end();
  EXPECT_TRUE(cluster[leader].Kick(Id(leader)).ok());
  cluster[leader].Tick(1);
  EXPECT_EQ(cluster[leader].log().end(), end);
  cluster.Elapse(3000);
  EXPECT_EQ(cluster[leader].membership(), Membership::kLeft);
  EXPECT_EQ(cluster[3 - leader].role(), Role::kLeader);
  EXPECT_EQ(cluster[3 - leader].status(0).servers.size(), 1);
}

// With the third out of the configuration nothing could be committed without the second, which is
// away.
TEST(ServerTest, NobodyIsTakenOutWhoCannotBeSpared) {
  Cluster cluster(3);
  cluster.Elapse(3000);
  const uint64_t leader = cluster.Leader();
  ASSERT_NE(leader, 0);
  const uint64_t away = leader % 3 + 1;
  const uint64_t other = away % 3 + 1;
  cluster.Remove(away);
  cluster.Elapse(2000);
  ASSERT_TRUE(cluster[leader].Kick(Id(other)).ok());
  cluster.Elapse(2000);
  EXPECT_EQ(cluster[leader].status(0).servers.size(), 3);
  ASSERT_TRUE(cluster[leader].Kick(Id(away)).ok());
  cluster.Elapse(2000);
  EXPECT_EQ(cluster[leader].status(0).servers.size(), 1);  // And then the other could be.
}

// Nor while one that would be needed has lost its file: what comes late of what it said before does
// not count.
TEST(ServerTest, NobodyIsTakenOutWhileAnotherReturns) {
  Cluster cluster(3);
  cluster.Elapse(3000);
  const uint64_t leader = cluster.Leader();
  ASSERT_NE(leader, 0);
  const uint64_t lost = leader % 3 + 1;
  Server& server = cluster[leader];
  cluster.Remove(lost);
  const auto answer = [&](absl::string_view comment) {
    const Index last = server.log().last_index();
    server.Receive({ClusterId{1, 1}, Id(leader), Id(lost), std::string(comment),
                    AppendReply{server.term(), last + 1, last, server.log().last_term()}});
  };
  ASSERT_TRUE(server.Kick(Id(lost % 3 + 1)).ok());
  answer("");
  cluster.Elapse(100);
  EXPECT_EQ(server.status(0).servers.size(), 3);  // That was on its way.
  for (int i = 0; i < 10; ++i) {
    answer(kReturning);
    answer("");
    cluster.Elapse(200);
  }
  EXPECT_EQ(server.status(0).servers.size(), 3);
  for (int i = 0; i < 10; ++i) {
    answer("");
    cluster.Elapse(200);
  }
  EXPECT_EQ(server.status(0).servers.size(), 2);
}

// The leader of a cluster of one added it, and has lost what it acknowledged meanwhile.
TEST(ServerTest, ANewcomerStandsThatHasNotHeardThatItIsIn) {
  PersistentState state = Member(2, 1);
  state.remote_addresses = {Address(1)};
  state.log.Append(
      Entry{.term = 1, .servers = std::make_shared<const Servers>(*Member(1, 2).log.servers(1))});
  Server server(std::move(state), {}, 0);
  for (int i = 0; i < 3; ++i) server.Tick(std::max<int64_t>(1, server.next_tick_ms()));
  EXPECT_EQ(server.role(), Role::kCandidate);
}

TEST(ServerTest, WhoAskedForItsRemovalHearsThatTheLeaderLeadsNoMore) {
  Server leader(Member(1, 3), {}, 0);
  leader.ForceElection();
  const auto receive = [&leader](uint64_t from, decltype(Message::body) body) {
    leader.Receive({ClusterId{1, 1}, Id(1), Id(from), "", std::move(body)});
  };
  leader.Persisted(leader.TakeEffects().last_record);
  receive(2, VoteReply{leader.term(), Id(1)});
  receive(3, RemoveServerRequest{Id(3)});
  leader.Persisted(leader.TakeEffects().last_record);
  receive(2, AppendRequest{.term = leader.term() + 1});
  leader.Persisted(leader.TakeEffects().last_record);
  const Effects effects = leader.TakeEffects();
  std::vector<RemoveServerReply> replies;
  for (const Outgoing& outgoing : effects.messages) {
    const auto* reply = std::get_if<RemoveServerReply>(&outgoing.message.body);
    if (reply == nullptr) continue;
    EXPECT_EQ(outgoing.message.to, Id(3));
    replies.push_back(*reply);
  }
  ASSERT_EQ(replies.size(), 1);
  EXPECT_FALSE(replies[0].success);
  EXPECT_EQ(replies[0].target, ServerId());  // It itself.
}

// What a leader that always has something to propose, and a follower like stock's, get into the log
// in a second. The follower's commands are based on what is committed, and come one at a time; if
// it is shy, only while it knows of no entry that is not committed, but for the first.
void ShareASecond(bool shy, uint64_t* own, uint64_t* forwarded) {
  Server leader(Member(1, 3), {}, 0);
  leader.ForceElection();
  const auto receive = [&leader](uint64_t from, decltype(Message::body) body) {
    leader.Receive({ClusterId{1, 1}, Id(1), Id(from), "", std::move(body)});
  };
  leader.Persisted(leader.TakeEffects().last_record);
  receive(2, VoteReply{leader.term(), Id(1)});
  ASSERT_EQ(leader.role(), Role::kLeader);
  leader.Persisted(leader.TakeEffects().last_record);
  receive(2, AppendReply{leader.term(), 3, 1, 1, 1});

  Index known = leader.commit_index();  // To the follower, one round later.
  for (int64_t now = 1; now <= 1000; ++now) {
    leader.Tick(now);
    // Whenever one may propose, somebody does.
    if (leader.accepts_proposals()) {
      const EntryId eid{1, ++*own};
      ASSERT_TRUE(leader.Propose(Text("[null,{}]"), leader.log().last_eid(), eid).ok());
    }
    const EntryId eid{2, *forwarded + 1};
    if (!shy || *forwarded == 0 || known == leader.log().last_index()) {
      receive(3, ExecuteRequest{Text("[null,{}]"), leader.log().eid(known), eid});
    }
    if (leader.log().last_eid() == eid) ++*forwarded;
    known = leader.commit_index();
    leader.Persisted(leader.TakeEffects().last_record);
    const Index last = leader.log().last_index();
    receive(2, AppendReply{leader.term(), last + 1, last, leader.log().term(last), 0});
  }
}

TEST(ServerTest, ABusyLeaderLeavesAFollowerItsTurn) {
  for (const bool shy : {false, true}) {
    uint64_t own = 0;
    uint64_t forwarded = 0;
    ShareASecond(shy, &own, &forwarded);
    EXPECT_GT(forwarded, 200) << shy;
    EXPECT_GT(own, 200) << shy;
  }
}

TEST(ServerTest, ASnapshotThatCouldNotBeInstalledIsAskedForAgain) {
  Server server(Member(1, 3), {}, 0);
  const auto send = [&server] {
    SnapshotInfo snapshot = Member(1, 3).log.snapshot();
    snapshot.index = 9;
    server.Receive(
        {ClusterId{1, 1}, Id(1), Id(2), "", InstallSnapshotRequest{1, snapshot, Text("[]")}});
    return server.TakeEffects();
  };
  const auto refusals = [&server] {
    int n = 0;
    for (const Outgoing& outgoing : server.TakeEffects().messages) {
      const auto* reply = std::get_if<InstallSnapshotReply>(&outgoing.message.body);
      if (reply != nullptr && reply->last_index == 0) ++n;
    }
    return n;
  };
  ASSERT_TRUE(send().install.has_value());
  server.Installed(absl::UnavailableError("not now"));
  EXPECT_EQ(refusals(), 0);  // Not at once, which may go on and on.
  server.Tick(1000);
  EXPECT_EQ(refusals(), 1);
  server.SetDiskStatus(absl::ResourceExhaustedError("full"));
  EXPECT_FALSE(send().install.has_value());
  server.Tick(2000);
  EXPECT_EQ(refusals(), 0);
  server.SetDiskStatus(absl::OkStatus());
  server.Tick(2001);
  EXPECT_EQ(refusals(), 1);
}

// The time for that may come in the moment in which it gives the leader up, and the leader be heard
// of again. (When it gives up is chance.)
TEST(ServerTest, ASnapshotIsAskedForAgainWhenTheLeaderIsBack) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Server server(Member(1, 3), {.seed = seed}, 0);
    const auto receive = [&server](decltype(Message::body) body) {
      server.Receive({ClusterId{1, 1}, Id(1), Id(2), "", std::move(body)});
    };
    SnapshotInfo snapshot = Member(1, 3).log.snapshot();
    snapshot.index = 9;
    receive(InstallSnapshotRequest{1, snapshot, Text("[]")});
    server.Installed(absl::UnavailableError("not now"));
    server.Tick(1100);
    for (const int64_t now : {1600, 2100}) {
      receive(AppendRequest{.term = 1, .prev_log_index = 9, .prev_log_term = 1});
      server.Tick(now);
    }
    const std::vector<Outgoing> messages = server.TakeEffects().messages;
    EXPECT_EQ(absl::c_count_if(messages,
                               [](const Outgoing& outgoing) {
                                 return std::holds_alternative<InstallSnapshotReply>(
                                     outgoing.message.body);
                               }),
              1)
        << seed;
  }
}

TEST(ServerTest, ALeaderStartsOverWithASnapshotThatFailed) {
  Cluster cluster(1);
  cluster.Run();
  Server& leader = cluster[1];
  const auto receive = [&leader](decltype(Message::body) body) {
    leader.Receive({ClusterId{1, 1}, Id(1), Id(2), "", std::move(body)});
    size_t n = 0;
    for (const Outgoing& outgoing : leader.TakeEffects().messages) {
      n += std::holds_alternative<InstallSnapshotRequest>(outgoing.message.body) ? 1 : 0;
    }
    return n;
  };
  receive(AddServerRequest{Address(2)});
  EXPECT_EQ(receive(AppendReply{leader.term(), 1, leader.log().last_index(),
                                leader.log().last_term(), 0, AppendResult::kInconsistency}),
            1);
  EXPECT_EQ(receive(InstallSnapshotReply{leader.term(), 0, 0}), 1);

  // A follower drops one that comes while it is busy with an older one: what it says is what it
  // has.
  leader.Persisted(leader.TakeEffects().last_record);
  ASSERT_GT(leader.commit_index(), leader.log().snapshot().index);
  leader.Compacted(leader.commit_index());
  const SnapshotInfo old = Member(1, 1).log.snapshot();
  ASSERT_GT(leader.log().snapshot().index, old.index);
  EXPECT_EQ(receive(InstallSnapshotReply{leader.term(), 0, 0}), 1);
  EXPECT_EQ(receive(InstallSnapshotReply{leader.term(), old.index, old.term}), 1);
  EXPECT_EQ(receive(InstallSnapshotReply{leader.term(), old.index, old.term}), 0);
}

TEST(ServerTest, WarnsOfASecondServerWithAnId) {
  Server server(Member(1, 3), {}, 0);
  const auto warnings = [&server](uint64_t address) {
    server.Receive({ClusterId{1, 1}, Id(1), Id(2), "", HelloRequest{Address(address)}});
    return server.TakeEffects().log_lines.size();
  };
  EXPECT_EQ(warnings(2), 0);
  EXPECT_EQ(warnings(4), 1);
}

// ---- A member that comes back without its file ----

class ReturnTest : public testing::Test {
 protected:
  static PersistentState Lost() {
    PersistentState state;
    state.server_id = Id(1);
    state.local_address = Address(1);
    state.name = "db";
    state.cluster_id = ClusterId{1, 1};
    state.remote_addresses = {Address(2), Address(3)};
    state.returning = true;
    return state;
  }

  // All that it says to this, its disk being fast.
  std::vector<Outgoing> Tell(uint64_t from, decltype(Message::body) body) {
    server_.Receive({ClusterId{1, 1}, Id(1), Id(from), "", std::move(body)});
    return Take();
  }
  std::vector<Outgoing> Take() {
    Effects effects = server_.TakeEffects();
    for (Record& record : effects.records) records_.push_back(std::move(record));
    server_.Persisted(effects.last_record);
    std::vector<Outgoing> messages = std::move(effects.messages);
    effects = server_.TakeEffects();
    for (Record& record : effects.records) records_.push_back(std::move(record));
    for (Outgoing& outgoing : effects.messages) messages.push_back(std::move(outgoing));
    server_.Persisted(effects.last_record);
    return messages;
  }

  // What server 2 leads in term 3: a snapshot, and an entry behind it that is not committed.
  void GetLog() {
    Tell(2, InstallSnapshotRequest{3, Member(1, 3).log.snapshot(), Text("[]")});
    server_.Installed(absl::OkStatus());
    Take();
  }
  std::vector<Outgoing> GetEntry(Index commit) {
    return Tell(2, AppendRequest{3, 1, 1, commit, {Entry{.term = 3}}});
  }

  // The nonce of the questions that it asks.
  Index Ask() {
    now_ms_ += 1500;
    server_.Tick(now_ms_);
    Index nonce = 0;
    size_t n = 0;
    for (const Outgoing& outgoing : Take()) {
      const auto* question = std::get_if<AppendRequest>(&outgoing.message.body);
      if (question == nullptr) continue;
      EXPECT_EQ(outgoing.message.comment, kQuestion);
      EXPECT_EQ(question->term, 2);
      nonce = question->prev_log_index;
      ++n;
    }
    EXPECT_EQ(n, 2);
    return nonce;
  }
  void Answer(uint64_t from, Index nonce, Term term, Index end) {
    Tell(from, AppendReply{term, end, nonce, 0, 0, AppendResult::kInconsistency});
  }
  bool Votes() {
    for (const Outgoing& outgoing : Tell(3, VoteRequest{.term = server_.term() + 1,
                                            .last_log_index = 9,
                                            .last_log_term = 9,
                                            .leadership_transfer = true})) {
      if (std::holds_alternative<VoteReply>(outgoing.message.body)) return true;
    }
    return false;
  }

  int64_t now_ms_ = 0;
  Server server_{Lost(), {}, 0};
  std::vector<Record> records_;
};

TEST_F(ReturnTest, ItTakesPartAgainWhenItHasWhatItMayHaveAcknowledged) {
  EXPECT_FALSE(Votes());
  GetLog();
  const Index nonce = Ask();
  Answer(2, nonce, 3, 3);
  Answer(3, nonce, 2, 2);
  EXPECT_FALSE(Votes());
  EXPECT_EQ(server_.membership(), Membership::kJoining);
  GetEntry(1);
  EXPECT_EQ(server_.membership(), Membership::kMember);
  EXPECT_EQ(server_.state().vote, Id(2));  // That it voted otherwise in this term, who knows?
  EXPECT_EQ(records_.back().comment, kJoinedComment);
  EXPECT_TRUE(Votes());
}

TEST_F(ReturnTest, ItNeedsTheWordOfAll) {
  GetLog();
  GetEntry(1);
  const Index nonce = Ask();
  Answer(2, nonce, 3, 3);
  Answer(2, nonce, 3, 3);
  Answer(3, nonce + 1, 2, 2);  // To somebody else's question.
  EXPECT_FALSE(Votes());
  EXPECT_EQ(server_.membership(), Membership::kJoining);
  Answer(3, nonce, 2, 2);
  EXPECT_EQ(server_.membership(), Membership::kMember);
}

TEST_F(ReturnTest, ALeaderOfThePastProvesNothing) {
  GetLog();
  GetEntry(1);
  const Index nonce = Ask();
  Answer(2, nonce, 3, 3);
  Answer(3, nonce, 4, 5);  // It voted in term 4, and perhaps with this server's vote.
  EXPECT_EQ(server_.membership(), Membership::kJoining);
  EXPECT_FALSE(Votes());
  EXPECT_EQ(server_.term(), 4);
}

// It could not acknowledge the configuration that needs it, in a cluster that was of one.
TEST(ServerTest, OneThatReturnsIsAddedWhenItCanAcknowledgeThat) {
  Cluster cluster(1);
  cluster.Elapse(100);
  Server& leader = cluster[1];
  const auto receive = [&leader](absl::string_view comment, decltype(Message::body) body) {
    leader.Receive({ClusterId{1, 1}, Id(1), Id(2), std::string(comment), std::move(body)});
    leader.TakeEffects();
    return leader.status(0).servers.size();
  };
  receive(kReturning, AddServerRequest{Address(2)});
  const Index last = leader.log().last_index();
  EXPECT_EQ(
      receive(kReturning, AppendReply{leader.term(), last + 1, last, leader.log().last_term()}), 1);
  EXPECT_EQ(receive("", AddServerRequest{Address(2)}), 2);
}

TEST_F(ReturnTest, ItAcknowledgesOnlyWhatIsCommitted) {
  GetLog();
  const auto acknowledged = [](const std::vector<Outgoing>& messages) -> int {
    for (const Outgoing& outgoing : messages) {
      const auto* reply = std::get_if<AppendReply>(&outgoing.message.body);
      if (reply != nullptr && reply->result == AppendResult::kOk) {
        return static_cast<int>(reply->prev_log_index + reply->n_entries);
      }
    }
    return -1;
  };
  EXPECT_EQ(acknowledged(GetEntry(1)), 1);
  EXPECT_EQ(acknowledged(Tell(2, AppendRequest{3, 2, 3, 1, {}})), -1);
  EXPECT_EQ(acknowledged(Tell(2, AppendRequest{3, 2, 3, 2, {}})), 2);
}

// The reply may take its time, and the server be added again meanwhile.
TEST(ServerTest, ARemovalFromBeforeItCameBackIsNone) {
  PersistentState state = Member(1, 3);
  Entry configuration;
  configuration.term = 4;
  configuration.servers = state.log.servers(1);
  state.log.Append(configuration);
  state.term = 4;
  state.commit_index = 2;
  const auto membership_after = [&](const std::string& comment) {
    Server server(state, {}, 0);
    server.Receive({ClusterId{1, 1}, Id(1), Id(2), comment, RemoveServerReply{true, {}}});
    return server.membership();
  };
  EXPECT_EQ(membership_after("already not in cluster, as of 3:9"), Membership::kMember);
  EXPECT_EQ(membership_after("already not in cluster, as of 4:1"), Membership::kMember);
  EXPECT_EQ(membership_after("already not in cluster, as of 4:3"), Membership::kLeft);
  EXPECT_EQ(membership_after("already not in cluster, as of 5:2"), Membership::kLeft);
  // Stock does not say; nor does a garbler.
  EXPECT_EQ(membership_after("already not in cluster"), Membership::kLeft);
  EXPECT_EQ(membership_after("already not in cluster, as of long ago"), Membership::kLeft);
}

TEST(ServerTest, ARemovalTellsWhatWasCommittedThen) {
  Cluster cluster(3);
  cluster.Elapse(3000);
  const uint64_t leader = cluster.Leader();
  ASSERT_NE(leader, 0);
  cluster[leader].Receive({ClusterId{1, 1}, Id(leader), Id(9), "", VoteRequest{.term = 1}});
  const std::vector<Outgoing> messages = cluster[leader].TakeEffects().messages;
  ASSERT_EQ(messages.size(), 1);
  EXPECT_TRUE(std::get<RemoveServerReply>(messages[0].message.body).success);
  EXPECT_EQ(messages[0].message.comment,
            absl::StrCat("already not in cluster, as of ", cluster[leader].term(), ":",
                         cluster[leader].commit_index()));
}

TEST(ServerTest, AnswersARemovalWhenItIsCommitted) {
  Cluster cluster(2);
  cluster.Elapse(3000);
  const uint64_t leader = cluster.Leader();
  ASSERT_NE(leader, 0);
  const ServerId other = Id(3 - leader);
  const Message request{ClusterId{1, 1}, Id(leader), other, "", RemoveServerRequest{other}};
  for (int i = 0; i < 2; ++i) {
    cluster[leader].Receive(request);
    for (const Outgoing& outgoing : cluster[leader].TakeEffects().messages) {
      EXPECT_FALSE(std::holds_alternative<RemoveServerReply>(outgoing.message.body));
    }
  }
}

}  // namespace
}  // namespace raft

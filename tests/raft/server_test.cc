// Single rules of a member, one at a time; whole clusters are the simulation's.
#include "raft/server.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "tests/raft/server_test_util.h"

namespace raft {
namespace {

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
  const uint64_t leader = cluster.ElectOne();
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
  const uint64_t leader = cluster.ElectOne();
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

TEST(ServerTest, IsDisconnectedSoonerIfItNeverHadALeader) {
  Server server(Member(1, 3), {}, 0);
  const auto is_disconnected = [&server] {
    return server.status(server.next_tick_ms()).disconnected;
  };
  EXPECT_FALSE(is_disconnected());
  server.Tick(server.next_tick_ms());
  EXPECT_TRUE(is_disconnected());
  Tell(&server, 2, AppendRequest{.term = 1, .prev_log_index = 1, .prev_log_term = 1});
  EXPECT_FALSE(is_disconnected());
  server.Tick(server.next_tick_ms());
  ASSERT_EQ(server.role(), Role::kCandidate);
  EXPECT_FALSE(is_disconnected());
  server.Tick(server.next_tick_ms());
  EXPECT_TRUE(is_disconnected());
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
    Tell(&server, 2, std::move(body));
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

// As leader it had the first in its log, but the second could not follow it.
TEST(ServerTest, CommandsAreForwardedOnceInAWhile) {
  Server server(Member(1, 3), {}, 0);
  int64_t now = 0;
  const auto receive = [&](uint64_t from, decltype(Message::body) body) {
    server.Tick(now);
    Tell(&server, from, std::move(body));
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

// The one with the better log knows of an older term only.
TEST(ServerTest, APrevoteThatIsNotGrantedTellsTheTermAllTheSame) {
  PersistentState state = Member(1, 2);
  state.log.Append(Entry{.term = 1});
  Server server(std::move(state), {}, 0);
  server.Receive(
      {ClusterId{1, 1}, Id(1), Id(2), "",
       VoteRequest{.term = 9, .last_log_index = 1, .last_log_term = 1, .is_prevote = true}});
  EXPECT_EQ(server.term(), 9);
}

// What a leader that always has something to propose, and a follower like stock's, get into the log
// in a second. The follower's commands are based on what is committed, and come one at a time; if
// it is shy, only while it knows of no entry that is not committed, but for the first.
void ShareASecond(bool shy, uint64_t* own, uint64_t* forwarded) {
  Server leader(Member(1, 3), {}, 0);
  Elect(&leader);
  leader.Persisted(leader.TakeEffects().last_record);
  Tell(&leader, 2, AppendReply{leader.term(), 3, 1, 1, 1});

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
      Tell(&leader, 3, ExecuteRequest{Text("[null,{}]"), leader.log().eid(known), eid});
    }
    if (leader.log().last_eid() == eid) ++*forwarded;
    known = leader.commit_index();
    leader.Persisted(leader.TakeEffects().last_record);
    const Index last = leader.log().last_index();
    Tell(&leader, 2, AppendReply{leader.term(), last + 1, last, leader.log().term(last), 0});
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

}  // namespace
}  // namespace raft

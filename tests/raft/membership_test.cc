// Who comes into a cluster, and who goes.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "raft/server.h"
#include "tests/raft/server_test_util.h"

namespace raft {
namespace {

TEST(MembershipTest, ANewcomerIsBroughtUpToDateAndAdded) {
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
TEST(MembershipTest, ANewcomerTakesThePlaceOfWhoWasAtItsAddress) {
  for (const bool is_alive : {false, true}) {
    SCOPED_TRACE(is_alive);
    Cluster cluster(3);
    const uint64_t leader = cluster.ElectOne();
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
    EXPECT_TRUE(cluster[leader].status(0).removing.empty());
    EXPECT_EQ(cluster[4].membership(), Membership::kMember);
  }
}

// The leader of a cluster of one added it, and has lost what it acknowledged meanwhile.
TEST(MembershipTest, ANewcomerStandsThatHasNotHeardThatItIsIn) {
  PersistentState state = Member(2, 1);
  state.remote_addresses = {Address(1)};
  state.log.Append(
      Entry{.term = 1, .servers = std::make_shared<const Servers>(*Member(1, 2).log.servers(1))});
  Server server(std::move(state), {}, 0);
  for (int i = 0; i < 3; ++i) server.Tick(std::max<int64_t>(1, server.next_tick_ms()));
  EXPECT_EQ(server.role(), Role::kCandidate);
}

TEST(MembershipTest, WarnsOfASecondServerWithAnId) {
  Server server(Member(1, 3), {}, 0);
  const auto warnings = [&server](uint64_t address) {
    Tell(&server, 2, HelloRequest{Address(address)});
    return server.TakeEffects().log_lines.size();
  };
  EXPECT_EQ(warnings(2), 0);
  EXPECT_EQ(warnings(4), 1);
}

TEST(MembershipTest, WarnsOfAFollowerThatAsksForVotes) {
  Server server(Member(1, 3), {}, 0);
  server.Tick(1);
  Elect(&server);
  const auto ask = [&server] {
    server.TakeEffects();
    VoteRequest request;
    request.term = server.term();
    request.is_prevote = true;
    Tell(&server, 2, request);
    return server.TakeEffects().log_lines.size();
  };
  EXPECT_EQ(ask(), 0);  // It may not have heard of the leader.
  AppendReply reply;
  reply.term = server.term();
  Tell(&server, 2, reply);
  server.Tick(1 + server.election_timer_ms() / 2);
  EXPECT_EQ(ask(), 0);  // Or hear it no more.
  Tell(&server, 2, reply);
  EXPECT_EQ(ask(), 1);
  EXPECT_EQ(ask(), 0);  // Not each time.
}

// It would lead a cluster that it does not belong to.
TEST(MembershipTest, ALeaderThatIsToGoHandsOverFirst) {
  Cluster cluster(2);
  const uint64_t leader = cluster.ElectOne();
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

TEST(MembershipTest, ARemovalThatCannotBeAskedForIsAnError) {
  Cluster cluster(3);
  const uint64_t leader = cluster.ElectOne();
  ASSERT_NE(leader, 0);
  const uint64_t follower = leader % 3 + 1;
  const uint64_t other = follower % 3 + 1;
  cluster.Remove(leader);
  cluster.Remove(other);
  cluster.Elapse(5000);
  EXPECT_EQ(cluster[follower].Kick(Id(leader)).status().message(),
            "failed to send removal request");

  Cluster single(1);
  single.Run();
  EXPECT_FALSE(single[1].Kick(Id(1)).ok());
}

// With the third out of the configuration nothing could be committed without the second, which is
// away.
TEST(MembershipTest, NobodyIsTakenOutWhoCannotBeSpared) {
  Cluster cluster(3);
  const uint64_t leader = cluster.ElectOne();
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
TEST(MembershipTest, NobodyIsTakenOutWhileAnotherReturns) {
  Cluster cluster(3);
  const uint64_t leader = cluster.ElectOne();
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

TEST(MembershipTest, WhoAskedForItsRemovalHearsThatTheLeaderLeadsNoMore) {
  Server leader(Member(1, 3), {}, 0);
  Elect(&leader);
  Tell(&leader, 3, RemoveServerRequest{Id(3)});
  leader.Persisted(leader.TakeEffects().last_record);
  Tell(&leader, 2, AppendRequest{.term = leader.term() + 1});
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

// The reply may take its time, and the server be added again meanwhile.
TEST(MembershipTest, ARemovalFromBeforeItCameBackIsNone) {
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

TEST(MembershipTest, ARemovalTellsWhatWasCommittedThen) {
  Cluster cluster(3);
  const uint64_t leader = cluster.ElectOne();
  ASSERT_NE(leader, 0);
  cluster[leader].Receive({ClusterId{1, 1}, Id(leader), Id(9), "", VoteRequest{.term = 1}});
  const std::vector<Outgoing> messages = cluster[leader].TakeEffects().messages;
  ASSERT_EQ(messages.size(), 1);
  EXPECT_TRUE(std::get<RemoveServerReply>(messages[0].message.body).success);
  EXPECT_EQ(messages[0].message.comment,
            absl::StrCat("already not in cluster, as of ", cluster[leader].term(), ":",
                         cluster[leader].commit_index()));
}

TEST(MembershipTest, AnswersARemovalWhenItIsCommitted) {
  Cluster cluster(2);
  const uint64_t leader = cluster.ElectOne();
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

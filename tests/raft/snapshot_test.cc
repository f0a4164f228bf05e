// Snapshots on their way, and what goes wrong with them.
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "raft/server.h"
#include "tests/raft/server_test_util.h"

namespace raft {
namespace {

// A member that is far behind.
class SnapshotTest : public testing::Test {
 protected:
  // Whether it is to be installed.
  bool Offer(uint64_t from, Term term) {
    SnapshotInfo snapshot = Member(1, 3).log.snapshot();
    snapshot.index = 9;
    Tell(&server_, from, InstallSnapshotRequest{term, snapshot, Text("[]")});
    Effects effects = server_.TakeEffects();
    server_.Persisted(effects.last_record);
    for (Outgoing& outgoing : effects.messages) Keep(outgoing);
    return effects.install.has_value();
  }
  void Hear(uint64_t from, Term term) {
    Tell(&server_, from, AppendRequest{.term = term, .prev_log_index = 9, .prev_log_term = 1});
  }
  // The answers to snapshots since the last call.
  std::vector<InstallSnapshotReply> Answers() {
    Effects effects = server_.TakeEffects();
    for (Outgoing& outgoing : effects.messages) Keep(outgoing);
    server_.Persisted(effects.last_record);
    for (Outgoing& outgoing : server_.TakeEffects().messages) Keep(outgoing);
    return std::exchange(answers_, {});
  }
  // How often it asked for another one since then.
  int Questions() {
    int n = 0;
    for (const InstallSnapshotReply& reply : Answers()) n += reply.last_index == 0 ? 1 : 0;
    return n;
  }

  Server server_{Member(1, 3), {}, 0};
  ServerId answered_;  // Whom it answered last.

 private:
  void Keep(const Outgoing& outgoing) {
    const auto* reply = std::get_if<InstallSnapshotReply>(&outgoing.message.body);
    if (reply == nullptr) return;
    answers_.push_back(*reply);
    answered_ = outgoing.message.to;
  }

  std::vector<InstallSnapshotReply> answers_;
};

TEST_F(SnapshotTest, OneThatCouldNotBeInstalledIsAskedForAgain) {
  ASSERT_TRUE(Offer(2, 1));
  server_.Installed(absl::UnavailableError("not now"));
  EXPECT_EQ(Questions(), 0);  // Not at once, which may go on and on.
  server_.Tick(700);
  Hear(2, 1);
  server_.Tick(1000);
  EXPECT_EQ(Questions(), 1);
  server_.SetDiskStatus(absl::ResourceExhaustedError("full"));
  EXPECT_FALSE(Offer(2, 1));
  server_.Tick(2000);
  EXPECT_EQ(Questions(), 0);
  server_.SetDiskStatus(absl::OkStatus());
  Hear(2, 1);
  server_.Tick(2001);
  EXPECT_EQ(Questions(), 1);
}

// One of stock's that leads no more dies of an answer.
TEST_F(SnapshotTest, ASilentLeaderIsAskedWhenItIsHeardAgain) {
  ASSERT_TRUE(Offer(2, 1));
  server_.Installed(absl::UnavailableError("not now"));
  server_.Tick(1000);
  EXPECT_EQ(Questions(), 0);
  server_.Tick(1700);
  EXPECT_EQ(server_.role(), Role::kCandidate);
  Hear(2, 1);
  server_.Tick(2000);
  EXPECT_EQ(Questions(), 1);
}

TEST_F(SnapshotTest, WhoLeadsNoMoreGetsNoAnswer) {
  Hear(3, 2);
  EXPECT_FALSE(Offer(2, 1));
  EXPECT_FALSE(Offer(2, 2));
  server_.Tick(5000);
  EXPECT_TRUE(Answers().empty());
  EXPECT_TRUE(Offer(3, 2));
}

TEST_F(SnapshotTest, TheLeaderOfTheDayHearsThatOneIsInstalled) {
  ASSERT_TRUE(Offer(2, 1));
  Hear(3, 2);
  EXPECT_FALSE(Offer(3, 2));  // Busy with the first.
  server_.Installed(absl::OkStatus());
  const std::vector<InstallSnapshotReply> answers = Answers();
  ASSERT_EQ(answers.size(), 1);
  EXPECT_EQ(answers[0].last_index, 9);
  EXPECT_EQ(answered_, Id(3));
}

// What it lacks may be little, though this leader has not heard of it yet.
TEST_F(SnapshotTest, AMemberThatReconnectsToANewLeaderIsAskedWhatItHas) {
  Elect(&server_);
  server_.Persisted(server_.TakeEffects().last_record);
  Tell(&server_, 2, AppendReply{server_.term(), 3, 1, 1, 1, AppendResult::kOk});
  server_.Persisted(server_.TakeEffects().last_record);
  ASSERT_EQ(server_.commit_index(), 2);
  server_.Compacted(2);
  Hear(3, server_.term() + 1);
  Elect(&server_);
  server_.Persisted(server_.TakeEffects().last_record);

  const auto sent = [this] {
    std::vector<Message> sent;
    for (Outgoing& outgoing : server_.TakeEffects().messages) {
      if (outgoing.message.to == Id(3)) sent.push_back(std::move(outgoing.message));
    }
    return sent;
  };
  const auto is_probe = [](const std::vector<Message>& sent) {
    const auto* request = sent.empty() ? nullptr : std::get_if<AppendRequest>(&sent[0].body);
    return sent.size() == 1 && request != nullptr && request->prev_log_index == 2;
  };
  sent();
  Tell(&server_, 3, HelloRequest{Address(3)});
  EXPECT_TRUE(is_probe(sent()));
  server_.Connected(Address(3));
  std::vector<Message> connected = sent();
  std::erase_if(connected, [](const Message& message) {
    return std::holds_alternative<HelloRequest>(message.body);
  });
  EXPECT_TRUE(is_probe(connected));
  Tell(&server_, 3, AppendReply{server_.term(), 1, 2, 1, 0, AppendResult::kInconsistency});
  const std::vector<Message> last = sent();
  ASSERT_EQ(last.size(), 1);
  EXPECT_TRUE(std::holds_alternative<InstallSnapshotRequest>(last[0].body));
}

TEST_F(SnapshotTest, ALeaderStartsOverWithASnapshotThatFailed) {
  Cluster cluster(1);
  cluster.Run();
  Server& leader = cluster[1];
  const auto receive = [&leader](decltype(Message::body) body) {
    Tell(&leader, 2, std::move(body));
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

}  // namespace
}  // namespace raft

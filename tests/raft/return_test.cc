// A member that comes back without its file.
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "raft/server.h"
#include "tests/raft/server_test_util.h"

namespace raft {
namespace {

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
    raft::Tell(&server_, from, std::move(body));
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

// It could not acknowledge the configuration that needs it, in a cluster that was of one.
TEST(ReturningTest, OneThatReturnsIsAddedWhenItCanAcknowledgeThat) {
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

}  // namespace
}  // namespace raft

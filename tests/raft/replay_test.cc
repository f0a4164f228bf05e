#include "raft/replay.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ovsdb/error.h"

namespace raft {
namespace {

constexpr ServerId kA{0xaaaaaaaa00004000, 0x8000000000000001};
constexpr ServerId kB{0xbbbbbbbb00004000, 0x8000000000000002};

ServersRef Members(std::initializer_list<ServerId> ids) {
  auto servers = std::make_shared<Servers>();
  for (const ServerId& id : ids) (*servers)[id] = absl::StrCat("tcp:h:", id.lo & 0xff);
  return servers;
}

// Of server A, with a snapshot that ends at index 5 in term 3.
Header MemberHeader() {
  Header header;
  header.server_id = kA;
  header.local_address = "tcp:h:1";
  header.name = std::string("D");
  header.cluster_id = ClusterId{1, 2};
  header.snapshot = {.term = 3, .index = 5, .eid = EntryId{0, 5}, .servers = Members({kA})};
  return header;
}

Record Entered(Index index, Term term) { return {EntryRecord{index, {.term = term}}, ""}; }
Record Configured(Index index, Term term, ServersRef servers) {
  return {EntryRecord{index, {.term = term, .servers = std::move(servers)}}, ""};
}
Record Termed(Term term) { return {TermRecord{term}, ""}; }
Record Voted(Term term, const ServerId& vote) { return {VoteRecord{term, vote}, ""}; }
Record Led(Term term, const ServerId& leader) { return {LeaderRecord{term, leader}, ""}; }
Record Committed(Index index) { return {CommitRecord{index}, ""}; }
Record Noted(Note note) { return {NoteRecord{note}, ""}; }

class ReplayTest : public testing::Test {
 protected:
  // Applies the records, of which only the last may be refused, and returns what is said of it.
  std::string Apply(const std::vector<Record>& records) {
    for (const Record& record : records) {
      const absl::Status status = replay_.Apply(record);
      if (status.ok()) continue;
      EXPECT_EQ(&record, &records.back());
      EXPECT_EQ(ovsdb::ErrorString(status), "ovsdb error");
      return std::string(status.message());
    }
    return "";
  }

  const PersistentState& state() const { return replay_.state(); }

  Replay replay_{MemberHeader()};
};

TEST_F(ReplayTest, BeginsWithTheSnapshot) {
  EXPECT_EQ(state().server_id, kA);
  EXPECT_EQ(state().name, "D");
  EXPECT_EQ(state().term, 3);
  EXPECT_TRUE(state().vote.is_zero());
  EXPECT_EQ(state().commit_index, 5);
  EXPECT_EQ(state().log.end(), 6);
  EXPECT_FALSE(state().joining());
  EXPECT_TRUE(replay_.Finish().ok());
}

TEST_F(ReplayTest, TakesALifeOfAServer) {
  EXPECT_EQ(Apply({Voted(4, kB), Led(4, kB), Entered(6, 4), Entered(7, 4), Committed(6),
                   Noted(Note::kTransferLeadership), Noted(Note::kOther), Termed(6), Voted(6, kA),
                   Entered(7, 5), Entered(8, 6), Committed(8), Committed(8)}),
            "");
  EXPECT_EQ(state().term, 6);
  EXPECT_EQ(state().vote, kA);
  EXPECT_EQ(state().commit_index, 8);
  EXPECT_EQ(state().log.end(), 9);
  EXPECT_EQ(state().log.term(7), 5);
  EXPECT_FALSE(state().left);
  EXPECT_TRUE(replay_.Finish().ok());
}

TEST_F(ReplayTest, AHigherTermEndsTheVote) {
  EXPECT_EQ(Apply({Voted(4, kB)}), "");
  EXPECT_EQ(state().vote, kB);
  EXPECT_EQ(Apply({Termed(2), Termed(4)}), "");
  EXPECT_EQ(state().vote, kB);
  EXPECT_EQ(Apply({Entered(6, 5)}), "");
  EXPECT_EQ(state().term, 5);
  EXPECT_TRUE(state().vote.is_zero());
  EXPECT_EQ(Apply({Voted(5, kA), Led(6, kB)}), "");
  EXPECT_EQ(state().term, 6);
  EXPECT_TRUE(state().vote.is_zero());
}

TEST_F(ReplayTest, EntriesReplaceWhatIsNotCommitted) {
  EXPECT_EQ(Apply({Entered(6, 3), Entered(7, 3), Entered(8, 3), Committed(6), Entered(7, 4)}), "");
  EXPECT_EQ(state().log.end(), 8);
  EXPECT_EQ(state().log.term(7), 4);
}

TEST_F(ReplayTest, RefusesEntriesThatDoNotFit) {
  EXPECT_EQ(Apply({Entered(7, 3)}), "record 1 with index 7 skips past expected index 6");
  EXPECT_EQ(Apply({Entered(6, 2)}),
            "record 2 with index 6 term 2 precedes previous entry's term 3");
  EXPECT_EQ(Apply({Entered(5, 3)}),
            "record 3 attempts to truncate log from 6 to 5 entries, but commit index is already 5");
  EXPECT_EQ(Apply({Entered(0, 3)}),
            "record 4 attempts to truncate log from 6 to 0 entries, but commit index is already 5");
  EXPECT_EQ(Apply({Entered(6, 3), Committed(6), Entered(6, 4)}),
            "record 7 attempts to truncate log from 7 to 6 entries, but commit index is already 6");
  EXPECT_EQ(state().log.end(), 7);
  EXPECT_EQ(state().term, 3);
}

TEST_F(ReplayTest, RefusesASecondVote) {
  EXPECT_EQ(Apply({Voted(4, kB), Voted(4, kB), Voted(4, kA)}),
            "record 3 votes for aaaa in term 4 but a previous record for the same term voted for "
            "bbbb");
  EXPECT_EQ(state().vote, kB);
  EXPECT_EQ(Apply({Voted(3, kB)}), "record 4 votes for term 3 but current term is 4");
}

TEST_F(ReplayTest, RefusesASecondLeader) {
  EXPECT_EQ(Apply({Led(4, kB), Led(4, kB), Led(4, kA)}),
            "record 3 reports leader aaaa for term 4 but record 1 previously reported the leader "
            "as bbbb in that term");
  EXPECT_EQ(Apply({Led(5, kA), Led(4, kA)}), "");
}

TEST_F(ReplayTest, RefusesCommitsThatDoNotFit) {
  EXPECT_EQ(Apply({Committed(6)}), "record 1 advances commit index to 6 but last log index is 5");
  EXPECT_EQ(Apply({Entered(6, 3), Entered(7, 3), Committed(7), Committed(6)}),
            "record 5 regresses commit index from 7 to 6");
  EXPECT_EQ(Apply({Committed(4)}), "record 6 regresses commit index from 7 to 4");
  EXPECT_EQ(state().commit_index, 7);
}

TEST_F(ReplayTest, AServerThatLeftIsOut) {
  EXPECT_EQ(Apply({Termed(4), Noted(Note::kLeft), Termed(5)}), "");
  EXPECT_TRUE(state().left);
  EXPECT_EQ(replay_.Finish().message(),
            "error reading record 2 from D log: record 2 indicates server has left the cluster; it "
            "cannot be added back (use \"ovsdb-tool join-cluster\" to add a new server)");
}

TEST_F(ReplayTest, AServerMustBeInItsConfiguration) {
  EXPECT_EQ(Apply({Configured(6, 3, Members({kB}))}), "");
  EXPECT_EQ(replay_.Finish().message(), "server does not belong to cluster");
  EXPECT_EQ(Apply({Configured(7, 3, Members({kA, kB}))}), "");
  EXPECT_TRUE(replay_.Finish().ok());
}

// Crashed between the snapshot that it was sent and the configuration with it.
TEST_F(ReplayTest, AServerWithALogMayBeStillToJoin) {
  EXPECT_EQ(Apply({Configured(6, 3, Members({kB}))}), "");
  PersistentState joining = state();
  joining.remote_addresses = {"tcp:h:2", "tcp:h:3"};
  EXPECT_EQ(Apply({PromiseRecord(joining)}), "");
  EXPECT_TRUE(replay_.Finish().ok());
  EXPECT_EQ(state().remote_addresses, joining.remote_addresses);
  EXPECT_FALSE(state().returning);
  EXPECT_EQ(state().log.end(), 7);
  Record joined = Termed(3);
  joined.comment.append(kJoinedComment.data(), kJoinedComment.size());
  EXPECT_EQ(Apply({joined}), "");
  EXPECT_FALSE(state().joining());
  EXPECT_FALSE(replay_.Finish().ok());
}

TEST_F(ReplayTest, AFileWrittenAnewSaysTheSame) {
  EXPECT_EQ(Apply({Entered(6, 3), Entered(7, 3), Committed(6), Voted(4, kB)}), "");
  PersistentState before = state();
  before.remote_addresses = {"tcp:h:2"};
  before.returning = true;
  Replay again(MemberHeader());
  for (const Record& record : RecordsBehind(before, 5)) EXPECT_TRUE(again.Apply(record).ok());
  const PersistentState after = std::move(again).Take();
  EXPECT_EQ(after.log.end(), 8);
  EXPECT_EQ(after.commit_index, 6);
  EXPECT_EQ(after.term, 4);
  EXPECT_EQ(after.vote, kB);
  EXPECT_EQ(after.remote_addresses, before.remote_addresses);
  EXPECT_TRUE(after.returning);
}

TEST(JoiningReplayTest, HasTermAndVoteButNoLog) {
  Header header;
  header.server_id = kA;
  header.name = std::string("D");
  header.remote_addresses = {"tcp:h:2"};
  Replay replay(std::move(header));
  for (const Record& record :
       {Termed(2), Voted(3, kB), Entered(7, 2), Committed(9), Led(9, kB), Noted(Note::kLeft)}) {
    EXPECT_TRUE(replay.Apply(record).ok());
  }
  EXPECT_TRUE(replay.Finish().ok());
  const PersistentState state = std::move(replay).Take();
  EXPECT_TRUE(state.joining());
  EXPECT_EQ(state.term, 3);
  EXPECT_EQ(state.vote, kB);
  EXPECT_EQ(state.log.end(), 1);
  EXPECT_FALSE(state.left);
}

}  // namespace
}  // namespace raft

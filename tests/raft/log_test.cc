#include "raft/log.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace raft {
namespace {

Entry Data(Term term, uint64_t eid) {
  Entry entry;
  entry.term = term;
  entry.data = std::make_shared<const std::string>("[null,{}]");
  entry.eid = EntryId{0, eid};
  return entry;
}

Entry Config(Term term, const ServerId& server) {
  Entry entry;
  entry.term = term;
  entry.servers = std::make_shared<const Servers>(Servers{{server, "tcp:127.0.0.1:6643"}});
  return entry;
}

SnapshotInfo First() {
  SnapshotInfo snapshot;
  snapshot.term = 1;
  snapshot.index = 1;
  snapshot.eid = EntryId{0, 1};
  snapshot.servers = std::make_shared<const Servers>();
  return snapshot;
}

TEST(LogTest, KnowsIdsTermsAndConfigurations) {
  Log log(First());
  EXPECT_EQ(log.end(), 2);
  EXPECT_EQ(log.last_term(), 1);
  EXPECT_EQ(log.last_eid(), (EntryId{0, 1}));
  log.Append(Data(2, 7));                                   // 2
  log.Append(Config(2, ServerId{0, 9}));                    // 3
  log.Append(Entry{.term = 3});                             // 4
  log.Append(Entry{.term = 3, .election_timer_ms = 2000});  // 5
  EXPECT_EQ(log.last_index(), 5);
  EXPECT_EQ(log.term(1), 1);
  EXPECT_EQ(log.term(3), 2);
  EXPECT_FALSE(log.has_term(6));
  EXPECT_EQ(log.last_eid(), (EntryId{0, 7}));
  EXPECT_EQ(log.eid(1), (EntryId{0, 1}));
  Index since = 0;
  EXPECT_EQ(log.servers(5, &since)->count(ServerId{0, 9}), 1);
  EXPECT_EQ(since, 3);
  EXPECT_TRUE(log.servers(2, &since)->empty());
  EXPECT_EQ(since, 1);
  EXPECT_EQ(log.election_timer_ms(4), kDefaultElectionTimerMs);
  EXPECT_EQ(log.election_timer_ms(5), 2000);

  log.Truncate(3);
  EXPECT_EQ(log.end(), 3);
  EXPECT_TRUE(log.servers(2)->empty());
}

TEST(LogTest, KeepsWhatFollowsASnapshotOfItsOwn) {
  Log log(First());
  for (uint64_t i = 2; i <= 6; ++i) log.Append(Data(2, i));
  SnapshotInfo snapshot = First();
  snapshot.index = 4;
  snapshot.term = 2;
  std::deque<Entry> gone = log.Compact(snapshot);
  ASSERT_EQ(gone.size(), 3);
  EXPECT_EQ(gone.front().eid, (EntryId{0, 2}));
  EXPECT_EQ(log.first_index(), 5);
  EXPECT_EQ(log.end(), 7);
  EXPECT_EQ(log.term(4), 2);
  EXPECT_EQ(log.entry(5).eid, (EntryId{0, 5}));

  snapshot.index = 6;
  snapshot.term = 5;  // Of another history: nothing here can follow it.
  gone = log.Compact(snapshot);
  EXPECT_EQ(gone.size(), 2);
  EXPECT_EQ(log.first_index(), 7);
  EXPECT_EQ(log.end(), 7);
}

}  // namespace
}  // namespace raft

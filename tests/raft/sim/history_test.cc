#include "tests/raft/sim/history.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace raft::sim {
namespace {

Operation Append(uint64_t session, uint64_t invoked, uint64_t answered, uint64_t number,
                 size_t length) {
  return {Operation::kAppend, Operation::kDone, session, invoked, answered, number, length};
}

Operation Read(uint64_t session, uint64_t invoked, uint64_t answered, uint64_t number,
               size_t length) {
  return {Operation::kRead, Operation::kDone, session, invoked, answered, number, length};
}

// An append whose client never heard of it, or heard that it was refused.
Operation Without(Operation::Outcome outcome, uint64_t invoked, uint64_t number) {
  return {Operation::kAppend, outcome, 1, invoked, kNever, number, 0};
}

std::string Check(const std::vector<uint64_t>& list, const std::vector<Operation>& history) {
  return std::string(CheckHistory(list, history).message());
}

TEST(HistoryTest, TakesWhatOneListCanShow) {
  EXPECT_EQ(Check({}, {}), "");
  EXPECT_EQ(
      Check({7, 8, 9}, {Append(1, 1, 4, 7, 1), Append(2, 2, 3, 8, 2),  // At the same time.
                        Read(1, 5, 6, 8, 2), Read(3, 5, 6, 0, 0),      // The second is stale.
                        Without(Operation::kUnknown, 7, 9), Without(Operation::kUnknown, 7, 10),
                        Without(Operation::kRefused, 7, 11), Read(3, 8, 9, 9, 3)}),
      "");
}

TEST(HistoryTest, FindsWhatWasLostOrCameBack) {
  EXPECT_EQ(Check({}, {Append(1, 1, 2, 7, 1)}), "append of 7 in session 1: it is not in the list");
  EXPECT_EQ(Check({8}, {Append(1, 1, 2, 7, 1), Append(1, 3, 4, 8, 1)}),
            "append of 7 in session 1: the list has 8 there");
  EXPECT_EQ(Check({7}, {Without(Operation::kRefused, 1, 7)}),
            "append of 7 in session 1: it was refused, but is in the list");
  EXPECT_EQ(Check({7, 7}, {Append(1, 1, 2, 7, 1)}), "7 is in the list twice");
  EXPECT_EQ(Check({7}, {}), "7 is in the list, but nobody appended it");
}

TEST(HistoryTest, FindsReadsOfWhatIsNotThereOrNotYet) {
  EXPECT_EQ(Check({7}, {Append(1, 1, 2, 7, 1), Read(1, 3, 4, 9, 1)}),
            "read of 9 in session 1: the list has 7 there");
  EXPECT_EQ(Check({7}, {Read(2, 1, 2, 7, 1), Append(1, 3, 4, 7, 1)}),
            "read of 7 in session 2: it shows what nobody had asked for yet");
}

TEST(HistoryTest, FindsAppendsOutOfOrder) {
  EXPECT_EQ(Check({7, 8}, {Append(1, 1, 2, 8, 2), Append(2, 3, 4, 7, 1)}),
            "append of 8 in session 1: it shows what nobody had asked for yet");
}

TEST(HistoryTest, FindsSessionsThatGoBack) {
  const std::vector<Operation> appends = {Append(1, 1, 2, 7, 1), Append(1, 3, 4, 8, 2)};
  std::vector<Operation> history = appends;
  history.push_back(Read(1, 5, 6, 7, 1));  // Its own append is missing.
  EXPECT_NE(Check({7, 8}, history), "");
  history = appends;
  history.push_back(Read(2, 5, 6, 8, 2));
  history.push_back(Read(2, 7, 8, 7, 1));
  EXPECT_NE(Check({7, 8}, history), "");
  history.back().session = 3;
  EXPECT_EQ(Check({7, 8}, history), "");
}

}  // namespace
}  // namespace raft::sim

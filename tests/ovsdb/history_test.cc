#include "ovsdb/history.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/ovsdb/monitored.h"

namespace ovsdb {
namespace {

constexpr size_t kPlenty = 1 << 20;

Uuid Id(uint64_t n) { return Uuid{1, n}; }

class HistoryTest : public testing::Test {
 protected:
  RowRef MakeRow(int n) {
    return data_.MakeRow("A", nullptr, absl::StrCat("{\"n\":", n, ",\"s\":\"", text_, "\"}"));
  }
  RowRef Next(const RowRef& row) { return data_.MakeRow("A", row, R"({"n":99})"); }
  Change ChangeOf(RowRef before, RowRef after) {
    return data_.ChangeOf("A", std::move(before), std::move(after));
  }
  // The change of one row that a merge came to.
  RowChange Only(const std::optional<Change>& change) {
    EXPECT_TRUE(change.has_value() && change->tables.size() == 1 &&
                change->tables[0].rows.size() == 1);
    return change->tables[0].rows[0];
  }

  Monitored data_;
  std::string text_ = std::string(1000, 'x');
};

TEST_F(HistoryTest, MergesWhatHappenedToARow) {
  const RowRef a = MakeRow(1), b = Next(a), c = Next(b), other = MakeRow(2);
  ChangeMerger merger;
  merger.Add(ChangeOf(a, b));
  merger.Add(ChangeOf(b, c));
  RowChange change = Only(merger.Take());
  EXPECT_EQ(change.before, a);
  EXPECT_EQ(change.after, c);

  merger.Add(ChangeOf(nullptr, a));
  merger.Add(ChangeOf(a, b));
  change = Only(merger.Take());
  EXPECT_EQ(change.before, nullptr);
  EXPECT_EQ(change.after, b);

  merger.Add(ChangeOf(a, nullptr));
  merger.Add(ChangeOf(nullptr, c));
  change = Only(merger.Take());
  EXPECT_EQ(change.before, a) << "came back under its UUID";
  EXPECT_EQ(change.after, c);

  merger.Add(ChangeOf(nullptr, a));
  merger.Add(ChangeOf(nullptr, other));
  merger.Add(ChangeOf(a, nullptr));
  EXPECT_EQ(Only(merger.Take()).after, other);
  EXPECT_TRUE(merger.Take().empty());
}

TEST_F(HistoryTest, MergedTablesComeInOrder) {
  const RowRef a = MakeRow(1), b = data_.MakeRow("B", nullptr, "{}");
  ChangeMerger merger;
  merger.Add(data_.ChangeOf("B", nullptr, b));
  merger.Add(ChangeOf(nullptr, a));
  const Change change = merger.Take();
  ASSERT_EQ(change.tables.size(), 2u);
  EXPECT_EQ(change.tables[0].table, data_.table("A").index);
  EXPECT_EQ(change.tables[1].rows[0].after, b);
}

TEST_F(HistoryTest, TellsWhatHappenedSince) {
  const RowRef a = MakeRow(1), b = Next(a), c = Next(b);
  History history(kPlenty);
  history.Reset(Id(1));
  history.Add(Id(2), ChangeOf(a, b));
  history.Add(Id(3), ChangeOf(b, c));
  EXPECT_EQ(history.size(), 2u);
  EXPECT_EQ(Only(history.Since(Id(1))).before, a);
  EXPECT_EQ(Only(history.Since(Id(1))).after, c);
  EXPECT_EQ(Only(history.Since(Id(2))).before, b);
  ASSERT_TRUE(history.Since(Id(3)).has_value());
  EXPECT_TRUE(history.Since(Id(3))->empty());
  EXPECT_FALSE(history.Since(Id(4)).has_value());
  EXPECT_FALSE(history.Since(Uuid()).has_value());
}

TEST_F(HistoryTest, StandaloneDatabasesHaveNone) {
  History history(kPlenty);
  history.Add(Uuid(), ChangeOf(nullptr, MakeRow(1)));
  EXPECT_EQ(history.size(), 0u);
  EXPECT_FALSE(history.Since(Uuid()).has_value());
}

TEST_F(HistoryTest, AResetForgets) {
  History history(kPlenty);
  history.Add(Id(1), ChangeOf(nullptr, MakeRow(1)));
  history.Reset(Id(2));
  EXPECT_EQ(history.size(), 0u);
  EXPECT_EQ(history.bytes(), 0u);
  EXPECT_FALSE(history.Since(Id(1)).has_value());
  EXPECT_TRUE(history.Since(Id(2))->empty());
}

TEST_F(HistoryTest, IsBoundedByBytes) {
  History history(20 * text_.size());
  history.Reset(Id(0));
  for (int i = 1; i <= 100; ++i) history.Add(Id(i), ChangeOf(MakeRow(i), nullptr));
  EXPECT_LE(history.bytes(), 20 * text_.size());
  EXPECT_GT(history.size(), 10u);
  EXPECT_LT(history.size(), 20u);
  EXPECT_TRUE(history.Since(Id(100 - history.size())).has_value());
  EXPECT_FALSE(history.Since(Id(99 - history.size())).has_value());

  Change large;
  large.tables.push_back({data_.table("A").index, {}});
  for (int i = 0; i < 100; ++i) large.tables[0].rows.push_back({MakeRow(i), nullptr});
  history.Add(Id(101), std::move(large));
  EXPECT_EQ(history.size(), 0u);
  EXPECT_TRUE(history.Since(Id(101))->empty());
}

TEST_F(HistoryTest, RowsThatAreStillThereCostLittle) {
  History history(20 * text_.size());
  for (int i = 1; i <= 100; ++i) history.Add(Id(i), ChangeOf(nullptr, MakeRow(i)));
  EXPECT_EQ(history.size(), 100u);
}

TEST_F(HistoryTest, CountsAtomsGoingAndComing) {
  History history(kPlenty);
  const RowRef a = MakeRow(1), b = Next(a);
  history.Add(Id(1), ChangeOf(a, b));
  EXPECT_EQ(history.atom_count(), 2u);
  history.Add(Id(2), ChangeOf(b, data_.MakeRow("A", b, R"({"n":3,"r":0.5})")));
  EXPECT_EQ(history.atom_count(), 6u);
}

}  // namespace
}  // namespace ovsdb

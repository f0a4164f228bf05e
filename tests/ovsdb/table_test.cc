#include "ovsdb/table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ovsdb/snapshot_diff.h"

namespace ovsdb {
namespace {

class TableTest : public testing::Test {
 protected:
  TableTest()
      : schema_(*DatabaseSchema::ParseText(R"({"name":"D","tables":{"T":{"columns":{
            "i":{"type":"integer"},"s":{"type":"string"},"u":{"type":"uuid"},
            "set":{"type":{"key":"string","min":0,"max":"unlimited"}}}}}})")),
        table_schema_(&schema_->tables[0]),
        i_(table_schema_->FindColumn("i")->index),
        table_(table_schema_) {}

  RowRef MakeRow(const Uuid& uuid, int i) {
    MutableRow row(*table_schema_, uuid, uuids_.Next());
    row.Set(i_, Datum(Atom::Integer(i)));
    return std::move(row).Finish();
  }

  static std::vector<RowChange> Difference(const TableSnapshot& before,
                                           const TableSnapshot& after) {
    SnapshotDiff diff(before, after);
    std::vector<RowChange> changes;
    while (diff.Next(&changes)) {
    }
    return changes;
  }

  // Rows by UUID with their value of `i`.
  using Contents = std::map<Uuid, int64_t>;
  Contents ContentsOf(const TableSnapshot& snapshot) const {
    Contents contents;
    snapshot.ForEach([&](const RowRef& row) {
      EXPECT_TRUE(contents.emplace(row->uuid(), row->datum(i_).key(0).integer()).second);
    });
    EXPECT_EQ(contents.size(), snapshot.size());
    return contents;
  }

  SchemaRef schema_;
  const TableSchema* table_schema_;
  int i_;
  Table table_;
  UuidGenerator uuids_{1};
};

TEST_F(TableTest, RowsHaveDefaultsAndShareValues) {
  const Uuid uuid = uuids_.Next(), version = uuids_.Next();
  const int s = table_schema_->FindColumn("s")->index,
            set = table_schema_->FindColumn("set")->index;
  MutableRow row(*table_schema_, uuid, version);
  EXPECT_EQ(row.datum(i_), Datum(Atom::Integer(0)));
  EXPECT_EQ(row.datum(s), Datum(Atom::String("")));
  EXPECT_TRUE(row.datum(set).empty());
  row.Set(s, Datum(Atom::String("a string on the heap")));
  const RowRef first = std::move(row).Finish();
  EXPECT_EQ(first->Get(TableSchema::kUuidColumn), Datum(Atom::Of(uuid)));
  EXPECT_EQ(first->Get(TableSchema::kVersionColumn), Datum(Atom::Of(version)));
  EXPECT_EQ(first->Get(s), first->datum(s));

  MutableRow copy(*first, uuids_.Next());
  copy.Set(i_, Datum(Atom::Integer(7)));
  const RowRef second = std::move(copy).Finish();
  EXPECT_EQ(first->datum(i_), Datum(Atom::Integer(0)));
  EXPECT_EQ(second->datum(i_), Datum(Atom::Integer(7)));
  EXPECT_EQ(second->uuid(), uuid);
  EXPECT_NE(second->version(), version);
  EXPECT_EQ(first->datum(s).key(0).string().data(), second->datum(s).key(0).string().data());
}

TEST_F(TableTest, SnapshotsKeepTheirRowsUnderRandomChanges) {
  std::mt19937 random(1);
  std::vector<Uuid> uuids;
  uuids.reserve(600);
  for (int i = 0; i < 600; i++) uuids.push_back(uuids_.Next());
  Contents model;
  std::vector<std::pair<TableSnapshot, Contents>> kept;
  for (int step = 0; step < 20000; step++) {
    const Uuid& uuid = uuids[random() % uuids.size()];
    if (random() % 3 == 0) {
      table_.Erase(uuid);
      model.erase(uuid);
    } else {
      table_.Put(MakeRow(uuid, step));
      model[uuid] = step;
    }
    if (random() % 100 == 0) {
      if (kept.size() == 8) kept.erase(kept.begin() + random() % kept.size());
      kept.emplace_back(table_.Snapshot(), model);
    }
    ASSERT_EQ(table_.size(), model.size());
    const Row* row = table_.Find(uuid);
    ASSERT_EQ(row != nullptr, model.contains(uuid));
    ASSERT_EQ(table_.FindRef(uuid).get(), row);
    if (row != nullptr) {
      ASSERT_EQ(row->datum(i_).key(0).integer(), model[uuid]);
    }
  }
  EXPECT_EQ(ContentsOf(table_.Snapshot()), model);
  Contents visited;
  table_.ForEach([&](const Row& row) { visited[row.uuid()] = row.datum(i_).key(0).integer(); });
  EXPECT_EQ(visited, model);
  for (const auto& [snapshot, contents] : kept) EXPECT_EQ(ContentsOf(snapshot), contents);

  // Differences lead from any kept snapshot to any other.
  for (const auto& [before, old_contents] : kept) {
    for (const auto& [after, new_contents] : kept) {
      Contents contents = old_contents;
      for (const auto& [old_row, new_row] : Difference(before, after)) {
        ASSERT_NE(old_row, new_row);
        const Uuid& uuid = old_row ? old_row->uuid() : new_row->uuid();
        ASSERT_EQ(old_row != nullptr, contents.contains(uuid));
        if (old_row) {
          ASSERT_EQ(contents[uuid], old_row->datum(i_).key(0).integer());
        }
        contents.erase(uuid);
        if (new_row) contents[uuid] = new_row->datum(i_).key(0).integer();
      }
      EXPECT_EQ(contents, new_contents);
    }
  }
}

TEST_F(TableTest, SnapshotsShareUntouchedPages) {
  for (int i = 0; i < 1000; i++) table_.Put(MakeRow(uuids_.Next(), i));
  const Uuid uuid = uuids_.Next();
  table_.Put(MakeRow(uuid, 0));
  const TableSnapshot before = table_.Snapshot();
  EXPECT_EQ(&table_.Snapshot().pages(), &before.pages());
  table_.Put(MakeRow(uuid, 1));
  const TableSnapshot after = table_.Snapshot();
  ASSERT_EQ(before.pages().size(), after.pages().size());
  int n_copied = 0;
  for (size_t i = 0; i < before.pages().size(); i++)
    n_copied += before.pages()[i] != after.pages()[i];
  EXPECT_EQ(n_copied, 1);
}

TEST_F(TableTest, ARowThatCameBackElsewhereIsNoDifference) {
  const RowRef a = MakeRow(uuids_.Next(), 1), b = MakeRow(uuids_.Next(), 2);
  table_.Put(a);
  table_.Put(b);
  const TableSnapshot before = table_.Snapshot();
  table_.Erase(a->uuid());
  table_.Erase(b->uuid());
  table_.Put(a);
  table_.Put(b);
  const TableSnapshot after = table_.Snapshot();
  ASSERT_NE(before.pages()[0]->rows, after.pages()[0]->rows);
  EXPECT_TRUE(Difference(before, after).empty());
}

TEST_F(TableTest, DifferencesComeAFewAtATime) {
  constexpr int kRows = 10000;
  std::vector<RowRef> rows;
  for (int i = 0; i < kRows; i++) rows.push_back(MakeRow(uuids_.Next(), i));
  const TableSnapshot nothing = table_.Snapshot();
  for (const RowRef& row : rows) table_.Put(row);
  const TableSnapshot all = table_.Snapshot();
  for (const RowRef& row : rows) table_.Put(MakeRow(row->uuid(), -1));
  const TableSnapshot other = table_.Snapshot();
  const std::pair<TableSnapshot, TableSnapshot> pairs[] = {
      {nothing, all}, {all, nothing}, {all, other}};
  for (const auto& [before, after] : pairs) {
    SnapshotDiff diff(before, after);
    std::vector<RowChange> changes;
    size_t total = 0;
    while (diff.Next(&changes)) {
      EXPECT_LE(changes.size(), Page::kSlots);
      total += changes.size();
      changes.clear();
    }
    EXPECT_EQ(total, kRows);
  }
}

TEST_F(TableTest, RowsThatOnlyADifferenceHoldsAreFreedOnTheWay) {
  for (int i = 0; i < 10000; i++) table_.Put(MakeRow(uuids_.Next(), i));
  TableSnapshot before = table_.Snapshot();
  const PageRef first = before.pages().front();
  const RowRef row = first->rows[0];
  table_.Put(MakeRow(row->uuid(), -1));
  SnapshotDiff diff(before, table_.Snapshot());
  before = {};
  EXPECT_FALSE(first->unique());
  std::vector<RowChange> changes;
  ASSERT_TRUE(diff.Next(&changes));
  EXPECT_TRUE(first->unique());
}

}  // namespace
}  // namespace ovsdb

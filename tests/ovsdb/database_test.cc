#include "ovsdb/database.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/index.h"
#include "ovsdb/references.h"
#include "ovsdb/table_plan.h"
#include "tests/ovsdb/engine.h"

namespace ovsdb {
namespace {

constexpr char kSchema[] = R"({"name":"D","tables":{
  "A":{"isRoot":true,"indexes":[["name"],["x","y"]],"columns":{
    "name":{"type":"string"},
    "x":{"type":"integer"},
    "y":{"type":{"key":"integer","min":0,"max":1}},
    "color":{"type":"string"},
    "strong":{"type":{"key":{"type":"uuid","refTable":"B"},"min":0,"max":"unlimited"}},
    "weak":{"type":{"key":{"type":"uuid","refTable":"A","refType":"weak"},"min":0,"max":9}}}},
  "B":{"columns":{"n":{"type":"integer"}}}}})";

// Everything that a database knows, as sorted text.
std::vector<std::string> Contents(const Database& db) {
  std::vector<std::string> lines;
  for (const TableSchema& table : db.schema().tables) {
    db.table(table.index).ForEach([&](const Row& row) {
      std::string line =
          absl::StrCat(table.name, " ", row.uuid().ToString(), " ", row.version().ToString(),
                       " refs ", db.references().strong_count(table.index, row.uuid()));
      for (size_t i = TableSchema::kFirstRealColumn; i < table.columns.size(); i++) {
        row.datum(i).AppendJson(/*is_map=*/false, &line);
      }
      std::vector<std::string> sources;
      db.references().ForEachWeakSource(row.uuid(), [&](int source_table, const Uuid& source) {
        sources.push_back(absl::StrCat(" weak ", source_table, source.ToString()));
      });
      for (const std::string& source : sources) line += source;
      for (const UniqueIndex& index : db.indexes(table.index).unique()) {
        EXPECT_EQ(index.Find(row), &row);
        EXPECT_EQ(index.size(), db.table(table.index).size());
      }
      lines.push_back(std::move(line));
    });
  }
  std::sort(lines.begin(), lines.end());
  lines.push_back(
      absl::StrCat(db.atom_count(), " atoms ", db.references().weak_link_count(), " weak links"));
  return lines;
}

// A transaction that may well fail.
std::string RandomOperation(std::mt19937* random) {
  auto pick = [random](int n) { return static_cast<int>((*random)() % n); };
  const int row = pick(9) + 1;
  const std::string values = absl::StrCat(
      R"({"name":"n)", pick(12), R"(","x":)", pick(4), R"(,"y":)",
      pick(2) == 0 ? R"(["set",[]])" : absl::StrCat(pick(4)), R"(,"color":"c)", pick(3),
      R"(","weak":["set",[)", UuidJson(row), ",", UuidJson(row % 9 + 1), "]]");
  switch (pick(6)) {
    case 0:
      return Delete("A", IsRow(row));
    case 1:
      return Update("A", IsRow(row), values + "}");
    case 2:
      return Update("A", absl::StrCat(R"(["color","==","c)", pick(3), "\"]"),
                    absl::StrCat(R"({"color":"c)", pick(3), "\"}"));
    case 3:
      return R"({"op":"mutate","table":"A","where":[],"mutations":[["x","+=",1]]})";
    default:
      return absl::StrCat(R"({"op":"insert","table":"B","uuid-name":"b","row":{}},)",
                          Insert("A", row, values + R"(,"strong":["named-uuid","b"]})"));
  }
}

TEST(DatabaseTest, RevertUndoesApply) {
  Engine engine(kSchema);
  std::mt19937 random(1);
  int n_committed = 0;
  for (int i = 0; i < 2000; i++) {
    const std::vector<std::string> before = Contents(engine.db());
    const TransactionOutcome outcome = engine.Try(RandomOperation(&random));
    if (outcome.change.empty()) continue;
    n_committed++;
    engine.db().Apply(outcome.change);
    const std::vector<std::string> after = Contents(engine.db());
    engine.db().Revert(outcome.change);
    ASSERT_EQ(Contents(engine.db()), before);
    engine.db().Apply(outcome.change);
    ASSERT_EQ(Contents(engine.db()), after);
  }
  EXPECT_GT(n_committed, 500);
}

TEST(DatabaseTest, LoadedRowsMakeTheSameState) {
  Engine engine(kSchema);
  std::mt19937 random(2);
  for (int i = 0; i < 100; i++) engine.db().Apply(engine.Try(RandomOperation(&random)).change);
  ASSERT_GT(engine.db().row_count(), 4u);
  Database copy(engine.db().schema_ref());
  const Snapshot snapshot = engine.db().TakeSnapshot();
  for (const TableSnapshot& table : snapshot.tables) {
    table.ForEach([&](const RowRef& row) { copy.LoadRow(table.schema().index, row); });
  }
  EXPECT_TRUE(copy.FinishLoad().ok());
  EXPECT_EQ(Contents(copy), Contents(engine.db()));
  // Once more: what was there is not counted twice.
  EXPECT_TRUE(copy.FinishLoad().ok());
  EXPECT_EQ(Contents(copy), Contents(engine.db()));
}

TEST(DatabaseTest, LoadRefusesWhatBreaksTheRules) {
  Engine engine(kSchema);
  engine.Run(Insert("A", 1, R"({"name":"a"})"));
  const RowRef row = engine.db().table(0).FindRef(*Uuid::Parse(UuidText(1)));
  engine.db().LoadRow(0, MutableRow(*row, *Uuid::Parse(UuidText(2)), row->version()).Finish());
  EXPECT_EQ(ErrorString(engine.db().FinishLoad()), "constraint violation");
  engine.db().UnloadRow(0, *Uuid::Parse(UuidText(2)));
  EXPECT_TRUE(engine.db().FinishLoad().ok());

  MutableRow dangling(*row, row->version());
  dangling.Set(engine.db().schema().tables[0].FindColumn("strong")->index,
               Datum(Atom::Of(*Uuid::Parse(UuidText(7)))));
  engine.db().LoadRow(0, std::move(dangling).Finish());
  EXPECT_EQ(ErrorString(engine.db().FinishLoad()), "referential integrity violation");
}

TEST(DatabaseTest, AtomsAreCountedAsStockDoes) {
  Engine engine(kSchema);
  EXPECT_EQ(engine.db().atom_count(), 0u);
  // Scalars and the two built-in columns; two in the set; none where nothing is.
  engine.Run(Insert("A", 1, absl::StrCat(R"({"weak":["set",[)", UuidJson(1), "]]}")));
  EXPECT_EQ(engine.db().atom_count(), 2u + 3u + 1u);
  engine.Run(Delete("A"));
  EXPECT_EQ(engine.db().atom_count(), 0u);
}

TEST(DatabaseTest, LookupsFindWhatScansFind) {
  Engine engine(kSchema);
  std::string operations;
  for (int i = 0; i < 300; i++) {
    absl::StrAppend(&operations, i > 0 ? "," : "", R"({"op":"insert","table":"A","row":{"name":")",
                    i, R"(","x":)", i, R"(,"color":"c)", i % 7, R"("}})");
  }
  engine.Run(operations);
  const Database& db = engine.db();
  const int color = db.schema().tables[0].FindColumn("color")->index;
  auto count = [&](int c) {
    const std::string result = engine.Run(absl::StrCat(
        R"({"op":"mutate","table":"A","where":[["color","==","c)", c, R"("]],"mutations":[]})"));
    return result;
  };
  EXPECT_EQ(db.indexes(0).FindLookup(db.table(0), color), nullptr);
  for (int i = 0; i < 20; i++) EXPECT_EQ(count(0), R"([{"count":43}])");
  EXPECT_NE(db.indexes(0).FindLookup(db.table(0), color), nullptr);

  // It keeps up with changes, and with what the transaction itself has done.
  const std::string select =
      R"({"op":"mutate","table":"A","where":[["color","==","c1"]],"mutations":[]})";
  EXPECT_EQ(engine.Run(absl::StrCat(
                Update("A", R"(["color","==","c0"],["x","<",70])", R"({"color":"c1"})"), ",",
                select, ",", Delete("A", R"(["color","==","c1"],["x","<",7])"), ",", select)),
            R"([{"count":10},{"count":53},{"count":2},{"count":51}])");
  EXPECT_EQ(count(0), R"([{"count":33}])");
  EXPECT_EQ(count(1), R"([{"count":51}])");
  EXPECT_EQ(count(9), R"([{"count":0}])");
  const TransactionOutcome outcome = engine.Try(Update("A", "", R"({"color":"c9"})"));
  engine.db().Apply(outcome.change);
  EXPECT_EQ(count(9), R"([{"count":298}])");
  engine.db().Revert(outcome.change);
  EXPECT_EQ(count(9), R"([{"count":0}])");
  EXPECT_EQ(count(1), R"([{"count":51}])");
}

}  // namespace
}  // namespace ovsdb

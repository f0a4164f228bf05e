#include "ovsdb/integrity.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/ovsdb/engine.h"

// What is expected here is what OVS 3.5 answers, but for what says otherwise.

namespace ovsdb {
namespace {

constexpr char kSchema[] = R"({"name":"D","tables":{
  "Root":{"isRoot":true,"columns":{
    "n":{"type":"integer"},
    "kids":{"type":{"key":{"type":"uuid","refTable":"Kid"},"min":0,"max":"unlimited"}},
    "map":{"type":{"key":{"type":"uuid","refTable":"Kid"},
                   "value":{"type":"uuid","refTable":"Kid"},"min":0,"max":"unlimited"}}}},
  "Kid":{"columns":{
    "n":{"type":"integer"},
    "next":{"type":{"key":{"type":"uuid","refTable":"Kid"},"min":0,"max":1}}}},
  "Weak":{"isRoot":true,"columns":{
    "n":{"type":"integer"},
    "any":{"type":{"key":{"type":"uuid","refTable":"Few","refType":"weak"},"min":0,"max":9}},
    "some":{"type":{"key":{"type":"uuid","refTable":"Few","refType":"weak"},"min":1,"max":9}},
    "pairs":{"type":{"key":{"type":"uuid","refTable":"Few","refType":"weak"},
                     "value":{"type":"uuid","refTable":"Kid"},"min":0,"max":9}}}},
  "Few":{"isRoot":true,"maxRows":3,"columns":{"n":{"type":"integer"}}},
  "Lone":{"isRoot":true,"maxRows":1,"columns":{"n":{"type":"integer"}}},
  "Index":{"isRoot":true,"indexes":[["a"],["a","b","c"]],"columns":{
    "a":{"type":"string"},
    "b":{"type":{"key":"integer","min":0,"max":2}},
    "c":{"type":{"key":"string","value":"integer","min":0,"max":2}},
    "d":{"type":"integer"}}}}})";

class IntegrityTest : public ::testing::Test {
 protected:
  IntegrityTest() : engine_(kSchema) {}

  std::string Run(absl::string_view operations) { return engine_.Run(operations); }
  template <typename... Operations>
  std::string RunAll(const Operations&... operations) {
    std::string joined;
    ((absl::StrAppend(&joined, joined.empty() ? "" : ",", operations)), ...);
    return Run(joined);
  }
  size_t RowCount(absl::string_view table) {
    return engine_.db().table(engine_.db().schema().FindTable(table)->index).size();
  }

  Engine engine_;
};

// The error of a commit, the last result: its string and details.
std::string CommitError(const std::string& result) {
  const size_t begin = result.rfind(R"({"details":")");
  if (begin == std::string::npos) return "none in " + result;
  const auto error = ParseJson(result.substr(begin, result.size() - begin - 1));
  return absl::StrCat(StringView(*FindMember(*error, "error")), ": ",
                      StringView(*FindMember(*error, "details")));
}

// The member of a row, whatever its table: column -> the row with that UUID.
std::string Row(absl::string_view column, int n) {
  return absl::StrCat(R"({")", column, R"(":)", UuidJson(n), "}");
}

TEST_F(IntegrityTest, StrongReferencesNeedTheirRow) {
  EXPECT_EQ(
      CommitError(Run(Insert("Root", 1, Row("kids", 2)))),
      absl::StrCat("referential integrity violation: Table Root column kids row ", UuidText(1),
                   " references nonexistent row ", UuidText(2), " in table Kid."));
  // Not even one that was there for a moment.
  EXPECT_EQ(
      CommitError(RunAll(Insert("Kid", 2, "{}"), Delete("Kid"), Insert("Root", 1, Row("kids", 2)))),
      absl::StrCat("referential integrity violation: Table Root column kids row ", UuidText(1),
                   " references nonexistent row ", UuidText(2), " in table Kid."));
  EXPECT_EQ(engine_.db().row_count(), 0u);
}

TEST_F(IntegrityTest, RowsThatAreReferredToStay) {
  RunAll(Insert("Kid", 2, "{}"), Insert("Root", 1, Row("kids", 2)));
  const std::string error = absl::StrCat("referential integrity violation: cannot delete Kid row ",
                                         UuidText(2), " because of ");
  EXPECT_EQ(CommitError(Run(Delete("Kid"))), error + "1 remaining reference(s)");
  EXPECT_EQ(CommitError(RunAll(Delete("Kid"), Insert("Root", 3, Row("kids", 2)))),
            error + "2 remaining reference(s)");
  // In keys and values of maps, each counts.
  EXPECT_EQ(CommitError(RunAll(
                Update("Root", "",
                       absl::StrCat(R"({"map":["map",[[)", UuidJson(2), ",", UuidJson(2), "]]]}")),
                Delete("Kid"))),
            error + "3 remaining reference(s)");
  EXPECT_EQ(RunAll(Update("Root", "", R"({"kids":["set",[]]})"), Delete("Kid")),
            R"([{"count":1},{"count":1}])");
}

TEST_F(IntegrityTest, GarbageIsCollectedInChains) {
  RunAll(Insert("Kid", 3, "{}"), Insert("Kid", 2, Row("next", 3)),
         Insert("Root", 1, Row("kids", 2)));
  EXPECT_EQ(RowCount("Kid"), 2u);
  const TransactionOutcome outcome = engine_.Try(Update("Root", "", R"({"kids":["set",[]]})"));
  ASSERT_EQ(outcome.change.tables.size(), 2u);
  EXPECT_EQ(outcome.change.tables[0].rows.size(), 2u);  // Kid comes before Root.
  EXPECT_FALSE(outcome.change.tables[0].rows[0].after);
  Run(Update("Root", "", R"({"kids":["set",[]]})"));
  EXPECT_EQ(RowCount("Kid"), 0u);
}

TEST_F(IntegrityTest, NewRowsThatNobodyWantsAreNotThere) {
  EXPECT_EQ(Run(Insert("Kid", 2, "{}")), absl::StrCat("[", Inserted(2), "]"));
  RunAll(Insert("Kid", 3, Row("next", 4)), Insert("Kid", 4, "{}"));
  EXPECT_TRUE(engine_.Try(Insert("Kid", 2, "{}")).change.empty());
  EXPECT_EQ(RowCount("Kid"), 0u);
}

TEST_F(IntegrityTest, NoRowKeepsItselfAliveButTwoDoEachOther) {
  Run(Insert("Kid", 2, Row("next", 2)));
  EXPECT_EQ(RowCount("Kid"), 0u);
  RunAll(Insert("Kid", 2, Row("next", 3)), Insert("Kid", 3, Row("next", 2)));
  EXPECT_EQ(RowCount("Kid"), 2u);
  Run(Delete("Kid"));
  EXPECT_EQ(RowCount("Kid"), 0u);
}

TEST_F(IntegrityTest, AMovedReferenceKeepsItsRow) {
  RunAll(Insert("Kid", 3, "{}"), Insert("Root", 1, Row("kids", 3)), Insert("Root", 2, "{}"));
  RunAll(Update("Root", IsRow(1), R"({"kids":["set",[]]})"),
         Update("Root", IsRow(2), Row("kids", 3)));
  EXPECT_EQ(RowCount("Kid"), 1u);
}

TEST_F(IntegrityTest, WeakReferencesToDeletedRowsAreRemoved) {
  RunAll(Insert("Few", 1, "{}"), Insert("Few", 2, "{}"),
         Insert("Weak", 3,
                absl::StrCat(R"({"any":["set",[)", UuidJson(1), ",", UuidJson(2), ",", UuidJson(9),
                             R"(]],"some":)", UuidJson(1), "}")));
  const std::string any = R"({"op":"select","table":"Weak","where":[],"columns":["any"]})";
  EXPECT_EQ(Run(any),
            absl::StrCat(R"([{"rows":[{"any":["set",[)", UuidJson(1), ",", UuidJson(2), "]]}]}]"));
  Run(Delete("Few", IsRow(2)));
  EXPECT_EQ(Run(any), absl::StrCat(R"([{"rows":[{"any":)", UuidJson(1), "}]}]"));
  // Stock forgets to look at rows that the transaction modifies in other columns.
  RunAll(Update("Weak", "", Row("some", 4)), Update("Weak", "", R"({"n":7})"),
         Insert("Few", 4, "{}"), Delete("Few", IsRow(1)));
  EXPECT_EQ(Run(any), R"([{"rows":[{"any":["set",[]]}]}])");
}

TEST_F(IntegrityTest, WeakReferencesThatMustBeThere) {
  const std::string in_row = absl::StrCat(R"(from column "some" in "Weak" row )", UuidText(3));
  const std::string rest =
      " caused this column to become empty, but constraints on this column disallow an empty "
      "column.";
  const std::string deletion =
      "constraint violation: Deletion of 1 weak reference(s) to deleted (or never-existing) rows ";
  EXPECT_EQ(CommitError(Run(Insert("Weak", 3, Row("some", 9)))),
            absl::StrCat(deletion, in_row, " (inserted within this transaction)", rest));
  EXPECT_EQ(CommitError(Run(Insert("Weak", 3, "{}"))),
            absl::StrCat(
                R"(constraint violation: Weak reference column "some" in "Weak" row )", UuidText(3),
                " (inserted within this transaction) contained all-zeros UUID (probably as the "
                "default value for this column) but deleting this value caused a constraint "
                "volation because this column is not allowed to be empty."));
  RunAll(Insert("Few", 1, "{}"), Insert("Weak", 3, Row("some", 1)));
  EXPECT_EQ(CommitError(Run(Delete("Few"))), absl::StrCat(deletion, in_row, rest));
}

// Stock goes on counting the strong reference.
TEST_F(IntegrityTest, APairThatGoesTakesItsStrongReferenceAlong) {
  RunAll(Insert("Few", 1, "{}"), Insert("Few", 2, "{}"), Insert("Kid", 3, "{}"),
         Insert("Weak", 4,
                absl::StrCat(R"({"some":)", UuidJson(2), R"(,"pairs":["map",[[)", UuidJson(1), ",",
                             UuidJson(3), "]]]}")));
  EXPECT_EQ(RowCount("Kid"), 1u);
  EXPECT_EQ(Run(Delete("Few", IsRow(1))), R"([{"count":1}])");
  EXPECT_EQ(RowCount("Kid"), 0u);
}

TEST_F(IntegrityTest, MaxRows) {
  RunAll(Insert("Few", 1, "{}"), Insert("Few", 2, "{}"), Insert("Few", 3, "{}"));
  EXPECT_EQ(CommitError(RunAll(Insert("Few", 4, "{}"), Insert("Few", 5, "{}"))),
            "constraint violation: transaction causes \"Few\" table to contain 5 rows, greater "
            "than the schema-defined limit of 3 row(s)");
  EXPECT_EQ(RunAll(Delete("Few", IsRow(1)), Insert("Few", 4, "{}")),
            absl::StrCat(R"([{"count":1},)", Inserted(4), "]"));
}

TEST_F(IntegrityTest, OfSeveralTablesWithTooManyRowsTheFirstTouchedIsTold) {
  RunAll(Insert("Few", 1, "{}"), Insert("Lone", 2, "{}"));
  const std::string too_many = absl::StrCat(Insert("Few", 3, "{}"), ",", Insert("Few", 4, "{}"),
                                            ",", Insert("Few", 5, "{}"));
  auto names = [](const std::string& result, absl::string_view table) {
    const std::string begin =
        absl::StrCat("constraint violation: transaction causes \"", table, "\"");
    return CommitError(result).find(begin) == 0;
  };
  EXPECT_TRUE(names(RunAll(Insert("Lone", 6, "{}"), too_many), "Lone"));
  EXPECT_TRUE(names(RunAll(too_many, Insert("Lone", 6, "{}")), "Few"));
  EXPECT_TRUE(names(
      RunAll(Insert("Lone", 6, "{}"), Delete("Lone", IsRow(6)), too_many, Insert("Lone", 7, "{}")),
      "Lone"));
}

std::string Duplicate(absl::string_view values, absl::string_view columns, int first,
                      absl::string_view first_state, int second, absl::string_view second_state) {
  return absl::StrCat(
      "constraint violation: Transaction causes multiple rows in \"Index\" table to have identical "
      "values (",
      values, ") for index on column", columns, ".  First row, with UUID ", UuidText(first), ", ",
      first_state, ".  Second row, with UUID ", UuidText(second), ", ", second_state, ".");
}

constexpr char kNew[] = "was inserted by this transaction";
constexpr char kOld[] =
    "existed in the database before this transaction and was not modified by the transaction";

TEST_F(IntegrityTest, UniqueIndexes) {
  EXPECT_EQ(
      CommitError(RunAll(Insert("Index", 1, R"({"a":"x"})"), Insert("Index", 2, R"({"a":"x"})"))),
      Duplicate("x", " \"a\"", 1, kNew, 2, kNew));
  RunAll(Insert("Index", 1, R"({"a":"x"})"), Insert("Index", 2, R"({"a":"y"})"));
  EXPECT_EQ(CommitError(Run(Insert("Index", 3, R"({"a":"x"})"))),
            Duplicate("x", " \"a\"", 1, kOld, 3, kNew));
  EXPECT_EQ(CommitError(Run(Update("Index", IsRow(2), R"({"a":"x"})"))),
            Duplicate("x", " \"a\"", 1, kOld, 2,
                      "had the following index values before the transaction: y"));
  EXPECT_EQ(CommitError(RunAll(Update("Index", IsRow(1), R"({"d":5})"),
                               Insert("Index", 3, R"({"a":"x"})"))),
            Duplicate("x", " \"a\"", 1,
                      "existed in the database before this transaction, which modified some of the "
                      "row's columns but not any columns in this index",
                      3, kNew));
}

TEST_F(IntegrityTest, UniqueValuesMayMove) {
  RunAll(Insert("Index", 1, R"({"a":"x"})"), Insert("Index", 2, R"({"a":"y"})"));
  RunAll(Update("Index", IsRow(1), R"({"a":"y"})"), Update("Index", IsRow(2), R"({"a":"x"})"));
  EXPECT_EQ(Run(absl::StrCat(R"({"op":"select","table":"Index","where":[["a","==","x"]],)",
                             R"("columns":["_uuid"]})")),
            absl::StrCat(R"([{"rows":[{"_uuid":)", UuidJson(2), "}]}]"));
  EXPECT_EQ(RunAll(Delete("Index", IsRow(1)), Insert("Index", 3, R"({"a":"y"})")),
            absl::StrCat(R"([{"count":1},)", Inserted(3), "]"));
}

TEST_F(IntegrityTest, ValuesOfIndexesForPeople) {
  Engine engine(absl::StrReplaceAll(kSchema, {{R"([["a"],["a","b","c"]])", R"([["a","b","c"]])"}}));
  const std::string row = R"({"a":"u v","b":["set",[1,2]],"c":["map",[["k",1],["l m",2]]]})";
  EXPECT_EQ(CommitError(engine.Run(Insert("Index", 1, row) + "," + Insert("Index", 2, row))),
            Duplicate(R"("u v", [1, 2], and {k=1, "l m"=2})", R"(s "a", "b", and "c")", 1, kNew, 2,
                      kNew));
  engine.Run(Insert("Index", 1, row));
  EXPECT_EQ(CommitError(engine.Run(Insert("Index", 2, "{}") + "," + Insert("Index", 3, "{}"))),
            Duplicate(R"("", [], and {})", R"(s "a", "b", and "c")", 2, kNew, 3, kNew));
}

// Brackets tell what could have more elements.
TEST_F(IntegrityTest, SingleValuesOfIndexesForPeople) {
  const std::string row = R"({"a":"u","b":1,"c":["map",[["k",1]]]})";
  const std::string rows = Insert("Index", 1, row) + "," + Insert("Index", 2, row);
  Engine several(
      absl::StrReplaceAll(kSchema, {{R"([["a"],["a","b","c"]])", R"([["a","b","c"]])"}}));
  EXPECT_EQ(CommitError(several.Run(rows)),
            Duplicate("u, [1], and {k=1}", R"(s "a", "b", and "c")", 1, kNew, 2, kNew));
  Engine one(absl::StrReplaceAll(
      kSchema, {{R"([["a"],["a","b","c"]])", R"([["a","b","c"]])"}, {R"("max":2)", R"("max":1)"}}));
  EXPECT_EQ(CommitError(one.Run(rows)),
            Duplicate("u, 1, and k=1", R"(s "a", "b", and "c")", 1, kNew, 2, kNew));
}

TEST_F(IntegrityTest, WhichErrorIsTold) {
  const std::string too_many =
      absl::StrCat(Insert("Few", 1, "{}"), ",", Insert("Few", 2, "{}"), ",", Insert("Few", 3, "{}"),
                   ",", Insert("Few", 4, "{}"));
  const std::string dangling = Insert("Root", 5, Row("kids", 9));
  const std::string dangling_weak = Insert("Weak", 6, Row("some", 9));
  const std::string duplicates =
      absl::StrCat(Insert("Index", 7, "{}"), ",", Insert("Index", 8, "{}"));
  auto begins = [](const std::string& result, absl::string_view prefix) {
    return CommitError(result).find(std::string(prefix)) == 0;
  };
  EXPECT_TRUE(begins(RunAll(duplicates, dangling_weak, too_many, dangling), "referential"));
  EXPECT_TRUE(begins(RunAll(duplicates, dangling_weak, too_many),
                     "constraint violation: transaction causes"));
  EXPECT_TRUE(begins(RunAll(duplicates, dangling_weak), "constraint violation: Deletion"));
  EXPECT_TRUE(begins(RunAll(duplicates), "constraint violation: Transaction causes"));
}

}  // namespace
}  // namespace ovsdb

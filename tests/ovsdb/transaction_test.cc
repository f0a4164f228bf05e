#include "ovsdb/transaction.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/ovsdb/engine.h"

// What is expected here is what OVS 3.5 answers.

namespace ovsdb {
namespace {

constexpr char kSchema[] = R"({"name":"D","tables":{
  "T":{"isRoot":true,"indexes":[["s"]],"columns":{
    "i":{"type":"integer"},
    "s":{"type":"string"},
    "fixed":{"type":"integer","mutable":false},
    "set":{"type":{"key":"integer","min":0,"max":"unlimited"}}}},
  "E":{"isRoot":true,"columns":{
    "e":{"type":{"key":{"type":"string","enum":["set",["a","b"]]}}},
    "n":{"type":{"key":{"type":"integer","maxInteger":9}}}}}}})";

class TransactionTest : public ::testing::Test {
 protected:
  TransactionTest() : engine_(kSchema) {}
  std::string Run(absl::string_view operations) { return engine_.Run(operations); }

  Engine engine_;
};

TEST_F(TransactionTest, Results) {
  EXPECT_EQ(Run(""), "[]");
  EXPECT_EQ(Run(absl::StrCat(Insert("T", 1, R"({"i":5,"s":"a"})"), ",",
                             Insert("T", 2, R"({"i":5,"s":"b"})"))),
            absl::StrCat("[", Inserted(1), ",", Inserted(2), "]"));
  EXPECT_EQ(Run(R"({"op":"select","table":"T","where":[["s","==","b"]],"columns":["i","_uuid"]})"),
            absl::StrCat(R"([{"rows":[{"_uuid":)", UuidJson(2), R"(,"i":5}]}])"));
  EXPECT_EQ(Run(Update("T", R"(["i","<",9])", R"({"set":["set",[2,1]]})")), R"([{"count":2}])");
  EXPECT_EQ(Run(R"({"op":"mutate","table":"T","where":[["s","==","a"]],
                    "mutations":[["i","+=",1],["i","*=",2],["set","delete",1]]})"),
            R"([{"count":1}])");
  EXPECT_EQ(Run(R"({"op":"select","table":"T","where":[["s","==","a"]],"columns":["i","set"]})"),
            R"([{"rows":[{"i":12,"set":2}]}])");
  EXPECT_EQ(Run(Delete("T", R"(["i","==",5])")), R"([{"count":1}])");
  EXPECT_EQ(engine_.Rows("T", R"("s")"), R"([{"rows":[{"s":"a"}]}])");
  EXPECT_EQ(Run(R"({"op":"comment","comment":"x"},{"op":"commit","durable":false})"), "[{},{}]");
}

TEST_F(TransactionTest, SelectOfAllColumns) {
  Run(Insert("E", 1, R"({"e":"b"})"));
  const Row* row = engine_.db().table(0).Find(*Uuid::Parse(UuidText(1)));
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(Run(R"({"op":"select","table":"E","where":[]})"),
            absl::StrCat(R"([{"rows":[{"_uuid":)", UuidJson(1), R"(,"_version":["uuid",")",
                         row->version().ToString(), R"("],"e":"b","n":0}]}])"));
}

TEST_F(TransactionTest, SelectTellsEqualRowsOnce) {
  Run(absl::StrCat(Insert("T", 1, R"({"i":5,"s":"a"})"), ",",
                   Insert("T", 2, R"({"i":5,"s":"b"})")));
  EXPECT_EQ(engine_.Rows("T", R"("i")"), R"([{"rows":[{"i":5}]}])");
  EXPECT_EQ(engine_.Rows("T", ""), R"([{"rows":[{}]}])");
}

TEST_F(TransactionTest, SelectSorts) {
  Run(absl::StrCat(Insert("T", 1, R"({"i":5,"s":"b"})"), ",", Insert("T", 2, R"({"i":7,"s":"a"})"),
                   ",", Insert("T", 3, R"({"i":5,"s":"c"})")));
  const auto sorted_by = [&](absl::string_view sort) {
    return Run(absl::StrCat(R"({"op":"select","table":"T","where":[],"columns":["i","s"],"sort":)",
                            sort, "}"));
  };
  EXPECT_EQ(sorted_by(R"(["i","s"])"),
            R"([{"rows":[{"i":5,"s":"b"},{"i":5,"s":"c"},{"i":7,"s":"a"}]}])");
  EXPECT_EQ(sorted_by(R"(["s","i"])"),
            R"([{"rows":[{"i":7,"s":"a"},{"i":5,"s":"b"},{"i":5,"s":"c"}]}])");
  // Not among the columns shown.
  EXPECT_EQ(Run(R"({"op":"select","table":"T","where":[],"columns":["i"],"sort":["_uuid"]})"),
            R"([{"rows":[{"i":5},{"i":7}]}])");
  EXPECT_EQ(
      sorted_by(R"(["x"])"),
      R"([{"details":"x is not a valid column name","error":"syntax error","syntax":"[\"x\"]"}])");
}

TEST_F(TransactionTest, LeavesTheDatabaseAsItWas) {
  Run(Insert("T", 1, R"({"i":5,"s":"a"})"));
  const TransactionOutcome outcome =
      engine_.Try(absl::StrCat(Update("T", "", R"({"i":6})"), ",", Insert("T", 2, R"({"s":"b"})")));
  EXPECT_TRUE(outcome.committed);
  EXPECT_EQ(engine_.Rows("T", R"("i")"), R"([{"rows":[{"i":5}]}])");
}

TEST_F(TransactionTest, OperationsSeeWhatWasDoneBefore) {
  Run(absl::StrCat(Insert("T", 1, R"({"i":1,"s":"a"})"), ",",
                   Insert("T", 2, R"({"i":2,"s":"b"})")));
  const std::string select_a =
      R"({"op":"select","table":"T","where":[["s","==","a"]],"columns":["i"]})";
  const std::string select_i =
      R"({"op":"select","table":"T","where":[["i",">",1]],"columns":["i"]})";
  // By a unique index and by looking at every row; of rows modified, inserted and deleted.
  EXPECT_EQ(Run(absl::StrCat(Update("T", IsRow(1), R"({"s":"c","i":7})"), ",", select_a, ",",
                             Insert("T", 3, R"({"i":3,"s":"a"})"), ",", select_a, ",",
                             Delete("T", IsRow(2)), ",", select_i, R"(,{"op":"abort"})")),
            absl::StrCat(R"([{"count":1},{"rows":[]},)", Inserted(3),
                         R"(,{"rows":[{"i":3}]},{"count":1},{"rows":[{"i":7},{"i":3}]},)",
                         R"({"details":"aborted by request","error":"aborted"}])"));
}

TEST_F(TransactionTest, AFailedOperationEndsTheTransaction) {
  EXPECT_EQ(Run(absl::StrCat(Insert("T", 1, "{}"), R"(,{"op":"abort"},)", Insert("T", 2, "{}"))),
            absl::StrCat("[", Inserted(1),
                         R"(,{"details":"aborted by request","error":"aborted"},null])"));
  EXPECT_EQ(engine_.db().row_count(), 0u);
}

TEST_F(TransactionTest, AFailedCommitIsOneResultMore) {
  const std::string result = Run(absl::StrCat(Insert("T", 1, "{}"), ",", Insert("T", 2, "{}")));
  EXPECT_EQ(result.find(absl::StrCat("[", Inserted(1), ",", Inserted(2), R"(,{"details":)")), 0u)
      << result;
  EXPECT_NE(result.find(R"("error":"constraint violation"}])"), std::string::npos) << result;
}

TEST_F(TransactionTest, FormErrors) {
  const std::pair<const char*, const char*> cases[] = {
      // The operation; the problem.
      {"1", "Object expected."},
      {"{}", "Required 'op' member is missing."},
      {R"({"op":1})", "Type mismatch for member 'op'."},
      {R"({"op":"foo"})", "No operation \\\"foo\\\""},
      {R"({"op":"insert","row":5,"table":"zz"})", "No table named zz."},
      {R"({"op":"insert","row":{}})", "Required 'table' member is missing."},
      {R"({"op":"insert","row":5,"table":"T","uuid-name":5})",
       "Type mismatch for member 'uuid-name'."},
      {R"({"op":"insert","row":5,"table":"T","uuid":5,"uuid-name":5})",
       "Type mismatch for member 'uuid'."},
      {R"({"op":"insert","row":{},"table":"T","x":1,"y":2})",
       "Member 'x' and 1 other member are present but not allowed here."},
      {R"({"op":"select","table":"T"})", "Required 'where' member is missing."},
      {R"({"columns":1,"op":"select","table":"T","where":[]})",
       "Type mismatch for member 'columns'."},
      {R"({"op":"update","table":"T","where":[]})", "Required 'row' member is missing."},
      {R"({"op":"mutate","table":"T","where":[]})", "Required 'mutations' member is missing."},
      {R"({"op":"delete"})", "Required 'where' member is missing."},
      {R"({"op":"wait"})", "Required 'where' member is missing."},
      {R"({"op":"wait","timeout":1.5})", "Type mismatch for member 'timeout'."},
      {R"({"op":"commit"})", "Required 'durable' member is missing."},
      {R"({"op":"abort","x":1})", "Member 'x' is present but not allowed here."},
      {R"({"op":"comment"})", "Required 'comment' member is missing."},
      {R"({"lock":"1","op":"assert"})", "Type mismatch for member 'lock'."},
  };
  for (const auto& [operation, problem] : cases) {
    const std::string syntax = absl::StrReplaceAll(operation, {{"\"", "\\\""}});
    std::string error = absl::StrCat(R"({"details":"Parsing ovsdb operation 2 of 3 failed: )",
                                     problem, R"(","error":"syntax error")");
    if (operation[0] == '{') absl::StrAppend(&error, R"(,"syntax":")", syntax, "\"");
    EXPECT_EQ(Run(absl::StrCat(R"({"op":"comment","comment":""},)", operation, ",{}")),
              absl::StrCat("[{},", error, "},null]"));
  }
}

TEST_F(TransactionTest, ContentErrors) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"op":"insert","table":"T","row":{"q":1}})",
       R"({"details":"No column q in table T.","error":"unknown column","syntax":"{\"q\":1}"})"},
      {R"({"op":"insert","table":"T","row":{"i":"x"}})",
       R"({"details":"expected integer","error":"syntax error","syntax":"\"x\""})"},
      {R"({"op":"insert","table":"T","row":{},"uuid":"zz"})",
       R"({"details":"bad uuid","error":"syntax error","syntax":"\"zz\""})"},
      {R"({"op":"select","table":"T","where":[],"columns":["i","z"]})",
       R"({"details":"z is not a valid column name","error":"syntax error","syntax":"[\"i\",\"z\"]"})"},
      {R"({"op":"select","table":"T","where":[],"columns":["i","i"]})",
       R"({"details":"array of distinct column names expected","error":"syntax error","syntax":"[\"i\",\"i\"]"})"},
      {R"({"op":"select","table":"T","where":[["z","==",1]],"columns":["zz"]})",
       R"({"details":"No column z in table T.","error":"unknown column","syntax":"[\"z\",\"==\",1]"})"},
      {R"({"op":"update","row":{"z":5},"table":"T","where":[["zz","==",1]]})",
       R"({"details":"No column z in table T.","error":"unknown column","syntax":"{\"z\":5}"})"},
      {R"({"op":"update","row":{"fixed":5},"table":"T","where":[]})",
       R"({"details":"Cannot update immutable column fixed in table T.","error":"constraint violation","syntax":"{\"op\":\"update\",\"row\":{\"fixed\":5},\"table\":\"T\",\"where\":[]}"})"},
      {R"({"op":"mutate","mutations":[["z","+=",1]],"table":"T","where":[["zz","==",1]]})",
       R"({"details":"No column z in table T.","error":"unknown column","syntax":"[\"z\",\"+=\",1]"})"},
  };
  for (const auto& [operation, error] : cases) {
    EXPECT_EQ(Run(operation), absl::StrCat("[", error, "]")) << operation;
  }
}

TEST_F(TransactionTest, DefaultsAreCheckedWhereNothingIsGiven) {
  EXPECT_EQ(
      Run(Insert("E", 1, "{}")),
      R"x([{"details":"\"\" is not one of the allowed values ([a, b])","error":"constraint violation"}])x");
  EXPECT_EQ(Run(Insert("E", 1, R"({"e":"a"})")), absl::StrCat("[", Inserted(1), "]"));
}

TEST_F(TransactionTest, NamedUuids) {
  const std::string insert = R"({"op":"insert","table":"T","row":{"s":"a"},"uuid-name":"a"})";
  const std::string select =
      R"({"op":"select","table":"T","where":[["_uuid","==",["named-uuid","a"]]],"columns":["s"]})";
  EXPECT_NE(Run(absl::StrCat(select, ",", insert, ",", select)).find(R"({"rows":[{"s":"a"}]}])"),
            std::string::npos);
  EXPECT_NE(
      Run(absl::StrCat(insert, ",", insert))
          .find(R"({"details":"This \"uuid-name\" appeared on an earlier \"insert\" operation.",)"
                R"("error":"duplicate uuid-name","syntax":"\"a\""}])"),
      std::string::npos);
  EXPECT_EQ(Run(absl::StrReplaceAll(
                    insert, {{"\"op\"", absl::StrCat("\"uuid\":\"", UuidText(1), "\",\"op\"")}})
                    .append("," + select + R"(,{"op":"abort"})")),
            absl::StrCat("[", Inserted(1), R"(,{"rows":[{"s":"a"}]},)",
                         R"({"details":"aborted by request","error":"aborted"}])"));
}

TEST_F(TransactionTest, ChosenUuids) {
  const std::string duplicate = absl::StrCat(
      R"({"details":"This UUID would duplicate a UUID already present within the table or deleted )",
      R"(within the same transaction.","error":"duplicate uuid","syntax":"\")", UuidText(1),
      R"(\""})");
  const std::string insert = Insert("T", 1, "{}");
  EXPECT_EQ(Run(absl::StrCat(insert, ",", insert)),
            absl::StrCat("[", Inserted(1), ",", duplicate, "]"));
  // A row that the transaction itself made leaves no trace.
  EXPECT_EQ(Run(absl::StrCat(insert, ",", Delete("T"), ",", insert)),
            absl::StrCat("[", Inserted(1), R"(,{"count":1},)", Inserted(1), "]"));
  EXPECT_EQ(Run(insert), absl::StrCat("[", duplicate, "]"));
  EXPECT_EQ(Run(absl::StrCat(Delete("T"), ",", insert)),
            absl::StrCat(R"([{"count":1},)", duplicate, "]"));
  // Another table has UUIDs of its own.
  EXPECT_EQ(Run(Insert("E", 1, R"({"e":"a"})")), absl::StrCat("[", Inserted(1), "]"));
}

std::string Wait(absl::string_view columns, absl::string_view until, absl::string_view rows,
                 absl::string_view timeout = R"(,"timeout":0)") {
  return absl::StrCat(R"({"op":"wait","table":"T","where":[],"columns":[)", columns,
                      R"(],"until":")", until, R"(","rows":[)", rows, "]", timeout, "}");
}

TEST_F(TransactionTest, WaitComparesSetsOfRows) {
  Run(absl::StrCat(Insert("T", 1, R"({"i":5,"s":"a"})"), ",",
                   Insert("T", 2, R"({"i":6,"s":"b"})")));
  const std::string failed = R"([{"details":"\"where\" clause test failed","error":"timed out"}])";
  EXPECT_EQ(Run(Wait(R"("i")", "==", R"({"i":6},{"i":5})")), "[{}]");
  EXPECT_EQ(Run(Wait(R"("i")", "==", R"({"i":6})")), failed);
  EXPECT_EQ(Run(Wait(R"("i")", "==", R"({"i":6},{"i":5},{"i":7})")), failed);
  EXPECT_EQ(Run(Wait(R"("i")", "!=", R"({"i":6})")), "[{}]");
  EXPECT_EQ(Run(Wait(R"("i")", "!=", R"({"i":6},{"i":5})")), failed);
  EXPECT_EQ(Run(Wait(R"("fixed")", "==", R"({"fixed":0})")), "[{}]");  // Two rows, one set.
  EXPECT_EQ(Run(Wait(R"("fixed")", "==", "{},{}")), "[{}]");  // What is not given is the default.
  EXPECT_EQ(Run(Wait(R"("fixed")", "==", R"({"s":"zz"})")), "[{}]");  // Not looked at.
  EXPECT_EQ(
      Run(Wait(R"("_uuid")", "==",
               absl::StrCat(R"({"_uuid":)", UuidJson(1), R"(},{"_uuid":)", UuidJson(2), "}"))),
      "[{}]");
  EXPECT_EQ(Run(Wait("", "==", "")), failed);
  EXPECT_EQ(Run(Wait("", "==", "{}")), "[{}]");
}

TEST_F(TransactionTest, WaitErrors) {
  EXPECT_EQ(Run(Wait(R"("i")", "=", "", R"(,"timeout":-1)")),
            R"([{"details":"timeout must be nonnegative","error":"syntax error","syntax":"-1"}])");
  EXPECT_EQ(
      Run(Wait(R"("i")", "=", "5")),
      R"([{"details":"\"until\" must be \"==\" or \"!=\"","error":"syntax error","syntax":"\"=\""}])");
  EXPECT_EQ(Run(Wait(R"("i")", "==", "5")),
            R"([{"details":"row must be JSON object","error":"syntax error","syntax":"5"}])");
}

TEST_F(TransactionTest, WaitIsTriedAgainUntilItsTimeIsOver) {
  const std::string wait = Wait(R"("i")", "==", R"({"i":1})", R"(,"timeout":30)");
  TransactionOutcome outcome = engine_.Try(absl::StrCat(Insert("E", 1, R"({"e":"a"})"), ",", wait));
  EXPECT_TRUE(outcome.must_wait);
  EXPECT_EQ(outcome.timeout_msec, 30);
  EXPECT_FALSE(outcome.committed);
  EXPECT_TRUE(outcome.change.empty());

  outcome = engine_.Try(Wait(R"("i")", "==", R"({"i":1})", ""));
  EXPECT_TRUE(outcome.must_wait);
  EXPECT_EQ(outcome.timeout_msec, std::nullopt);

  engine_.context().elapsed_msec = 31;
  EXPECT_EQ(Run(wait), R"([{"details":"\"wait\" timed out after 31 ms","error":"timed out"}])");
  engine_.context().can_wait = false;
  EXPECT_EQ(Run(wait), R"([{"details":"triggers not supported","error":"not supported"}])");
  Run(Insert("T", 1, R"({"i":1})"));
  EXPECT_EQ(Run(wait), "[{}]");
}

TEST_F(TransactionTest, ReadOnlyClientsMayLookAndWait) {
  engine_.context().read_only = true;
  const std::pair<const char*, const char*> writes[] = {
      {"insert", R"({"op":"insert","table":"T","row":{}})"},
      {"delete", R"({"op":"delete","table":"T","where":[]})"},
      {"update", R"({"op":"update","table":"T","where":[],"row":{}})"},
      {"mutate", R"({"op":"mutate","table":"T","where":[],"mutations":[]})"},
      {"commit", R"({"op":"commit","durable":true})"},
  };
  for (const auto& [name, operation] : writes) {
    EXPECT_EQ(Run(operation),
              absl::StrCat(R"([{"details":")", name,
                           " operation not allowed when database server is in read only mode",
                           R"(","error":"not allowed"}])"));
  }
  EXPECT_EQ(Run(R"({"op":"comment","comment":"x"},{"op":"select","table":"T","where":[]})"),
            R"([{},{"rows":[]}])");
  EXPECT_EQ(Run(Wait(R"("i")", "==", "")), "[{}]");
}

TEST_F(TransactionTest, AssertAsksWhoOwnsTheLock) {
  const std::string assert_lock = R"({"op":"assert","lock":"l"})";
  const std::string not_owner = R"([{"details":"Asserted lock l not held.","error":"not owner"}])";
  EXPECT_EQ(Run(assert_lock), not_owner);
  engine_.context().owns_lock = [](absl::string_view name) { return name == "l"; };
  EXPECT_EQ(Run(assert_lock), "[{}]");
}

TEST_F(TransactionTest, RbacIsAsked) {
  Engine engine(R"({"name":"D","tables":{"T":{"columns":{"i":{"type":"integer"}}},
      "RBAC_Role":{"columns":{"name":{"type":"string"}}}}})");
  engine.Run(Insert("T", 1, "{}"));
  engine.context().role = "r";
  engine.context().client_id = "c";
  const std::pair<std::string, const char*> writes[] = {
      {Insert("T", 2, "{}"), "row insertion into"},
      {Update("T", "", R"({"i":1})"), "modification of"},
      {R"({"op":"mutate","table":"T","where":[],"mutations":[["i","+=",1]]})",
       "mutate operation on"},
      {Delete("T"), "row deletion from"},
  };
  for (const auto& [operation, deed] : writes) {
    EXPECT_EQ(engine.Run(operation),
              absl::StrCat(R"([{"details":"RBAC rules for client \"c\" role \"r\" prohibit )", deed,
                           R"( table \"T\".","error":"permission error"}])"));
  }
  EXPECT_EQ(engine.Rows("T", R"("i")"), R"([{"rows":[{"i":0}]}])");
}

TEST_F(TransactionTest, CommentsAndDurability) {
  const TransactionOutcome outcome = engine_.Try(
      R"({"op":"comment","comment":"a"},{"op":"comment","comment":"b"},{"op":"commit","durable":true})");
  EXPECT_TRUE(outcome.committed);
  EXPECT_TRUE(outcome.durable);
  EXPECT_TRUE(outcome.change.empty());
  EXPECT_EQ(outcome.change.comment, "a\nb");
  EXPECT_FALSE(engine_.Try(R"({"op":"commit","durable":false})").durable);
}

TEST_F(TransactionTest, TheChangeHasWhatReallyChanged) {
  Run(absl::StrCat(Insert("T", 1, R"({"i":1,"s":"a"})"), ",", Insert("T", 2, R"({"i":2,"s":"b"})"),
                   ",", Insert("T", 3, R"({"i":3,"s":"c"})")));
  const TransactionOutcome outcome = engine_.Try(
      absl::StrCat(Update("T", IsRow(1), R"({"i":9})"), ",", Update("T", IsRow(1), R"({"i":1})"),
                   ",", Update("T", IsRow(2), R"({"i":9})"), ",", Delete("T", IsRow(3)), ",",
                   Insert("T", 4, R"({"s":"d"})"), ",", Insert("T", 5, R"({"s":"e"})"), ",",
                   Delete("T", IsRow(5)), ",", Insert("E", 6, R"({"e":"a"})")));
  ASSERT_EQ(outcome.change.tables.size(), 2u);
  EXPECT_EQ(outcome.change.tables[0].table, 0);
  EXPECT_EQ(outcome.change.tables[0].rows.size(), 1u);
  const TableChange& change = outcome.change.tables[1];
  EXPECT_EQ(change.table, 1);
  ASSERT_EQ(change.rows.size(), 3u);

  EXPECT_EQ(change.rows[0].uuid().ToString(), UuidText(2));
  EXPECT_EQ(change.rows[0].before.get(), engine_.db().table(1).Find(change.rows[0].uuid()));
  EXPECT_EQ(change.rows[0].after->datum(3), Datum(Atom::Integer(9)));
  EXPECT_NE(change.rows[0].after->version(), change.rows[0].before->version());
  EXPECT_EQ(change.rows[1].uuid().ToString(), UuidText(3));
  EXPECT_FALSE(change.rows[1].after);
  EXPECT_EQ(change.rows[2].uuid().ToString(), UuidText(4));
  EXPECT_FALSE(change.rows[2].before);
}

TEST_F(TransactionTest, AVersionIsNewWhenTheTransactionEnds) {
  Run(Insert("T", 1, R"({"i":1})"));
  auto version = [&](absl::string_view operations) {
    const std::string result = Run(absl::StrCat(
        operations, R"({"op":"select","table":"T","where":[],"columns":["_version"]})"));
    return result.substr(result.find("\"rows\""));
  };
  const std::string first = version("");
  EXPECT_EQ(version(absl::StrCat(Update("T", "", R"({"i":1})"), ",")), first);
  EXPECT_EQ(version(absl::StrCat(Update("T", "", R"({"i":2})"), ",")), first);
  EXPECT_NE(version(""), first);
}

TEST_F(TransactionTest, ManyRows) {
  // More than the overlay looks through one by one.
  std::string operations;
  for (int i = 0; i < 100; i++) {
    absl::StrAppend(&operations, i > 0 ? "," : "", R"({"op":"insert","table":"T","uuid-name":"r)",
                    i, R"(","row":{"i":)", i, R"(,"s":")", i, R"("}})");
  }
  absl::StrAppend(&operations, ",", Update("T", R"(["i",">=",50])", R"({"set":1})"), ",",
                  Delete("T", R"(["i","<",50],["i",">=",25])"), ",",
                  Update("T", R"(["_uuid","==",["named-uuid","r7"]])", R"({"set":["set",[7,8]]})"));
  const std::string result = Run(operations);
  EXPECT_NE(result.find(R"({"count":50},{"count":25},{"count":1}])"), std::string::npos) << result;
  EXPECT_EQ(engine_.db().row_count(), 75u);
  EXPECT_EQ(Run(R"({"op":"select","table":"T","where":[["s","==","7"]],"columns":["i","set"]})"),
            R"([{"rows":[{"i":7,"set":["set",[7,8]]}]}])");
}

TEST_F(TransactionTest, CheckChangeCompletesAChange) {
  Run(Insert("T", 1, R"({"i":1,"s":"a"})"));
  const Database& db = engine_.db();
  const TableSchema& table = db.schema().tables[1];
  const RowRef before = db.table(1).FindRef(*Uuid::Parse(UuidText(1)));
  MutableRow modified(*before, engine_.uuids().Next());
  modified.Set(table.FindColumn("i")->index, Datum(Atom::Integer(2)));
  MutableRow inserted(table, engine_.uuids().Next(), engine_.uuids().Next());
  Change change;
  change.comment = "c";
  change.tables.push_back({1, {{before, std::move(modified).Finish()}}});
  change.tables[0].rows.push_back({nullptr, std::move(inserted).Finish()});
  absl::StatusOr<Change> checked = CheckChange(db, change, &engine_.uuids());
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->comment, "c");
  ASSERT_EQ(checked->tables.size(), 1u);
  EXPECT_EQ(checked->tables[0].rows.size(), 2u);

  MutableRow duplicate(*before, engine_.uuids().Next(), engine_.uuids().Next());
  change.tables[0].rows[0] = {nullptr, std::move(duplicate).Finish()};
  EXPECT_FALSE(CheckChange(db, change, &engine_.uuids()).ok());
}

}  // namespace
}  // namespace ovsdb

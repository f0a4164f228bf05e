#include "ovsdb/log_json.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ovsdb/error.h"

// The records and errors expected here are those of OVS 3.5, but for the order of members.

namespace ovsdb {
namespace {

constexpr char kSchema[] = R"({"name":"D","version":"1.0.0","tables":{
    "N":{"columns":{"n":{"type":"integer"}}},
    "T":{"isRoot":true,"columns":{
      "e":{"type":"integer","ephemeral":true},
      "i":{"type":{"key":{"type":"integer","minInteger":0,"maxInteger":10},"min":0}},
      "im":{"type":"integer","mutable":false},
      "m":{"type":{"key":"string","value":"integer","min":0,"max":3}},
      "om":{"type":{"key":"string","value":"integer","min":0}},
      "r":{"type":{"key":"real","min":0,"max":3}},
      "ref":{"type":{"key":{"type":"uuid","refTable":"N"},"min":0,"max":"unlimited"}},
      "s":{"type":"string"},
      "s1":{"type":{"key":"integer","min":1,"max":2}},
      "si":{"type":{"key":"integer","min":0,"max":2}}}}}})";

constexpr int64_t kDate = 1795370426748;

// In what follows $1 ... $9 stand for UUIDs.
std::string Expand(absl::string_view text) {
  std::string expanded(text);
  for (char digit = '1'; digit <= '9'; digit++) {
    const std::string name = {'$', digit};
    absl::StrReplaceAll(
        {{name, absl::StrCat("0000000", std::string(1, digit), "-0000-4000-8000-000000000000")}},
        &expanded);
  }
  return expanded;
}

class LogJsonTest : public testing::Test {
 protected:
  absl::StatusOr<Record> Parse(absl::string_view json) {
    std::string text = Expand(json);
    absl::StatusOr<Record> record = ReadRecord(database_, text.data(), text.size(), &uuids_);
    text.assign(text.size(), '#');  // Nothing may point into it.
    return record;
  }

  // Applies a record. Returns it as it is written again, or the error.
  std::string Replay(absl::string_view json, RecordForm form = RecordForm::kDifferences) {
    auto record = Parse(json);
    if (!record.ok()) {
      return ErrorString(record.status()) == "internal error" ? "no object"
                                                              : ErrorText(record.status());
    }
    database_.Apply(record->change);
    std::string text;
    AppendRecord(database_.schema(), record->change, record->date_msec, form, &text);
    return text;
  }

  std::string State(absl::string_view comment = "", RecordForm form = RecordForm::kDifferences) {
    std::string text;
    EXPECT_TRUE(WriteSnapshotRecord(database_.TakeSnapshot(), kDate, comment, form,
                                    [&](absl::string_view piece) {
                                      absl::StrAppend(&text, piece);
                                      return absl::OkStatus();
                                    })
                    .ok());
    return text;
  }

  Database database_{*DatabaseSchema::ParseText(kSchema)};
  UuidGenerator uuids_{1};
};

TEST_F(LogJsonTest, WritesWhatItReads) {
  const char* records[] = {
      R"({"_date":1795370426748,"_is_diff":true,"_comment":"a\nb","N":{"$9":{}},"T":{"$1":{"i":5,"m":["map",[["a",1],["b",2]]],"om":["map",[["x",1]]],"ref":["uuid","$9"],"s":"x","si":["set",[1,2]]}}})",
      R"({"_date":1795370426748,"_is_diff":true,"T":{"$1":{"i":6,"m":["map",[["b",3],["c",4]]],"om":["map",[["y",2]]],"s1":["set",[0,5]],"si":["set",[1,4]]}}})",
      R"({"_date":1795370426749,"_is_diff":true,"T":{"$1":{"i":["set",[]],"m":["map",[["a",1],["b",3],["c",4]]],"om":["map",[]],"si":["set",[2,4]]}}})",
      R"({"_date":1795370426749,"_is_diff":true,"T":{"$1":{"im":10,"ref":["uuid","$9"]},"$2":{},"$3":{"s":"z"}}})",
      R"({"_date":1795370426749,"_is_diff":true,"N":{"$9":null},"T":{"$1":null}})",
  };
  for (const char* record : records) EXPECT_EQ(Replay(record), Expand(record));
  EXPECT_EQ(
      State("compacting"),
      Expand(
          R"({"_date":1795370426748,"_is_diff":true,"_comment":"compacting","T":{"$2":{},"$3":{"s":"z"}}})"));
}

TEST_F(LogJsonTest, FormWithoutDifferences) {
  Replay(R"({"T":{"$1":{"i":5,"si":["set",[1,2]]}}})");
  const char record[] = R"({"_date":1795370426748,"T":{"$1":{"s":"x","si":["set",[1,3]]}}})";
  EXPECT_EQ(Replay(record, RecordForm::kValues), Expand(record));
  EXPECT_EQ(State("", RecordForm::kValues),
            Expand(R"({"_date":1795370426748,"T":{"$1":{"i":5,"s":"x","si":["set",[1,3]]}}})"));
  EXPECT_EQ(Replay(R"({"T":{"$1":{"si":["set",[]]}}})"),
            Expand(R"({"_date":0,"_is_diff":true,"T":{"$1":{"si":["set",[1,3]]}}})"));
}

TEST_F(LogJsonTest, TellsDifferencesWhereverTheRecordSaysSo) {
  Replay(R"({"T":{"$1":{"s":"a","si":["set",[1,2]]}},"_is_diff":true})");
  auto expect_state = [&](absl::string_view row) {
    EXPECT_EQ(State("", RecordForm::kValues),
              Expand(absl::StrCat(R"({"_date":1795370426748,"T":{"$1":)", row, "}}")));
  };
  Replay(R"({"T":{"$1":{"si":["set",[2,3]]}} , "_comment":"_is_diff", "_is_diff" : true })");
  expect_state(R"({"s":"a","si":["set",[1,3]]})");
  Replay(
      R"({"_comment":"\",\"_is_diff\":true","T":{"$1":{"s":"_is_diff","si":2}},"_is_diff":false})");
  expect_state(R"({"s":"_is_diff","si":2})");
  Replay(
      R"({"T":{"$1":{"s":"\\\"}}","si":["set",[1,2]]},"$2":{"s":"}}}\"_is_diff\":true"}},"N":{}})");
  Replay(R"({"T":{"$2":null}})");
  expect_state(R"({"s":"\\\"}}","si":["set",[1,2]]})");
}

TEST_F(LogJsonTest, LeavesOutWhatIsNotPersistent) {
  std::string text = "x";
  Change change;
  change.comment = "a comment alone";
  EXPECT_FALSE(AppendRecord(database_.schema(), change, kDate, RecordForm::kDifferences, &text));
  EXPECT_EQ(Replay(R"({"T":{"$1":{"e":5}}})"),
            Expand(R"({"_date":0,"_is_diff":true,"T":{"$1":{}}})"));
  EXPECT_EQ(Replay(R"({"T":{"$1":{"e":6}}})"), "");
  EXPECT_EQ(Replay(R"({"T":{"$1":{}}})"), "");
  EXPECT_EQ(Replay(R"({"T":{"$1":{"e":7},"$2":{}}})"),
            Expand(R"({"_date":0,"_is_diff":true,"T":{"$2":{}}})"));
  EXPECT_EQ(text, "x");
}

// A change that was acknowledged must not depend on digits that clients do not see.
TEST_F(LogJsonTest, KeepsRealsThatRoundAlikeApart) {
  const std::string row =
      R"({"_date":1795370426748,"_is_diff":true,"T":{"$1":{"r":["set",[0.3,0.30000000000000004]],"s1":1}}})";
  EXPECT_EQ(Replay(row), Expand(row));
  const std::string exact = State();
  EXPECT_TRUE(absl::StrContains(exact, "[0.3,0.30000000000000004]")) << exact;
  const std::string difference =
      R"({"_date":1795370426748,"_is_diff":true,"T":{"$1":{"r":0.30000000000000004}}})";
  EXPECT_EQ(Replay(difference), Expand(difference));
  EXPECT_TRUE(absl::StrContains(State(), R"("r":0.3,)")) << State();
}

// As OVS writes them.
TEST_F(LogJsonTest, CountsEqualElementsOnce) {
  EXPECT_EQ(
      Replay(R"({"_date":1795370426748,"T":{"$1":{"r":["set",[0.1,0.5,7,7]],"s1":["set",[4,4]]}}})",
             RecordForm::kValues),
      Expand(R"({"_date":1795370426748,"T":{"$1":{"r":["set",[0.1,0.5,7]],"s1":4}}})"));
  EXPECT_EQ(Replay(R"({"_date":1795370426748,"_is_diff":true,"T":{"$1":{"r":["set",[7,7,0.1]]}}})"),
            Expand(R"({"_date":1795370426748,"_is_diff":true,"T":{"$1":{"r":["set",[0.1,7]]}}})"));
  EXPECT_EQ(Replay(R"({"_date":1795370426748,"T":{"$1":{"m":["map",[["a",1],["a",2]]]}}})",
                   RecordForm::kValues),
            Expand(R"({"_date":1795370426748,"T":{"$1":{"m":["map",[["a",1]]]}}})"));
}

TEST_F(LogJsonTest, ReadsDatesAndComments) {
  EXPECT_EQ(Parse(R"({"_date":1795370426748})")->date_msec, 1795370426748);
  EXPECT_EQ(Parse(R"({"_date":1700000000})")->date_msec, 1700000000000);  // Seconds, as of old.
  EXPECT_EQ(Parse("{}")->date_msec, 0);
  EXPECT_EQ(Parse(R"({"_comment":"a\"b"})")->change.comment, "a\"b");
  EXPECT_EQ(Parse(R"({"_comment":5})")->change.comment, "");
}

TEST_F(LogJsonTest, OfEqualNamesTheLastCounts) {
  const std::string expected = Expand(R"({"_date":0,"_is_diff":true,"T":{"$1":{"s":"b"}}})");
  EXPECT_EQ(Replay(R"({"T":{"$1":{"s":"a"},"$1":{"s":"b"}}})"), expected);
  EXPECT_EQ(Replay(R"({"T":{"$1":null}})"),
            Expand(R"({"_date":0,"_is_diff":true,"T":{"$1":null}})"));
  EXPECT_EQ(Replay(R"({"T":{"$2":{"s":"a"}},"T":{"$1":{"s":"b"}}})"), expected);
  EXPECT_EQ(Replay(R"({"T":{"$1":{"s":"x","s":"c"}}})"),
            Expand(R"({"_date":0,"_is_diff":true,"T":{"$1":{"s":"c"}}})"));
  EXPECT_EQ(
      Replay(
          R"({"T":{"abcdef00-0000-4000-8000-000000000000":{"s":"a"},"ABCDEF00-0000-4000-8000-000000000000":{"s":"b"},"$2":{}}})"),
      Expand(
          R"({"_date":0,"_is_diff":true,"T":{"abcdef00-0000-4000-8000-000000000000":{"s":"b"},"$2":{}}})"));
}

TEST_F(LogJsonTest, RefusesBadRecords) {
  Replay(R"({"T":{"$1":{"si":["set",[1,2]],"s1":5,"m":["map",[["a",1]]]}}})");
  const std::pair<const char*, const char*> cases[] = {
      {R"({"X":{"$1":{"s":"a"}}})",
       R"(syntax "{"X":{"$1":{"s":"a"}}}": unknown table: No table named X.)"},
      {R"({"_date":"x"})", R"(syntax "{"_date":"x"}": unknown table: No table named _date.)"},
      {R"({"_is_diff":5})", R"(syntax "{"_is_diff":5}": unknown table: No table named _is_diff.)"},
      {R"({"T":5})", R"(syntax "5": syntax error: object expected)"},
      {R"({"T":{"x":{}}})", R"(syntax "{"x":{}}": syntax error: "x" is not a valid UUID)"},
      {R"({"T":{"$1":5}})", R"(syntax "5": syntax error: row must be JSON object)"},
      {R"({"T":{"$1":{"q":5}}})", R"(syntax "{"q":5}": unknown column: No column q in table T.)"},
      {R"({"T":{"$1":{"s":5}}})", R"(syntax "5": syntax error: expected string)"},
      {R"({"T":{"$2":null}})", "syntax error: transaction deletes row $2 that does not exist"},
      {R"({"T":{"$1":{"i":11}}})",
       "constraint violation: 11 is not in the valid range 0 to 10 (inclusive)"},
      {R"({"T":{"$2":{"si":["set",[1,2,3]]}}})",
       R"(syntax "["set",[1,2,3]]": syntax error: set must have 0 to 2 members but 3 are present)"},
      {R"({"_is_diff":true,"T":{"$1":{"si":3}}})",
       "ovsdb error: Datum crated by diff has size error"},
      {R"({"_is_diff":true,"T":{"$1":{"s1":5}}})",
       "ovsdb error: Datum crated by diff has size error"},
      {R"({"T":{"$1":{"si":["set",[1,1,2,2,3]]}}})",
       R"(syntax "["set",[1,1,2,2,3]]": syntax error: set must have 0 to 2 members but 3 are present)"},
      {R"({"_is_diff":true,"T":{"$1":{"i":50}}})",
       "constraint violation: 50 is not in the valid range 0 to 10 (inclusive)"},
  };
  const std::string state = State();
  for (const auto& [json, error] : cases) EXPECT_EQ(Replay(json), Expand(error));
  for (const char* json :
       {"", "5", "[]", "null", "{", "{]", "{}x", R"({"T")", R"({"T":)", R"({"T":{)",
        R"({"T":{"$2":{}})", R"({"T":{"$2":{},}})", R"({"T":{"$2":{}}}})", R"({"T":{"$2":{}}},)",
        R"({"T":{"$2":{"s":"})", R"({5:1})", R"({"T":{5:1}})", R"({"_date":1 "T":{}})",
        R"({"T":{"$2" {}}})"}) {
    EXPECT_EQ(Replay(json), "no object") << json;
  }
  EXPECT_EQ(Replay(std::string(R"({"T":{}})") + std::string(1, '\0')), "no object");
  EXPECT_EQ(State(), state);
}

TEST_F(LogJsonTest, WritesLargeSnapshotsInPieces) {
  std::string record = R"({"_date":1795370426748,"_is_diff":true,"T":{)";
  for (int i = 0; i < 20000; i++) {
    absl::StrAppend(&record, i > 0 ? ",\"" : "\"", uuids_.Next().ToString(), R"(":{"s":"row )", i,
                    R"("})");
  }
  absl::StrAppend(&record, "}}");
  EXPECT_EQ(Replay(record), record);
  size_t n_pieces = 0, largest = 0;
  std::string text;
  auto write = [&](absl::string_view piece) {
    n_pieces++;
    largest = std::max(largest, piece.size());
    absl::StrAppend(&text, piece);
    return absl::OkStatus();
  };
  const Snapshot snapshot = database_.TakeSnapshot();
  ASSERT_TRUE(WriteSnapshotRecord(snapshot, kDate, "", RecordForm::kDifferences, write).ok());
  EXPECT_EQ(text.size(), record.size());
  EXPECT_GT(n_pieces, 5u);
  EXPECT_LT(largest, 200000u);

  Database copy(database_.schema_ref());
  const auto read = ReadRecord(copy, text.data(), text.size(), &uuids_);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->change.tables[0].rows.size(), 20000u);

  auto refuse = [&](absl::string_view) {
    n_pieces = 0;
    return absl::UnavailableError("disk full");
  };
  EXPECT_EQ(WriteSnapshotRecord(snapshot, kDate, "", RecordForm::kDifferences, refuse).message(),
            "disk full");
}

}  // namespace
}  // namespace ovsdb

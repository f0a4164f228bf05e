#include "ovsdb/read_updates.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ovsdb/error.h"

namespace ovsdb {
namespace {

constexpr char kSchema[] = R"({"name":"Play","tables":{
  "T":{"columns":{"a":{"type":"integer"},
                  "s":{"type":{"key":"integer","min":0,"max":"unlimited"}},
                  "o":{"type":{"key":"string","min":0}}},"isRoot":true},
  "U":{"columns":{"b":{"type":"string"}},"isRoot":true}}})";

std::string RowId(int n) { return absl::StrCat("0000000", n, "-0000-0000-0000-000000000000"); }

// A replica in text: `T1 a=1 s=[...] ...` per row, by table and UUID.
class ReadUpdatesTest : public testing::Test {
 protected:
  absl::Status Apply(absl::StatusOr<Change> change) {
    if (!change.ok()) return change.status();
    n_rows_changed_ = 0;
    for (const TableChange& table : change->tables) n_rows_changed_ += table.rows.size();
    replica_.Apply(*change);
    return absl::OkStatus();
  }
  absl::Status Update(MonitorVersion version, const std::string& json) {
    return Apply(ReadUpdates(replica_, version, *ParseJson(json), &uuids_));
  }
  absl::Status SetContents(MonitorVersion version, const std::string& json) {
    return Apply(ReadContents(
        replica_, version, *ParseJson(json),
        [](const TableSchema& table) { return table.name == "T"; }, &uuids_));
  }
  std::string Row(absl::string_view table_name, int n) {
    const TableSchema* schema = replica_.schema().FindTable(table_name);
    const ovsdb::Row* row = replica_.table(schema->index).Find(*Uuid::Parse(RowId(n)));
    if (row == nullptr) return "none";
    std::string text;
    for (size_t i = TableSchema::kFirstRealColumn; i < schema->columns.size(); ++i) {
      absl::StrAppend(&text, text.empty() ? "" : " ", schema->columns[i].name, "=");
      row->datum(static_cast<int>(i)).AppendJson(schema->columns[i].type.is_map(), &text);
    }
    return text;
  }

  UuidGenerator uuids_{1};
  Database replica_{*DatabaseSchema::ParseText(kSchema)};
  size_t n_rows_changed_ = 0;
};

TEST_F(ReadUpdatesTest, FollowsVersion2) {
  ASSERT_TRUE(Update(MonitorVersion::kV2,
                     R"({"T":{"00000001-0000-0000-0000-000000000000":{"insert":{"a":5}},
                              "00000002-0000-0000-0000-000000000000":{"initial":{"o":"x"}}}})")
                  .ok());
  EXPECT_EQ(Row("T", 1), R"(a=5 o=["set",[]] s=["set",[]])");
  EXPECT_EQ(Row("T", 2), R"(a=0 o="x" s=["set",[]])");
  ASSERT_TRUE(Update(MonitorVersion::kV3,
                     R"({"T":{"00000001-0000-0000-0000-000000000000":
                              {"modify":{"s":["set",[1,2]],"o":"y"}},
                              "00000002-0000-0000-0000-000000000000":{"delete":null}}})")
                  .ok());
  EXPECT_EQ(Row("T", 1), R"(a=5 o="y" s=["set",[1,2]])");
  EXPECT_EQ(Row("T", 2), "none");
  // Of sets the difference is told, of optional values the new one.
  ASSERT_TRUE(Update(MonitorVersion::kV2,
                     R"({"T":{"00000001-0000-0000-0000-000000000000":
                              {"modify":{"s":["set",[2,3]],"o":["set",[]]}}}})")
                  .ok());
  EXPECT_EQ(Row("T", 1), R"(a=5 o=["set",[]] s=["set",[1,3]])");
}

TEST_F(ReadUpdatesTest, FollowsVersion1) {
  ASSERT_TRUE(Update(MonitorVersion::kV1, R"({"U":{"00000001-0000-0000-0000-000000000000":
                                                   {"new":{"b":"x","_version":["uuid",
                                      "00000009-0000-0000-0000-000000000000"]}}}})")
                  .ok());
  EXPECT_EQ(Row("U", 1), R"(b="x")");
  ASSERT_TRUE(Update(MonitorVersion::kV1, R"({"U":{"00000001-0000-0000-0000-000000000000":
                                                   {"old":{"b":"x"},"new":{"b":"y"}}}})")
                  .ok());
  EXPECT_EQ(Row("U", 1), R"(b="y")");
  ASSERT_TRUE(Update(MonitorVersion::kV1, R"({"U":{"00000001-0000-0000-0000-000000000000":
                                                   {"old":{"b":"y"}}}})")
                  .ok());
  EXPECT_EQ(Row("U", 1), "none");
}

TEST_F(ReadUpdatesTest, ContentsTakeThePlaceOfWhatIsMonitored) {
  ASSERT_TRUE(Update(MonitorVersion::kV2,
                     R"({"T":{"00000001-0000-0000-0000-000000000000":{"insert":{"a":1}},
                              "00000002-0000-0000-0000-000000000000":{"insert":{"a":2}},
                              "00000003-0000-0000-0000-000000000000":{"insert":{"a":3}}},
                         "U":{"00000004-0000-0000-0000-000000000000":{"insert":{"b":"mine"}}}})")
                  .ok());
  const RowRef same = replica_.table(0).FindRef(*Uuid::Parse(RowId(1)));
  ASSERT_TRUE(SetContents(MonitorVersion::kV2,
                          R"({"T":{"00000001-0000-0000-0000-000000000000":{"initial":{"a":1}},
                                   "00000002-0000-0000-0000-000000000000":{"initial":{"a":9}}}})")
                  .ok());
  EXPECT_EQ(n_rows_changed_, 2);
  EXPECT_EQ(replica_.table(0).FindRef(*Uuid::Parse(RowId(1))), same);
  EXPECT_EQ(Row("T", 2), R"(a=9 o=["set",[]] s=["set",[]])");
  EXPECT_EQ(Row("T", 3), "none");
  EXPECT_EQ(Row("U", 4), R"(b="mine")");
}

TEST_F(ReadUpdatesTest, RefusesWhatDoesNotFit) {
  const std::string id = RowId(1);
  const auto row = [&](absl::string_view update) {
    return absl::StrCat("{\"T\":{\"", id, "\":", update, "}}");
  };
  for (const MonitorVersion version : {MonitorVersion::kV1, MonitorVersion::kV2}) {
    for (const std::string& bad :
         {std::string("5"), std::string("[]"), std::string("{\"Absent\":{}}"),
          std::string("{\"T\":[]}"), std::string("{\"T\":{\"x\":{\"insert\":{}}}}"), row("5"),
          row("{}"), row("{\"new\":5,\"insert\":5}"),
          row("{\"new\":{\"absent\":1},\"insert\":{\"absent\":1}}"),
          row("{\"new\":{\"a\":\"x\"},\"insert\":{\"a\":\"x\"}}"),
          row("{\"old\":{},\"new\":{\"a\":1},\"modify\":{\"a\":1}}")}) {
      const absl::Status status = Update(version, bad);
      EXPECT_FALSE(status.ok()) << bad;
      EXPECT_TRUE(IsOvsdbError(status)) << bad;
    }
  }
  EXPECT_EQ(replica_.row_count(), 0);
}

TEST_F(ReadUpdatesTest, PassesOverWhatChangesNothing) {
  const std::string insert = R"({"T":{"00000001-0000-0000-0000-000000000000":{"insert":{"a":1}}}})";
  ASSERT_TRUE(Update(MonitorVersion::kV2, insert).ok());
  ASSERT_TRUE(Update(MonitorVersion::kV2, insert).ok());
  EXPECT_EQ(n_rows_changed_, 0);
  ASSERT_TRUE(Update(MonitorVersion::kV2,
                     R"({"T":{"00000007-0000-0000-0000-000000000000":{"delete":null}}})")
                  .ok());
  EXPECT_EQ(n_rows_changed_, 0);
}

}  // namespace
}  // namespace ovsdb

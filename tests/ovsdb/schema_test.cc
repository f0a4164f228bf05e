#include "ovsdb/schema.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/object_parser.h"

// What is expected here is what OVS 3.5 says about the same schemas.

namespace ovsdb {
namespace {

// The schema as it is written again, or the error.
std::string Rewrite(absl::string_view json) {
  const auto schema = DatabaseSchema::ParseText(json);
  if (!schema.ok()) return ErrorText(schema.status());
  std::string text, again;
  (*schema)->AppendJson(&text);
  const auto copy = DatabaseSchema::ParseText(text);
  EXPECT_TRUE(copy.ok()) << copy.status();
  EXPECT_TRUE(**copy == **schema);
  (*copy)->AppendJson(&again);
  EXPECT_EQ(again, text);
  return text;
}

// A schema with one table of these columns and other members.
std::string Table(absl::string_view columns, absl::string_view members = "") {
  return absl::StrCat(R"({"name":"D","tables":{"T":{"columns":{)", columns, "}", members, "}}}");
}

TEST(SchemaTest, ReadsAndWrites) {
  EXPECT_EQ(Rewrite(R"({"tables":{},"cksum":"1 2","version":"1.2.3","name":"D"})"),
            R"({"name":"D","version":"1.2.3","cksum":"1 2","tables":{}})");
  EXPECT_EQ(Rewrite(R"({"name":"_D","tables":{}})"), R"({"name":"_D","tables":{}})");
  const std::string columns = R"("b":{"type":"string"},"c":{"type":"integer"})";
  EXPECT_EQ(Rewrite(Table(R"("c":{"type":"integer"},"b":{"type":"string"})")), Table(columns));
  EXPECT_EQ(Rewrite(Table(R"("c":{"ephemeral":true,"mutable":false,"type":"integer"})")),
            Table(R"("c":{"type":"integer","mutable":false,"ephemeral":true})"));
  EXPECT_EQ(Rewrite(Table(R"("c":{"ephemeral":false,"mutable":true,"type":"integer"})")),
            Table(R"("c":{"type":"integer"})"));
  EXPECT_EQ(Rewrite(Table(columns, R"(,"indexes":[["c","b"],["_uuid"],["b"]],"maxRows":5)")),
            Table(columns, R"(,"maxRows":5,"indexes":[["c","b"],["_uuid"],["b"]])"));
  EXPECT_EQ(Rewrite(Table(columns, R"(,"maxRows":4294967296)")), Table(columns));
}

TEST(SchemaTest, RootTables) {
  const std::string columns = R"("columns":{"c":{"type":"integer"}})";
  const std::string none =
      absl::StrCat(R"({"name":"D","tables":{"T":{)", columns, R"(},"U":{)", columns, "}}}");
  const std::string both =
      absl::StrCat(R"({"name":"D","tables":{"T":{)", columns, R"(,"isRoot":true},"U":{)", columns,
                   R"(,"isRoot":true}}})");
  const std::string one = absl::StrCat(R"({"name":"D","tables":{"T":{)", columns, R"(},"U":{)",
                                       columns, R"(,"isRoot":true}}})");
  EXPECT_EQ(Rewrite(none), none);
  EXPECT_EQ(Rewrite(both), none);
  EXPECT_EQ(Rewrite(one), one);
  EXPECT_TRUE((*DatabaseSchema::ParseText(none))->FindTable("T")->is_root);
  EXPECT_FALSE((*DatabaseSchema::ParseText(one))->FindTable("T")->is_root);
}

TEST(SchemaTest, StrongReferencesToGarbageCollectedRowsAreKept) {
  auto persistent = [](absl::string_view table, absl::string_view strength) {
    const auto schema = DatabaseSchema::ParseText(absl::StrCat(
        R"({"name":"D","tables":{"N":{"columns":{"n":{"type":"integer"}}},"T":{"isRoot":true,"columns":{
            "c":{"ephemeral":true,"type":{"key":"string","value":{"type":"uuid","refTable":")",
        table, R"(","refType":")", strength, R"("},"min":0}}}}}})"));
    return (*schema)->FindTable("T")->FindColumn("c")->persistent;
  };
  EXPECT_TRUE(persistent("N", "strong"));
  EXPECT_FALSE(persistent("N", "weak"));
  EXPECT_FALSE(persistent("T", "strong"));
}

TEST(SchemaTest, FindsByName) {
  const auto schema = *DatabaseSchema::ParseText(
      R"({"name":"D","tables":{"T":{"columns":{"z":{"type":"integer"},
          "a":{"type":{"key":{"type":"uuid","refTable":"U"},"value":{"type":"uuid","refTable":"T"}}}}},
          "U":{"columns":{"c":{"type":"integer"}}}}})");
  const TableSchema* table = schema->FindTable("T");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table, &schema->tables[table->index]);
  ASSERT_EQ(table->columns.size(), 4u);
  EXPECT_EQ(table->columns[TableSchema::kUuidColumn].name, "_uuid");
  EXPECT_EQ(table->columns[TableSchema::kVersionColumn].name, "_version");
  EXPECT_EQ(table->FindColumn("a")->index, 2);
  EXPECT_EQ(table->FindColumn("z")->index, 3);
  EXPECT_EQ(table->FindColumn("_uuid")->index, 0);
  EXPECT_EQ(table->FindColumn("q"), nullptr);
  EXPECT_EQ(schema->FindTable("q"), nullptr);
  EXPECT_EQ(table->columns[2].type.key.ref_table_index, schema->FindTable("U")->index);
  EXPECT_EQ(table->columns[2].type.value.ref_table_index, table->index);
}

TEST(SchemaTest, RefusesBadSchemas) {
  const std::string integer = R"("c":{"type":"integer"})";
  const std::pair<std::string, std::string> cases[] = {
      {"[]", "syntax error: Parsing database schema failed: Object expected."},
      {R"({"foo":1})",
       R"(syntax "{"foo":1}": syntax error: Parsing database schema failed: Required 'name' member is missing.)"},
      {R"({"name":"1D","tables":{}})",
       R"(syntax "{"name":"1D","tables":{}}": syntax error: Parsing database schema failed: Type mismatch for member 'name'.)"},
      {R"({"name":"D","version":"1.2.x","tables":{}})",
       R"(syntax "{"name":"D","tables":{},"version":"1.2.x"}": syntax error: schema version "1.2.x" not in format x.y.z)"},
      {R"({"name":"D","tables":{"1T":{"columns":{}}}})",
       R"(syntax "{"name":"D","tables":{"1T":{"columns":{}}}}": syntax error: name must be a valid id)"},
      {R"({"name":"D","tables":{"_T":{"columns":{}}}})",
       R"(syntax "{"name":"D","tables":{"_T":{"columns":{}}}}": syntax error: names beginning with "_" are reserved)"},
      {R"({"name":"D","tables":{"T":1}})",
       "syntax error: Parsing table schema for table T failed: Object expected."},
      {Table(""), R"(syntax "{"columns":{}}": syntax error: table must have at least one column)"},
      {Table("", R"(,"maxRows":0)"),
       R"(syntax "{"columns":{},"maxRows":0}": syntax error: maxRows must be at least 1)"},
      {Table(integer, R"(,"maxRows":1.5)"),
       R"(syntax "{"columns":{"c":{"type":"integer"}},"maxRows":1.5}": syntax error: Parsing table schema for table T failed: Type mismatch for member 'maxRows'.)"},
      {Table(R"("_c":{"type":"integer"})"),
       R"(syntax "{"columns":{"_c":{"type":"integer"}}}": syntax error: names beginning with "_" are reserved)"},
      {Table(R"("c":1)"), "syntax error: Parsing schema for column c failed: Object expected."},
      {Table(R"("c":{"mutable":1})"),
       R"(syntax "{"mutable":1}": syntax error: Parsing schema for column c failed: Type mismatch for member 'mutable'.)"},
      {Table(integer, R"(,"indexes":[[]])"),
       R"(syntax "{"columns":{"c":{"type":"integer"}},"indexes":[[]]}": syntax error: index must have at least one column)"},
      {Table(integer, R"(,"indexes":["c"])"),
       R"(syntax ""c"": syntax error: array of distinct column names expected)"},
      {Table(integer, R"(,"indexes":[["c","c"]])"),
       R"(syntax "["c","c"]": syntax error: array of distinct column names expected)"},
      {Table(integer, R"(,"indexes":[["d"]])"),
       R"(syntax "["d"]": syntax error: d is not a valid column name)"},
      {Table(integer, R"(,"indexes":[["_version"]])"),
       R"(syntax "{"columns":{"c":{"type":"integer"}},"indexes":[["_version"]]}": syntax error: ephemeral columns (such as _version) may not be indexed)"},
      {Table(R"("c":{"type":{"key":{"type":"uuid","refTable":"U"}}})"),
       "syntax error: column c key refers to undefined table U"},
      {Table(R"("c":{"type":{"key":"string","value":{"type":"uuid","refTable":"U"},"min":0}})"),
       "syntax error: column c value refers to undefined table U"},
  };
  for (const auto& [json, error] : cases) EXPECT_EQ(Rewrite(json), error);
  EXPECT_FALSE(DatabaseSchema::ParseText("{").ok());
}

TEST(SchemaTest, Identifiers) {
  for (const char* good : {"a", "_", "A_1", "_uuid"}) EXPECT_TRUE(IsValidIdentifier(good)) << good;
  for (const char* bad : {"", "1", "a-b", "a b", "\xc3\xa9", "a."})
    EXPECT_FALSE(IsValidIdentifier(bad)) << bad;
}

TEST(SchemaTest, Versions) {
  for (const char* good : {"1.2.3", "01.2.3", "-1.2.3", " 1. 2. +3", "99999999999.2.3"}) {
    EXPECT_TRUE(IsValidVersion(good)) << good;
  }
  for (const char* bad :
       {"", "1", "1.2", "1.2.", "1.2.3.4", "1.2.3 ", "1 .2.3", "1.2.3x", "x.2.3"}) {
    EXPECT_FALSE(IsValidVersion(bad)) << bad;
  }
}

}  // namespace
}  // namespace ovsdb

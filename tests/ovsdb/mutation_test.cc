#include "ovsdb/mutation.h"

#include <gtest/gtest.h>

#include <string>

#include "ovsdb/error.h"

// What is expected here is what OVS 3.5 answers.

namespace ovsdb {
namespace {

constexpr char kSchema[] = R"({"name":"D","tables":{"T":{"columns":{
  "i":{"type":"integer"},
  "r":{"type":"real"},
  "s":{"type":"string"},
  "fixed":{"type":"integer","mutable":false},
  "limited":{"type":{"key":{"type":"integer","minInteger":0,"maxInteger":10}}},
  "optional":{"type":{"key":"integer","min":0,"max":1}},
  "small":{"type":{"key":{"type":"integer","minInteger":-9},"min":0,"max":9}},
  "numbers":{"type":{"key":"integer","min":0,"max":"unlimited"}},
  "few":{"type":{"key":"integer","min":1,"max":3}},
  "enum":{"type":{"key":{"type":"string","enum":["set",["a","b"]]},"min":0,"max":2}},
  "map":{"type":{"key":"string","value":"string","min":0,"max":3}}
}}}})";

class MutationTest : public ::testing::Test {
 protected:
  MutationTest() : schema_(*DatabaseSchema::ParseText(kSchema)), uuids_(1) {}

  // The column's value after [column, mutator, argument], or the error.
  std::string Mutate(absl::string_view value, absl::string_view mutation) {
    const TableSchema& table = schema_->tables[0];
    SymbolTable symbols(&uuids_);
    const auto parsed = Mutation::Parse(table, *ParseJson(mutation), &symbols);
    if (!parsed.ok()) return ErrorText(parsed.status());
    const ColumnType& type = table.columns[parsed->column()].type;
    const auto result = parsed->Apply(*type.ParseDatum(*ParseJson(value), nullptr));
    if (!result.ok()) return ErrorText(result.status());
    std::string text;
    result->AppendJson(type.is_map(), &text);
    return text;
  }

  SchemaRef schema_;
  UuidGenerator uuids_;
};

struct Case {
  const char* value;
  const char* mutation;
  const char* result;
};

TEST_F(MutationTest, Arithmetic) {
  const Case cases[] = {
      {"4", R"(["i","+=",1])", "5"},
      {"4", R"(["i","-=",5])", "-1"},
      {"4", R"(["i","*=",3])", "12"},
      {"-4", R"(["i","/=",3])", "-1"},
      {"-4", R"(["i","%=",3])", "-1"},
      {"4", R"(["i","+=",["set",[1]]])", "5"},
      {"3", R"(["r","*=",0.5])", "1.5"},
      {"3", R"(["r","/=",2])", "1.5"},
      {"5", R"(["optional","+=",1])", "6"},
      {R"(["set",[]])", R"(["optional","+=",1])", R"(["set",[]])"},
      {R"(["set",[1,2]])", R"(["numbers","*=",-1])", R"(["set",[-2,-1]])"},
      {"7", R"(["limited","-=",7])", "0"},
  };
  for (const Case& c : cases) EXPECT_EQ(Mutate(c.value, c.mutation), c.result) << c.mutation;
}

TEST_F(MutationTest, ArithmeticErrors) {
  const Case cases[] = {
      {"1", R"(["i","/=",0])", "domain error: Division by zero."},
      {"1", R"(["i","%=",0])", "domain error: Division by zero."},
      {"1", R"(["r","/=",0])", "domain error: Division by zero."},
      {"9223372036854775807", R"(["i","+=",1])",
       "range error: Result of \"+=\" operation is out of range."},
      {"-9223372036854775807", R"(["i","-=",2])",
       "range error: Result of \"-=\" operation is out of range."},
      {"9223372036854775807", R"(["i","*=",2])",
       "range error: Result of \"*=\" operation is out of range."},
      {"-9223372036854775808", R"(["i","/=",-1])",
       "range error: Result of \"/=\" operation is out of range."},
      {"-9223372036854775808", R"(["i","%=",-1])",
       "range error: Result of \"%=\" operation is out of range."},
      {"1e308", R"(["r","*=",1e308])", "range error: Result of \"*=\" operation is out of range."},
      {"7", R"(["limited","+=",100])",
       "constraint violation: 107 is not in the valid range 0 to 10 (inclusive)"},
      {R"(["set",[-1,4611686018427387904]])", R"(["small","*=",10])",
       "range error: Result of \"*=\" operation is out of range."},
      {R"(["set",[2,3]])", R"(["numbers","/=",2])",
       "constraint violation: Result of \"/=\" operation contains duplicates."},
  };
  for (const Case& c : cases) EXPECT_EQ(Mutate(c.value, c.mutation), c.result) << c.mutation;
}

// OVS keeps them, and cannot read the record again.
TEST_F(MutationTest, MakesNoNumberThatCouldNotBeRead) {
  EXPECT_EQ(Mutate("2.5e-308", R"(["r","/=",1.5])"), "0");
  EXPECT_EQ(Mutate("-1e-300", R"(["r","*=",1e-10])"), "0");
  EXPECT_EQ(Mutate("2.5e-308", R"(["r","-=",2.4e-308])"), "0");
  EXPECT_EQ(Mutate("5e-308", R"(["r","/=",2])"), "2.5e-308");
}

TEST_F(MutationTest, SetsAndMaps) {
  const Case cases[] = {
      {R"(["set",[]])", R"(["optional","insert",1])", "1"},
      {"1", R"(["optional","insert",1])", "1"},
      {"5", R"(["optional","delete",["set",[4,5]]])", R"(["set",[]])"},
      {R"(["set",[1,2]])", R"(["numbers","insert",["set",[1,5]]])", R"(["set",[1,2,5]])"},
      {R"(["set",[1,2]])", R"(["numbers","delete",["set",[1,5]]])", "2"},
      {"1", R"(["few","delete",["set",[2,3,4,5]]])", "1"},
      {R"(["map",[["a","c"]]])", R"(["map","insert",["map",[["a","b"],["z","y"]]]])",
       R"(["map",[["a","c"],["z","y"]]])"},
      {R"(["map",[["a","c"]]])", R"(["map","delete",["map",[["a","b"]]]])",
       R"(["map",[["a","c"]]])"},
      {R"(["map",[["a","c"]]])", R"(["map","delete",["map",[["a","c"]]]])", R"(["map",[]])"},
      {R"(["map",[["a","c"]]])", R"(["map","delete","a"])", R"(["map",[]])"},
      {R"(["map",[["a","c"]]])", R"(["map","delete",["set",["a","b"]]])", R"(["map",[]])"},
      {R"(["map",[["a","c"]]])", R"(["map","delete",["set",[]]])", R"(["map",[["a","c"]]])"},
  };
  for (const Case& c : cases) EXPECT_EQ(Mutate(c.value, c.mutation), c.result) << c.mutation;
}

TEST_F(MutationTest, SetAndMapErrors) {
  const Case cases[] = {
      {"5", R"(["optional","insert",1])",
       "constraint violation: Attempted to store 2 elements in set of up to 1 integers."},
      {"1", R"(["few","delete",1])",
       "constraint violation: Attempted to store 0 elements in set of 1 to 3 integers."},
      {"1", R"(["optional","insert",["set",[1,2]]])",
       R"(syntax "["set",[1,2]]": syntax error: set must have 0 to 1 members but 2 are present)"},
      {R"(["map",[]])", R"(["map","insert",["set",["a"]]])",
       R"(syntax "["set",["a"]]": syntax error: expected ["map", <array>])"},
      {R"(["map",[]])", R"(["map","delete",["map",[["a"]]]])",
       R"(syntax "["map",[["a"]]]": syntax error: expected string)"},
      {"\"a\"", R"(["enum","delete","c"])",
       "constraint violation: c is not one of the allowed values ([a, b])"},
      {"1", R"(["numbers","delete",["set",[1,1]]])", "ovsdb error: set contains duplicate"},
  };
  for (const Case& c : cases) EXPECT_EQ(Mutate(c.value, c.mutation), c.result) << c.mutation;
}

TEST_F(MutationTest, ParseErrors) {
  const Case cases[] = {
      {"0", "[]", R"(syntax "[]": syntax error: Parse error in mutation.)"},
      {"0", R"(["i",1,1])", R"(syntax "["i",1,1]": syntax error: Parse error in mutation.)"},
      {"0", R"(["z","?",1])", R"(syntax "["z","?",1]": unknown column: No column z in table T.)"},
      {"0", R"(["i","?",1])", "unknown mutator: No mutator named ?."},
      {"0", R"(["fixed","?",1])",
       R"(syntax "["fixed","?",1]": constraint violation: Cannot mutate immutable column fixed in table T.)"},
      {"0", R"(["_uuid","insert",1])",
       R"(syntax "["_uuid","insert",1]": constraint violation: Cannot mutate immutable column _uuid in table T.)"},
      {"0", R"(["i","insert",1])",
       R"(syntax "["i","insert",1]": syntax error: Type mismatch: "insert" operator may not be applied to column i of type integer.)"},
      {"0", R"(["r","%=",1])",
       R"(syntax "["r","%=",1]": syntax error: Type mismatch: "%=" operator may not be applied to column r of type real.)"},
      {"0", R"(["map","+=",1])",
       R"(syntax "["map","+=",1]": syntax error: Type mismatch: "+=" operator may not be applied to column map of type map of up to 3 (string, string) pairs.)"},
      {"0", R"(["i","+=",1.5])", R"(syntax "1.5": syntax error: expected integer)"},
      {"0", R"(["numbers","+=",["set",[1,2]]])",
       R"(syntax "["set",[1,2]]": syntax error: set must have exactly one member but 2 are present)"},
  };
  for (const Case& c : cases) EXPECT_EQ(Mutate(c.value, c.mutation), c.result) << c.mutation;
}

}  // namespace
}  // namespace ovsdb

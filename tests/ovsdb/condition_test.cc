#include "ovsdb/condition.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

// What is expected here is what OVS 3.5 answers.

namespace ovsdb {
namespace {

constexpr char kSchema[] = R"({"name":"D","tables":{"T":{"columns":{
  "i":{"type":"integer"},
  "r":{"type":"real"},
  "s":{"type":"string"},
  "b":{"type":"boolean"},
  "e":{"type":{"key":{"type":"string","enum":["set",["x","y"]]},"min":0,"max":1}},
  "limited":{"type":{"key":{"type":"integer","minInteger":0,"maxInteger":10}}},
  "optional":{"type":{"key":"integer","min":0,"max":1}},
  "numbers":{"type":{"key":"integer","min":1,"max":3}},
  "map":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}}
}}}})";

class ConditionTest : public ::testing::Test {
 protected:
  ConditionTest() : schema_(*DatabaseSchema::ParseText(kSchema)), uuids_(1) {}

  const TableSchema& table() const { return schema_->tables[0]; }

  // A row with the columns of a JSON object.
  RowRef MakeRow(absl::string_view json) {
    MutableRow row(table(), uuids_.Next(), uuids_.Next());
    const JsonDocument document = *ParseJson(json);
    for (const auto& member : document.GetObject()) {
      const ColumnSchema* column = table().FindColumn(StringView(member.name));
      row.Set(column->index, *column->type.ParseDatum(member.value, nullptr));
    }
    return std::move(row).Finish();
  }

  absl::StatusOr<Condition> Parse(absl::string_view json) {
    SymbolTable symbols(&uuids_);
    return Condition::Parse(table(), *ParseJson(json), &symbols);
  }

  std::string ParseError(absl::string_view json) {
    const auto condition = Parse(json);
    return condition.ok() ? "" : ErrorText(condition.status());
  }

  bool Matches(absl::string_view row, absl::string_view clause) {
    const auto condition = Parse(absl::StrCat("[", clause, "]"));
    EXPECT_TRUE(condition.ok()) << condition.status();
    const RowRef made = MakeRow(row);
    EXPECT_EQ(condition->MatchesAll(*made), condition->MatchesAny(*made));
    return condition->MatchesAll(*made);
  }

  SchemaRef schema_;
  UuidGenerator uuids_;
};

TEST_F(ConditionTest, ComparesScalars) {
  const std::pair<const char*, bool> cases[] = {
      {R"(["i","==",5])", true},         {R"(["i","==",4])", false},
      {R"(["i","==",5.0])", true},       {R"(["i","!=",4])", true},
      {R"(["i","!=",5])", false},        {R"(["i","<",5])", false},
      {R"(["i","<",6])", true},          {R"(["i","<=",5])", true},
      {R"(["i","<=",4])", false},        {R"(["i",">",5])", false},
      {R"(["i",">",4])", true},          {R"(["i",">=",5])", true},
      {R"(["i",">=",6])", false},        {R"(["i","includes",5])", true},
      {R"(["i","includes",4])", false},  {R"(["i","excludes",5])", false},
      {R"(["i","excludes",4])", true},   {R"(["r","<",2])", true},
      {R"(["r","<",1.5])", false},       {R"(["s","==","a"])", true},
      {R"(["s","excludes","a"])", false}};
  for (const auto& [clause, matches] : cases) {
    EXPECT_EQ(Matches(R"({"i":5,"r":1.5,"s":"a"})", clause), matches) << clause;
  }
}

TEST_F(ConditionTest, AMissingNumberMatchesNoOrder) {
  for (const char* function : {"<", "<=", ">", ">="}) {
    EXPECT_FALSE(Matches("{}", absl::StrCat(R"(["optional",")", function, R"(",0])"))) << function;
  }
  EXPECT_TRUE(Matches(R"({"optional":3})", R"(["optional","<",4])"));
  EXPECT_FALSE(Matches(R"({"optional":3})", R"(["optional",">",["set",[4]]])"));
}

TEST_F(ConditionTest, OptionalScalars) {
  const std::pair<const char*, std::pair<bool, bool>> cases[] = {
      // Clause; whether it matches 1, and nothing.
      {R"(["optional","==",1])", {true, false}},
      {R"(["optional","==",["set",[]]])", {false, true}},
      {R"(["optional","!=",1])", {false, true}},
      {R"(["optional","includes",1])", {true, false}},
      {R"(["optional","includes",["set",[]]])", {true, true}},
      {R"(["optional","excludes",1])", {false, true}},
      {R"(["optional","excludes",["set",[1,2]]])", {false, true}},
      {R"(["optional","excludes",["set",[2,3]]])", {true, true}},
      {R"(["optional","excludes",["set",[]]])", {true, true}},
  };
  for (const auto& [clause, matches] : cases) {
    EXPECT_EQ(Matches(R"({"optional":1})", clause), matches.first) << clause;
    EXPECT_EQ(Matches("{}", clause), matches.second) << clause;
  }
}

TEST_F(ConditionTest, SetsAndMaps) {
  const char* row = R"({"numbers":["set",[1,2]],"map":["map",[["a",1],["b",2]]]})";
  const std::pair<const char*, bool> cases[] = {
      {R"(["numbers","==",["set",[2,1]]])", true},
      {R"(["numbers","==",1])", false},
      {R"(["numbers","!=",1])", true},
      {R"(["numbers","includes",2])", true},
      {R"(["numbers","includes",["set",[2,3]]])", false},
      {R"(["numbers","excludes",["set",[3,4,5,6]]])", true},
      {R"(["numbers","excludes",["set",[2,3]]])", false},
      {R"(["map","includes",["map",[["b",2]]]])", true},
      {R"(["map","includes",["map",[["b",1]]]])", false},
      {R"(["map","excludes",["map",[["b",1],["c",2]]]])", true},
      {R"(["map","excludes",["map",[["b",2]]]])", false},
      {R"(["map","==",["map",[]]])", false},
  };
  for (const auto& [clause, matches] : cases) EXPECT_EQ(Matches(row, clause), matches) << clause;
}

TEST_F(ConditionTest, UuidAndVersion) {
  const RowRef row = MakeRow("{}");
  auto matches = [&](absl::string_view column, absl::string_view function, const Uuid& uuid) {
    return Parse(absl::StrCat(R"([[")", column, R"(",")", function, R"(",["uuid",")",
                              uuid.ToString(), R"("]]])"))
        ->MatchesAll(*row);
  };
  EXPECT_TRUE(matches("_uuid", "==", row->uuid()));
  EXPECT_FALSE(matches("_uuid", "!=", row->uuid()));
  EXPECT_TRUE(matches("_uuid", "includes", row->uuid()));
  EXPECT_FALSE(matches("_uuid", "excludes", row->uuid()));
  EXPECT_FALSE(matches("_uuid", "==", row->version()));
  EXPECT_TRUE(matches("_uuid", "excludes", row->version()));
  EXPECT_TRUE(matches("_version", "==", row->version()));
  EXPECT_TRUE(matches("_version", "!=", row->uuid()));
}

TEST_F(ConditionTest, AllAndAny) {
  const RowRef row = MakeRow(R"({"i":5})");
  const Condition none;
  EXPECT_TRUE(none.MatchesAll(*row));
  EXPECT_TRUE(none.MatchesAny(*row));
  EXPECT_TRUE(none.always_matches_any());

  const Condition half = *Parse(R"([["i","==",5],["i","==",6]])");
  EXPECT_FALSE(half.MatchesAll(*row));
  EXPECT_TRUE(half.MatchesAny(*row));
  EXPECT_FALSE(half.always_matches_any());

  const Condition constant = *Parse(R"([false,true])");
  EXPECT_FALSE(constant.MatchesAll(*row));
  EXPECT_TRUE(constant.MatchesAny(*row));
  EXPECT_TRUE(constant.always_matches_any());
  EXPECT_FALSE(Parse("[false]")->MatchesAny(*row));
}

TEST_F(ConditionTest, ClausesCanBeLookedInto) {
  const Condition condition =
      *Parse(R"([true,["s","includes","a"],["optional","includes",1],["optional","excludes",1],
                 ["optional","excludes",["set",[1,2]]],["map","includes",["map",[["a",1]]]],
                 ["map","includes",["map",[]]]])");
  using Function = Clause::Function;
  const Function expected[] = {Function::kTrue,     Function::kEqual,    Function::kEqual,
                               Function::kNotEqual, Function::kExcludes, Function::kIncludes,
                               Function::kTrue};
  ASSERT_EQ(condition.clauses().size(), std::size(expected));
  for (size_t i = 0; i < std::size(expected); i++) {
    EXPECT_EQ(condition.clauses()[i].function(), expected[i]) << i;
  }
  EXPECT_EQ(condition.clauses()[1].column(), table().FindColumn("s")->index);
  EXPECT_EQ(condition.clauses()[1].argument(), Datum(Atom::String("a")));
}

TEST_F(ConditionTest, Errors) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([[]])", R"(syntax "[]": syntax error: Parse error in condition.)"},
      {R"([["i","=="]])", R"(syntax "["i","=="]": syntax error: Parse error in condition.)"},
      {R"(["x"])", R"(syntax ""x"": syntax error: Parse error in condition.)"},
      {R"([["i",5,1]])", R"(syntax "["i",5,1]": syntax error: Parse error in condition.)"},
      {R"([["z","?",1]])", R"(syntax "["z","?",1]": unknown column: No column z in table T.)"},
      {R"([["i","?","x"]])", "unknown function: No function named ?."},
      {R"([["i","==","a"]])", R"(syntax ""a"": syntax error: expected integer)"},
      {R"([["b","<",true]])",
       R"(syntax "["b","<",true]": syntax error: Type mismatch: "<" operator may not be applied to column b of type boolean.)"},
      {R"([["e",">=",1]])",
       R"(syntax "["e",">=",1]": syntax error: Type mismatch: ">=" operator may not be applied to column e of type set of up to 1 strings.)"},
      {R"([["numbers",">",1]])",
       R"(syntax "["numbers",">",1]": syntax error: Type mismatch: ">" operator may not be applied to column numbers of type set of 1 to 3 integers.)"},
      {R"([["optional","<",["set",[]]]])",
       R"(syntax "["set",[]]": syntax error: set must have exactly one member but 0 are present)"},
      {R"([["optional","includes",["set",[1,2]]]])",
       R"(syntax "["set",[1,2]]": syntax error: set must have 0 to 1 members but 2 are present)"},
      {R"([["numbers","==",["set",[]]]])",
       R"(syntax "["set",[]]": syntax error: set must have 1 to 3 members but 0 are present)"},
      {R"([["i","excludes",["set",[1,2]]]])",
       R"(syntax "["set",[1,2]]": syntax error: set must have exactly one member but 2 are present)"},
      {R"([["e","excludes","z"]])",
       "constraint violation: z is not one of the allowed values ([x, y])"},
      {R"([["limited","<",11]])",
       "constraint violation: 11 is not in the valid range 0 to 10 (inclusive)"},
      {R"([["numbers","excludes",["set",[1,1]]]])", "ovsdb error: set contains duplicate"},
  };
  for (const auto& [json, error] : cases) EXPECT_EQ(ParseError(json), error) << json;
}

}  // namespace
}  // namespace ovsdb

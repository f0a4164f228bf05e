#include "ovsdb/type.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

// What is expected here is what OVS 3.5 answers to the same input.

namespace ovsdb {
namespace {

constexpr char kUuidText[] = "550e8400-e29b-41d4-a716-446655440000";

ColumnType Type(absl::string_view json) {
  auto type = ColumnType::Parse(*ParseJson(json));
  EXPECT_TRUE(type.ok()) << json << " " << type.status();
  return *std::move(type);
}

std::string ParseType(absl::string_view json) {
  auto type = ColumnType::Parse(*ParseJson(json));
  if (!type.ok()) return ErrorText(type.status());
  std::string text;
  type->AppendJson(&text);
  EXPECT_EQ(Type(text), *type);
  return text;
}

// The value as it is written again, or the error.
std::string Value(absl::string_view type_json, absl::string_view json,
                  SymbolTable* symbols = nullptr) {
  const ColumnType type = Type(type_json);
  const auto document = ParseJson(json);
  EXPECT_TRUE(document.ok()) << json;
  const auto datum = type.ParseDatum(*document, symbols);
  if (!datum.ok()) return ErrorText(datum.status());
  EXPECT_TRUE(type.Check(*datum).ok());
  EXPECT_TRUE(type.CheckSize(*datum).ok());
  std::string text;
  datum->AppendJson(type.is_map(), &text);
  return text;
}

TEST(TypeTest, ReadsAndWritesTypes) {
  EXPECT_EQ(ParseType(R"("integer")"), R"("integer")");
  EXPECT_EQ(ParseType(R"({"key":"integer"})"), R"("integer")");
  EXPECT_EQ(ParseType(R"({"key":{"type":"uuid"}})"), R"("uuid")");
  EXPECT_EQ(ParseType(R"({"key":"real","value":"boolean","min":0,"max":"unlimited"})"),
            R"({"key":"real","value":"boolean","min":0,"max":"unlimited"})");
  EXPECT_EQ(ParseType(R"({"key":{"type":"string","enum":["set",["b","a"]]},"max":5})"),
            R"({"key":{"type":"string","enum":["set",["a","b"]]},"max":5})");
  EXPECT_EQ(ParseType(R"({"key":{"type":"string","enum":"a"}})"),
            R"({"key":{"type":"string","enum":"a"}})");
  EXPECT_EQ(ParseType(R"({"key":{"type":"integer","minInteger":-5,"maxInteger":5}})"),
            R"({"key":{"type":"integer","minInteger":-5,"maxInteger":5}})");
  EXPECT_EQ(ParseType(R"({"key":{"type":"real","minReal":0.5,"maxReal":1e200}})"),
            R"({"key":{"type":"real","minReal":0.5,"maxReal":1e+200}})");
  EXPECT_EQ(ParseType(R"({"key":{"type":"string","minLength":1,"maxLength":2}})"),
            R"({"key":{"type":"string","minLength":1,"maxLength":2}})");
  EXPECT_EQ(ParseType(R"({"key":{"type":"uuid","refTable":"T","refType":"weak"},"min":0})"),
            R"({"key":{"type":"uuid","refTable":"T","refType":"weak"},"min":0})");
  EXPECT_EQ(ParseType(R"({"key":{"type":"uuid","refTable":"T","refType":"strong"}})"),
            R"({"key":{"type":"uuid","refTable":"T"}})");
  EXPECT_EQ(ParseType(R"({"key":{"type":"string","minLength":0,"maxLength":4294967295}})"),
            R"("string")");
}

TEST(TypeTest, RefusesBadTypes) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("int")", R"(syntax ""int"": syntax error: "int" is not an atomic-type)"},
      {R"({"key":"void"})", R"(syntax ""void"": syntax error: "void" is not an atomic-type)"},
      {"{}",
       R"(syntax "{}": syntax error: Parsing ovsdb type failed: Required 'key' member is missing.)"},
      {R"({"key":1,"min":"x"})",
       R"(syntax "{"key":1,"min":"x"}": syntax error: Parsing ovsdb type failed: Type mismatch for member 'key'.)"},
      {R"({"key":"foo","min":"x"})",
       R"(syntax "{"key":"foo","min":"x"}": syntax error: Parsing ovsdb type failed: Type mismatch for member 'min'.)"},
      {R"({"key":"integer","foo":1})",
       R"(syntax "{"foo":1,"key":"integer"}": syntax error: Parsing ovsdb type failed: Member 'foo' is present but not allowed here.)"},
      {R"({"key":"integer","a":1,"b":1})",
       R"(syntax "{"a":1,"b":1,"key":"integer"}": syntax error: Parsing ovsdb type failed: Member 'a' and 1 other member are present but not allowed here.)"},
      {R"({"key":"integer","a":1,"b":1,"c":1})",
       R"(syntax "{"a":1,"b":1,"c":1,"key":"integer"}": syntax error: Parsing ovsdb type failed: Member 'a' and 2 other members are present but not allowed here.)"},
      {R"({"key":"integer","min":-1})", R"(syntax "-1": syntax error: bad min or max value)"},
      {R"({"key":"integer","max":4294967295})",
       R"(syntax "4294967295": syntax error: bad min or max value)"},
      {R"({"key":"integer","max":"foo"})", R"(syntax ""foo"": syntax error: bad min or max value)"},
      {R"({"key":"integer","min":2,"max":3})",
       R"(syntax "{"key":"integer","max":3,"min":2}": syntax error: ovsdb type fails constraint checks)"},
      {R"({"key":"integer","min":0,"max":0})",
       R"(syntax "{"key":"integer","max":0,"min":0}": syntax error: ovsdb type fails constraint checks)"},
      {R"({"key":{"type":"integer","minInteger":1,"maxInteger":0,"z":1}})",
       R"(syntax "{"maxInteger":0,"minInteger":1,"type":"integer","z":1}": syntax error: minInteger exceeds maxInteger)"},
      {R"({"key":{"type":"real","minReal":1.5,"maxReal":0.1}})",
       R"(syntax "{"maxReal":0.1,"minReal":1.5,"type":"real"}": syntax error: minReal exceeds maxReal)"},
      {R"({"key":{"type":"string","minLength":2,"maxLength":1}})",
       R"(syntax "{"maxLength":1,"minLength":2,"type":"string"}": syntax error: minLength exceeds maxLength)"},
      {R"({"key":{"type":"string","minLength":-1}})",
       R"(syntax "-1": syntax error: minLength out of valid range 0 to 4294967295)"},
      {R"({"key":{"type":"string","maxLength":4294967296}})",
       R"(syntax "4294967296": syntax error: maxLength out of valid range 0 to 4294967295)"},
      {R"({"key":{"type":"integer","minReal":1}})",
       R"(syntax "{"minReal":1,"type":"integer"}": syntax error: Parsing ovsdb type failed: Member 'minReal' is present but not allowed here.)"},
      {R"({"key":{"type":"string","enum":["set",[]]}})",
       R"(syntax "["set",[]]": syntax error: set must have 1 to 4294967295 members but 0 are present)"},
      {R"({"key":{"type":"string","enum":["set",["a","a"]]}})",
       "ovsdb error: set contains duplicate"},
      {R"({"key":{"type":"string","enum":1}})", R"(syntax "1": syntax error: expected string)"},
      {R"({"key":{"type":"integer","enum":1,"minInteger":5}})",
       R"(syntax "{"enum":1,"minInteger":5,"type":"integer"}": syntax error: Parsing ovsdb type failed: Member 'minInteger' is present but not allowed here.)"},
      {R"({"key":{"type":"uuid","refTable":"T","refType":"foo"}})",
       R"(syntax "{"refTable":"T","refType":"foo","type":"uuid"}": syntax error: refType must be "strong" or "weak" (not "foo"))"},
      {R"({"key":{"type":"uuid","refTable":"1"}})",
       R"(syntax "{"refTable":"1","type":"uuid"}": syntax error: Parsing ovsdb type failed: Type mismatch for member 'refTable'.)"},
      {R"({"key":{"type":"uuid","refType":"weak"}})",
       R"(syntax "{"refType":"weak","type":"uuid"}": syntax error: Parsing ovsdb type failed: Member 'refType' is present but not allowed here.)"},
  };
  for (const auto& [json, error] : cases) EXPECT_EQ(ParseType(json), error);
}

TEST(TypeTest, ReadsValues) {
  EXPECT_EQ(Value(R"("integer")", "1.0"), "1");
  EXPECT_EQ(Value(R"("integer")", R"(["set",[5]])"), "5");
  EXPECT_EQ(Value(R"("real")", "9223372036854775808"), "9.22337203685478e+18");
  EXPECT_EQ(Value(R"("real")", "1"), "1");
  EXPECT_EQ(Value(R"("boolean")", "true"), "true");
  EXPECT_EQ(Value(R"("string")", "\"\xef\xbf\xbe\""), "\"\xef\xbf\xbe\"");
  EXPECT_EQ(Value(R"("uuid")", R"(["uuid","550E8400-E29B-41D4-A716-446655440000"])"),
            absl::StrCat(R"(["uuid",")", kUuidText, R"("])"));
  const char set[] = R"({"key":"integer","min":0,"max":3})";
  EXPECT_EQ(Value(set, R"(["set",[3,1,2]])"), R"(["set",[1,2,3]])");
  EXPECT_EQ(Value(set, R"(["set",[]])"), R"(["set",[]])");
  EXPECT_EQ(Value(set, "7"), "7");
  const char map[] = R"({"key":"string","value":"integer","min":0,"max":"unlimited"})";
  EXPECT_EQ(Value(map, R"(["map",[["b",1],["a",2]]])"), R"(["map",[["a",2],["b",1]]])");
  EXPECT_EQ(Value(map, R"(["map",[]])"), R"(["map",[]])");
}

TEST(TypeTest, RefusesBadValues) {
  const char set[] = R"({"key":{"type":"integer","minInteger":0,"maxInteger":10},"min":0,"max":3})";
  const char map[] =
      R"({"key":"string","value":{"type":"integer","maxInteger":5},"min":1,"max":3})";
  const struct {
    const char *type, *json, *error;
  } cases[] = {
      {R"("integer")", "1.5", R"(syntax "1.5": syntax error: expected integer)"},
      {R"("integer")", "9223372036854775808",
       R"(syntax "9.22337203685478e+18": syntax error: expected integer)"},
      {R"("integer")", "null", R"(syntax "null": syntax error: expected integer)"},
      {R"("integer")", R"(["set",[]])",
       R"(syntax "["set",[]]": syntax error: set must have exactly one member but 0 are present)"},
      {R"("integer")", R"(["set",1])",
       R"(syntax "["set",1]": syntax error: expected ["set", <array>])"},
      {R"("integer")", R"(["set"])",
       R"(syntax "["set"]": syntax error: expected ["set", <array>])"},
      {R"("integer")", R"(["map",[]])", R"(syntax "["map",[]]": syntax error: expected integer)"},
      {R"("integer")", "[]", R"(syntax "[]": syntax error: expected integer)"},
      {R"("real")", R"("x")", R"(syntax ""x"": syntax error: expected real)"},
      {R"("boolean")", "1", R"(syntax "1": syntax error: expected boolean)"},
      {R"("string")", "1", R"(syntax "1": syntax error: expected string)"},
      {R"("uuid")", "1", R"(syntax "1": syntax error: expected ["uuid", <string>])"},
      {R"("uuid")", R"(["uuid","x"])",
       R"(syntax "["uuid","x"]": syntax error: "x" is not a valid UUID)"},
      {R"("uuid")", R"(["uuid",1])",
       R"(syntax "["uuid",1]": syntax error: expected ["uuid", <string>])"},
      {R"("uuid")", R"(["named-uuid","x"])",
       R"(syntax "["named-uuid","x"]": syntax error: expected ["uuid", <string>])"},
      {set, R"(["set",[1,1]])", "ovsdb error: set contains duplicate"},
      {set, R"(["set",[1,1,1,1]])",
       R"(syntax "["set",[1,1,1,1]]": syntax error: set must have 0 to 3 members but 4 are present)"},
      {set, "11", "constraint violation: 11 is not in the valid range 0 to 10 (inclusive)"},
      {set, R"(["set",["x"]])", R"(syntax ""x"": syntax error: expected integer)"},
      {R"({"key":{"type":"integer","minInteger":5}})", "4",
       "constraint violation: 4 is less than minimum allowed value 5"},
      {R"({"key":{"type":"integer","maxInteger":3}})", "4",
       "constraint violation: 4 is greater than maximum allowed value 3"},
      {R"({"key":{"type":"real","minReal":0.5,"maxReal":1.5}})", "2",
       "constraint violation: 2 is not in the valid range 0.5 to 1.5 (inclusive)"},
      {R"({"key":{"type":"real","minReal":0.5}})", "0.1",
       "constraint violation: 0.1 is less than minimum allowed value 0.5"},
      {R"({"key":{"type":"real","maxReal":0.1}})", "0.30000000000000004",
       "constraint violation: 0.3 is greater than maximum allowed value 0.1"},
      {R"({"key":{"type":"string","minLength":2}})", R"("a")",
       R"(constraint violation: "a" length 1 is less than minimum allowed length 2)"},
      {R"({"key":{"type":"string","maxLength":4}})", "\"\u00e9\u00e9\u00e9\u00e9\u00e9\"",
       "constraint violation: \"\u00e9\u00e9\u00e9\u00e9\u00e9\" length 5 is greater than maximum "
       "allowed length 4"},
      {R"({"key":{"type":"string","enum":["set",["b","1a","true"]]}})", R"("")",
       R"(constraint violation: "" is not one of the allowed values (["1a", b, "true"]))"},
      {R"({"key":{"type":"integer","enum":3}})", "1",
       "constraint violation: 1 is not one of the allowed values ([3])"},
      {R"({"key":{"type":"real","enum":["set",[3.5,0.1]]}})", "1",
       "constraint violation: 1 is not one of the allowed values ([0.1, 3.5])"},
      {R"({"key":{"type":"boolean","enum":true}})", "false",
       "constraint violation: false is not one of the allowed values ([true])"},
      {map, R"(["map",[["a",1],["a",1]]])", "ovsdb error: map contains duplicate key"},
      {map, R"(["map",[["a"]]])", R"(syntax "["a"]": syntax error: expected 2-element array)"},
      {map, R"(["map",["a"]])", R"(syntax ""a"": syntax error: expected 2-element array)"},
      {map, R"(["set",[]])", R"(syntax "["set",[]]": syntax error: expected ["map", <array>])"},
      {map, "1", R"(syntax "1": syntax error: expected ["map", <array>])"},
      {map, R"(["map",[]])",
       R"(syntax "["map",[]]": syntax error: map must have 1 to 3 members but 0 are present)"},
      {map, R"(["map",[["a",9]]])",
       "constraint violation: 9 is greater than maximum allowed value 5"},
      {map, R"(["map",[[1,1]]])", R"(syntax "1": syntax error: expected string)"},
  };
  for (const auto& c : cases) EXPECT_EQ(Value(c.type, c.json), c.error);
}

TEST(TypeTest, NamesWhatIsNotUtf8) {
  const std::pair<const char*, const char*> cases[] = {
      {"\xff", "0xff"},
      {"\x80", "0x80"},
      {"\xc0\x80", "0xc0"},
      {"\xc1\xbf", "0xc1"},
      {"\xc2", "0xc2 0x00"},
      {"\xc2g", "0xc2 0x67"},
      {"\xe0\x80\x80", "0xe0 0x80"},
      {"\xe0\xa0", "0xe0 0xa0 0x00"},
      {"\xed\xa0\x80", "0xed 0xa0"},
      {"\xf0\x80\x80\x80", "0xf0 0x80"},
      {"\xf0\x90\x80", "0xf0 0x90 0x80 0x00"},
      {"\xf0\x90\x80g", "0xf0 0x90 0x80 0x67"},
      {"\xf4\x90\x80\x80", "0xf4 0x90"},
      {"\xf5\x80", "0xf5"},
      {"12345678\xe2\x82\xac"
       "12345678d\xe2(",
       "0xe2 0x28"},
  };
  for (const auto& [text, bytes] : cases) {
    EXPECT_EQ(
        Value(R"("string")", absl::StrCat("\"", text, "\"")),
        absl::StrCat("constraint violation: not a valid UTF-8 string: invalid UTF-8 sequence ",
                     bytes));
  }
  EXPECT_EQ(Value(R"("string")", R"("a\udc00b")"),
            "constraint violation: not a valid UTF-8 string: invalid UTF-8 sequence 0xed 0xb0");
}

TEST(TypeTest, ResolvesNamedUuids) {
  UuidGenerator uuids(1);
  SymbolTable symbols(&uuids);
  const Uuid uuid = symbols.Get("x").uuid;
  const std::string text = absl::StrCat(R"(["uuid",")", uuid.ToString(), R"("])");
  EXPECT_EQ(Value(R"("uuid")", R"(["named-uuid","x"])", &symbols), text);
  EXPECT_FALSE(symbols.Get("x").strong_ref || symbols.Get("x").weak_ref);
  EXPECT_EQ(Value(R"({"key":{"type":"uuid","refTable":"T"}})", R"(["named-uuid","x"])", &symbols),
            text);
  EXPECT_TRUE(symbols.Get("x").strong_ref);
  EXPECT_FALSE(symbols.Get("x").weak_ref);
  Value(R"({"key":{"type":"uuid","refTable":"T","refType":"weak"}})", R"(["named-uuid","_y"])",
        &symbols);
  EXPECT_TRUE(symbols.Get("_y").weak_ref);
  EXPECT_NE(symbols.Get("_y").uuid, uuid);
  EXPECT_EQ(Value(R"("uuid")", R"(["named-uuid","1x"])", &symbols),
            R"(syntax "["named-uuid","1x"]": syntax error: named-uuid string is not a valid <id>)");
}

TEST(TypeTest, BoundsOfTheCallerReplaceTheTypes) {
  const ColumnType type = Type(R"({"key":"integer","min":1,"max":2})");
  auto text = [&](const char* json, uint32_t min, uint32_t max) {
    const auto datum = type.ParseDatum(*ParseJson(json), nullptr, min, max);
    return datum.ok() ? absl::StrCat(datum->size()) : ErrorText(datum.status());
  };
  EXPECT_EQ(text(R"(["set",[]])", 0, 2), "0");
  EXPECT_EQ(text(R"(["set",[1,2,3]])", 0, ColumnType::kUnlimited), "3");
  EXPECT_EQ(
      text(R"(["set",[]])", 1, 1),
      R"(syntax "["set",[]]": syntax error: set must have exactly one member but 0 are present)");
}

TEST(TypeTest, CountOfAValue) {
  const ColumnType type = Type(R"({"key":"integer","min":1,"max":2})");
  EXPECT_EQ(ErrorText(type.CheckSize(Datum())),
            "constraint violation: Attempted to store 0 elements in set of 1 to 2 integers.");
}

TEST(TypeTest, TextForPeople) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("uuid")", "uuid"},
      {R"({"key":"string","min":0})", "set of up to 1 strings"},
      {R"({"key":"string","max":"unlimited"})", "set of 1 or more strings"},
      {R"({"key":"real","min":0,"max":"unlimited"})", "set of reals"},
      {R"({"key":"integer","max":3})", "set of 1 to 3 integers"},
      {R"({"key":"string","value":"uuid"})", "map of 1 to 1 (string, uuid) pairs"},
      {R"({"key":"string","value":"integer","min":0,"max":"unlimited"})",
       "map of (string, integer) pairs"},
  };
  for (const auto& [json, text] : cases) EXPECT_EQ(Type(json).ToText(), text) << json;
}

TEST(ColumnTypeTest, ValuesForPeople) {
  constexpr char kSet[] = R"({"key":"string","min":0,"max":3})";
  constexpr char kMap[] = R"({"key":"string","value":"real","min":0,"max":3})";
  constexpr char kOptional[] = R"({"key":"integer","min":0,"max":1})";
  const struct {
    const char* type;
    const char* value;
    const char* text;
  } cases[] = {
      {R"("integer")", "5", "5"},
      {kOptional, "5", "5"},
      {kOptional, R"(["set",[]])", "[]"},
      {kSet, R"("a")", "[a]"},
      {kSet, R"(["set",["a b","a","true"]])", R"([a, "a b", "true"])"},
      {kMap, R"(["map",[]])", "{}"},
      {kMap, R"(["map",[["k",0.1],["a b",2]]])", R"({"a b"=2, k=0.1})"},
  };
  for (const auto& [type_json, value, expected] : cases) {
    const ColumnType type = Type(type_json);
    std::string text;
    type.AppendText(*type.ParseDatum(*ParseJson(value), nullptr), &text);
    EXPECT_EQ(text, expected);
  }
}

TEST(TypeTest, Defaults) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("integer")", "0"},
      {R"("real")", "0"},
      {R"("boolean")", "false"},
      {R"("string")", "\"\""},
      {R"("uuid")", R"(["uuid","00000000-0000-0000-0000-000000000000"])"},
      {R"({"key":"integer","min":0})", R"(["set",[]])"},
      {R"({"key":"integer","min":1,"max":3})", "0"},
      {R"({"key":{"type":"integer","enum":3}})", "0"},
      {R"({"key":"string","value":"integer","min":0})", R"(["map",[]])"},
      {R"({"key":"string","value":"integer"})", R"(["map",[["",0]]])"},
  };
  for (const auto& [json, text] : cases) {
    const ColumnType type = Type(json);
    std::string out;
    type.Default().AppendJson(type.is_map(), &out);
    EXPECT_EQ(out, text);
    EXPECT_TRUE(type.IsDefault(type.Default())) << json;
  }
  EXPECT_FALSE(Type(R"("integer")").IsDefault(Datum(Atom::Integer(1))));
  EXPECT_FALSE(Type(R"({"key":"integer","min":0})").IsDefault(Datum(Atom::Integer(0))));
}

}  // namespace
}  // namespace ovsdb

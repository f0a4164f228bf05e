#include "ovsdb/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

namespace ovsdb {
namespace {

// What `text` is written as after parsing, or the error.
std::string Rewrite(const std::string& text) {
  const auto document = ParseJson(text);
  std::string copy = text;
  const auto in_situ = ParseJsonInSitu(&copy);
  EXPECT_EQ(document.ok(), in_situ.ok()) << text;
  if (!document.ok()) return std::string(document.status().message());
  EXPECT_EQ(JsonText(*document), JsonText(*in_situ));
  return JsonText(*document);
}

std::string String(absl::string_view s) {
  std::string out;
  AppendJsonString(s, &out);
  return out;
}

std::string Real(double d, RealForm form = RealForm::kRounded) {
  std::string out;
  AppendReal(d, form, &out);
  return out;
}

TEST(JsonTest, RewritesAsStock) {
  const char* same[] = {"null",
                        "true",
                        "false",
                        "0",
                        "-1",
                        "9223372036854775807",
                        "-9223372036854775808",
                        "0.5",
                        "1e-07",
                        "1e+100",
                        "\"\"",
                        "[]",
                        "{}",
                        "[1,[2,{\"a\":{}}]]",
                        "\"\\u0001\\u001f\"",
                        "\"\\b\\f\\n\\r\\t\\\\\\\"/\"",
                        "\"\xe2\x82\xac\""};
  for (const char* text : same) EXPECT_EQ(Rewrite(text), text);
  EXPECT_EQ(Rewrite("1.0"), "1");
  EXPECT_EQ(Rewrite("1e3"), "1000");
  EXPECT_EQ(Rewrite("-0.0"), "0");
  EXPECT_EQ(Rewrite("1e18"), "1000000000000000000");
  EXPECT_EQ(Rewrite("1e19"), "1e+19");
  EXPECT_EQ(Rewrite("9223372036854775808"), "9223372036854775808");
  EXPECT_EQ(Rewrite("-9223372036854775809"), "-9223372036854775809");
  EXPECT_EQ(Rewrite("9223372036854777000"), "9.2233720368547779e+18");
  EXPECT_EQ(Rewrite(" [ 1 , 2 ] "), "[1,2]");
  EXPECT_EQ(Rewrite("\"\\u00e9\\ud83d\\ude00\\/\""), "\"\xc3\xa9\xf0\x9f\x98\x80/\"");
}

TEST(JsonTest, RoundsRealsOnlyInMessages) {
  const JsonDocument document = *ParseJson("{\"b\":0.30000000000000004,\"a\":[1e-7]}");
  EXPECT_EQ(JsonText(document), "{\"b\":0.30000000000000004,\"a\":[1e-07]}");
  EXPECT_EQ(JsonText(document, JsonForm::kShown), "{\"b\":0.3,\"a\":[1e-07]}");
  EXPECT_EQ(JsonText(document, JsonForm::kSorted), "{\"a\":[1e-07],\"b\":0.3}");
}

TEST(JsonTest, ReadsIntegersExactlyHoweverTheyAreWritten) {
  const std::pair<const char*, int64_t> integers[] = {
      {"9007199254740993.0", 9007199254740993},
      {"1234567890123456789.0", 1234567890123456789},
      {"123456789012345678.9e1", 1234567890123456789},
      {"9223372036854775807.000", std::numeric_limits<int64_t>::max()},
      {"922337203685477580.7E+1", std::numeric_limits<int64_t>::max()},
      {"-92233720368547758070e-1", -std::numeric_limits<int64_t>::max()},
      {"0.00012e5", 12},
      {"1200e-2", 12},
      {"-0.0", 0},
  };
  for (const auto& [text, integer] : integers) {
    EXPECT_EQ(JsonInteger(*ParseJson(text)), integer) << text;
  }
  for (const char* text : {"9007199254740993.5", "0.1", "12e-1", "1e-400", "9223372036854775808",
                           "1e19", "9223372036854775807.1", "1.00000000000000000000000001"}) {
    const auto number = ParseJson(text);
    ASSERT_TRUE(number.ok()) << text;
    EXPECT_EQ(JsonInteger(*number), std::nullopt) << text;
  }
  for (const char* text : {"1.7976931348623159e308", "-1.7976931348623159e308", "1e309"}) {
    EXPECT_FALSE(ParseJson(text).ok()) << text;
  }
}

TEST(JsonTest, KeepsTheLastDuplicate) {
  EXPECT_EQ(Rewrite(R"({"a":1,"b":2,"a":3})"), R"({"a":3,"b":2})");
  EXPECT_EQ(Rewrite(R"([{"x":{"a":1,"a":{"b":1,"b":2}}}])"), R"([{"x":{"a":{"b":2}}}])");
  EXPECT_EQ(Rewrite(R"({"a":1,"a":2,"b":3,"c":4,"b":5,"c":6})"), R"({"a":2,"b":5,"c":6})");
  std::string many = "{", few = "{";
  for (int i = 0; i < 100; i++) {
    const std::string name =
        "\"a name too long to be kept inside a value " + std::to_string(i) + "\":";
    absl::StrAppend(&many, name, "0,", name, i, ",");
    absl::StrAppend(&few, name, i, ",");
  }
  many.back() = few.back() = '}';
  EXPECT_EQ(Rewrite(many), few);
}

TEST(JsonTest, RefusesWhatIsNotJson) {
  const char* bad[] = {
      "",        " ",         "01",          "1.",     ".5",       "+1",          "1 2",
      "[1,]",    "[1,,2]",    "{\"a\":1,}",  "{a:1}",  "nul",      "/**/1",       "\"",
      "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\t\"", "\"\x01\"", "\"\\u0000\"", "{\"\\u0000\":1}",
      "1e400",   "NaN",       "Infinity",    "]",      "[}",       "0.00.0e",     "[1e2e]"};
  for (const char* text : bad) EXPECT_FALSE(ParseJson(text).ok()) << text;
  EXPECT_FALSE(ParseJson(absl::string_view("1\0", 2)).ok());
  EXPECT_FALSE(ParseJson(absl::string_view("[\0]", 3)).ok());
  EXPECT_FALSE(ParseJson(absl::string_view("\"\0\"", 3)).ok());
}

TEST(JsonTest, BoundsDepth) {
  auto nested = [](int depth) {
    return std::string(depth / 2, '[') + std::string(depth - depth / 2, '[') +
           std::string(depth, ']');
  };
  EXPECT_EQ(Rewrite(nested(kMaxJsonDepth)), nested(kMaxJsonDepth));
  EXPECT_EQ(Rewrite(nested(kMaxJsonDepth + 1)),
            "line 0, column 1000, byte 1000: input exceeds maximum nesting depth 1000");
  EXPECT_FALSE(ParseJson(std::string(1000000, '[')).ok());
  EXPECT_FALSE(ParseJson(std::string(1000000, '{')).ok());
}

TEST(JsonTest, EscapesAtEveryPosition) {
  for (size_t n = 0; n < 40; n++) {
    const std::string plain(n, '\xc3');
    EXPECT_EQ(String(plain), '"' + plain + '"');
    for (size_t i = 0; i < n; i++) {
      std::string s = plain;
      s[i] = '\n';
      EXPECT_EQ(String(s), '"' + s.substr(0, i) + "\\n" + s.substr(i + 1) + '"');
    }
  }
  for (int c = 1; c < 256; c++) {
    const std::string s = "01234567" + std::string(1, static_cast<char>(c)) + "0123456789";
    const auto back = ParseJson(String(s));
    ASSERT_TRUE(back.ok()) << c;
    EXPECT_EQ(StringView(*back), s);
    const bool escaped = c < 0x20 || c == '"' || c == '\\';
    EXPECT_EQ(String(s).size() > s.size() + 2, escaped) << c;
  }
}

TEST(JsonTest, Reals) {
  EXPECT_EQ(Real(1), "1");
  EXPECT_EQ(Real(0.1), "0.1");
  EXPECT_EQ(Real(1e22), "1e+22");
  EXPECT_EQ(Real(2.2250738585072014e-308), "2.2250738585072e-308");
  const double max = std::numeric_limits<double>::max();
  EXPECT_EQ(ParseJson(Real(max))->GetDouble(), max);
  EXPECT_EQ(ParseJson(Real(-max))->GetDouble(), -max);
  EXPECT_EQ(Real(0.1 + 0.2), "0.3");
  EXPECT_EQ(Real(0.1 + 0.2, RealForm::kExact), "0.30000000000000004");
  EXPECT_EQ(Real(0.3, RealForm::kExact), "0.3");
  EXPECT_EQ(Real(2.2250738585072014e-308, RealForm::kExact), "2.2250738585072014e-308");
  EXPECT_EQ(Real(0x1.921fb54442d18p+1, RealForm::kExact), "3.1415926535897931");
}

TEST(JsonTest, Integers) {
  auto integer = [](const char* text) { return JsonInteger(*ParseJson(text)); };
  EXPECT_EQ(integer("12"), 12);
  EXPECT_EQ(integer("1.0"), 1);
  EXPECT_EQ(integer("-1e3"), -1000);
  EXPECT_EQ(integer("9223372036854775807"), INT64_MAX);
  EXPECT_FALSE(integer("9223372036854775808"));
  EXPECT_FALSE(integer("9.3e18"));
  EXPECT_FALSE(integer("0.5"));
  EXPECT_FALSE(integer("\"1\""));
}

TEST(JsonTest, FindsMembers) {
  const auto json = ParseJson(R"({"a":1,"b":{"c":2}})");
  ASSERT_NE(FindMember(*json, "b"), nullptr);
  EXPECT_EQ(FindMember(*FindMember(*json, "b"), "c")->GetInt(), 2);
  EXPECT_EQ(FindMember(*json, "c"), nullptr);
  EXPECT_EQ(FindMember(*FindMember(*json, "a"), "c"), nullptr);
}

TEST(JsonTest, FindsTheTextOfAMember) {
  const absl::string_view text =
      R"( {"x":{"a":1,"b":[2]}, "y\\" : "a\":,}" ,"z":["}",{"a":3}], "a" : [ {"a":"]"}, 5 ] , "b":7 } )";
  EXPECT_EQ(FindMemberText(text, "a"), R"([ {"a":"]"}, 5 ])");
  EXPECT_EQ(FindMemberText(text, "b"), "7");
  EXPECT_EQ(FindMemberText(text, "x"), R"({"a":1,"b":[2]})");
  EXPECT_EQ(FindMemberText(text, "y\\\\"), R"("a\":,}")");
  EXPECT_EQ(FindMemberText(text, "z"), R"(["}",{"a":3}])");
  EXPECT_EQ(FindMemberText(text, "c"), "");
  for (const char* bad :
       {"", "{", "{\"a\"", "{\"a\":", "{\"a\":[1", "{\"a\\", "[\"a\",1]", "}{:"}) {
    EXPECT_EQ(FindMemberText(bad, "a"), "") << bad;
  }
}

TEST(JsonScannerTest, TakesATextApart) {
  std::string text = R"( { "a\"b" : [1,{"x":"y"}] , "c":"d" , "e":5} )";
  JsonScanner scanner(text.data(), text.size());
  EXPECT_FALSE(scanner.Skip('['));
  EXPECT_TRUE(scanner.Skip('{'));
  EXPECT_EQ(scanner.String(), "a\"b");
  EXPECT_TRUE(scanner.Skip(':'));
  const Json* array = scanner.Value();
  ASSERT_NE(array, nullptr);
  EXPECT_EQ(JsonText(*array), R"([1,{"x":"y"}])");
  EXPECT_TRUE(scanner.Skip(','));
  EXPECT_EQ(scanner.String(), "c");
  EXPECT_TRUE(scanner.Skip(':'));
  EXPECT_EQ(JsonText(*scanner.Value()), "\"d\"");
  EXPECT_TRUE(scanner.Skip(','));
  EXPECT_EQ(scanner.String(), "e");
  EXPECT_TRUE(scanner.Skip(':'));
  EXPECT_EQ(scanner.String(), std::nullopt);
  EXPECT_FALSE(scanner.AtEnd());
  EXPECT_TRUE(scanner.Skip('}'));
  EXPECT_TRUE(scanner.AtEnd());
  EXPECT_FALSE(scanner.Skip('\0'));
  EXPECT_EQ(scanner.Value(), nullptr);
  EXPECT_FALSE(scanner.error().ok());
}

TEST(JsonScannerTest, StopsAtTheEnd) {
  for (const char* bad : {"\"abc", "\"abc\\", "[1,", "{\"a\"", "tru", "\"\x01\""}) {
    std::string text = bad;
    JsonScanner scanner(text.data(), text.size());
    EXPECT_EQ(scanner.String(), std::nullopt) << bad;
    EXPECT_FALSE(scanner.error().ok()) << bad;
  }
  std::string text("1\0", 2);
  JsonScanner scanner(text.data(), text.size());
  EXPECT_NE(scanner.Value(), nullptr);
  EXPECT_FALSE(scanner.AtEnd());
}

TEST(ErrorTest, HasStocksShape) {
  std::string out;
  const auto json = ParseJson(R"({"b":["x\n"],"a":1.0})");
  const absl::Status status = SyntaxError(*json, "bad \"thing\"");
  AppendError(status, &out);
  EXPECT_EQ(
      out,
      R"({"details":"bad \"thing\"","error":"syntax error","syntax":"{\"a\":1,\"b\":[\"x\\n\"]}"})");
  EXPECT_EQ(ErrorText(status), R"(syntax "{"a":1,"b":["x\n"]}": syntax error: bad "thing")");
  EXPECT_EQ(ErrorString(status), kSyntaxError);

  out.clear();
  AppendError(Error(kNotOwner, ""), &out);
  EXPECT_EQ(out, R"({"error":"not owner"})");
  EXPECT_EQ(ErrorText(Error(kNotOwner, "")), "not owner");
  EXPECT_EQ(ErrorString(absl::InternalError("x")), "internal error");
}

// A client that sends such a number is disconnected by stock, and so it is by us.
TEST(Json, RefusesNumbersOfLessThanFullPrecision) {
  EXPECT_FALSE(ParseJson("5e-324").ok());
  EXPECT_FALSE(ParseJson("[2.2250738585072011e-308]").ok());
  EXPECT_TRUE(ParseJson("2.2250738585072014e-308").ok());
  EXPECT_TRUE(ParseJson("1e-400").ok());
}

}  // namespace
}  // namespace ovsdb

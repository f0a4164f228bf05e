#include "ovsdb/json_error.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ovsdb/json.h"

namespace ovsdb {
namespace {

// What ovsdb-tool of Open vSwitch 3.5.0 says of files with these contents.
const std::pair<std::string, std::string> kCases[] = {
    {"", "line 0, column 0, byte 0: empty input stream"},
    {" ", "line 0, column 1, byte 1: empty input stream"},
    {"\n\n", "line 2, column 0, byte 2: empty input stream"},
    {"x", "line 0, column 1, byte 1: invalid keyword 'x'"},
    {"tru", "line 0, column 3, byte 3: invalid keyword 'tru'"},
    {"truex", "line 0, column 5, byte 5: invalid keyword 'truex'"},
    {"trueX", "line 0, column 5, byte 5: invalid keyword 'trueX'"},
    {"abc-def", "line 0, column 3, byte 3: invalid keyword 'abc'"},
    {"False", "line 0, column 0, byte 0: invalid character 'F'"},
    {"true", "line 0, column 4, byte 4: syntax error at beginning of input"},
    {"1", "line 0, column 1, byte 1: syntax error at beginning of input"},
    {"\"a\" \"b\"", "line 0, column 2, byte 2: syntax error at beginning of input"},
    {"-", "line 0, column 1, byte 1: '-' must be followed by digit"},
    {"-x", "line 0, column 1, byte 1: '-' must be followed by digit"},
    {"01", "line 0, column 2, byte 2: leading zeros not allowed"},
    {"1.", "line 0, column 2, byte 2: decimal point must be followed by digit"},
    {"1.e5", "line 0, column 4, byte 4: decimal point must be followed by digit"},
    {"1e", "line 0, column 2, byte 2: exponent must contain at least one digit"},
    {"1ex", "line 0, column 2, byte 2: exponent must contain at least one digit"},
    {"1e+5x", "line 0, column 4, byte 4: syntax error at beginning of input"},
    {"1.2.3", "line 0, column 5, byte 5: syntax error in number"},
    {"1-2", "line 0, column 3, byte 3: syntax error in number"},
    {"--1", "line 0, column 3, byte 3: '-' must be followed by digit"},
    {"+1", "line 0, column 0, byte 0: invalid character '+'"},
    {".5", "line 0, column 0, byte 0: invalid character '.'"},
    {"[1e400]", "line 0, column 6, byte 6: number outside valid range"},
    {"[99e999999999999]", "line 0, column 16, byte 16: exponent outside valid range"},
    {"\"", "line 0, column 1, byte 1: unexpected end of input in quoted string"},
    {"\"abc", "line 0, column 4, byte 4: unexpected end of input in quoted string"},
    {"\"abc\\", "line 0, column 5, byte 5: unexpected end of input in quoted string"},
    {"\"a\nb\"", "line 0, column 2, byte 2: U+000A must be escaped in quoted string"},
    {"\"\001\"", "line 0, column 1, byte 1: U+0001 must be escaped in quoted string"},
    {std::string("\"\000\"", 3),
     "line 0, column 1, byte 1: U+0000 must be escaped in quoted string"},
    {"\"\\q\"", "line 0, column 3, byte 3: bad escape \\q"},
    {"\"\\\n\"", "line 1, column 0, byte 3: bad escape \\\n"},
    {"\"\\u12\"", "line 0, column 5, byte 5: quoted string ends within \\u escape"},
    {"\"\\u12g4\"", "line 0, column 7, byte 7: malformed \\u escape"},
    {"\"\\u 12 \"", "line 0, column 7, byte 7: malformed \\u escape"},
    {"\"\\ud800\"", "line 0, column 7, byte 7: malformed escaped surrogate pair"},
    {"\"\\ud800\\n\"", "line 0, column 9, byte 9: malformed escaped surrogate pair"},
    {"\"\\ud800\\u0041\"",
     "line 0, column 13, byte 13: second half of escaped surrogate pair is not trailing surrogate"},
    {"\"\\uD800\\u12\"", "line 0, column 11, byte 11: quoted string ends within \\u escape"},
    {"\"\\u0000\"", "line 0, column 7, byte 7: null bytes not supported in quoted strings"},
    {"[\"\\udc00\",]", "line 0, column 10, byte 10: syntax error expecting value"},
    {"\377", "line 0, column 0, byte 0: invalid character U+00ff"},
    {"\001", "line 0, column 0, byte 0: invalid character U+0001"},
    {std::string("\000", 1), "line 0, column 0, byte 0: invalid character U+0000"},
    {"/", "line 0, column 0, byte 0: invalid character '/'"},
    {"'a'", "line 0, column 0, byte 0: invalid character '''"},
    {"_", "line 0, column 0, byte 0: invalid character '_'"},
    {"{", "line 0, column 1, byte 1: unexpected end of input"},
    {"{\"a\"", "line 0, column 4, byte 4: unexpected end of input"},
    {"{\"a\":", "line 0, column 5, byte 5: unexpected end of input"},
    {"{\"a\":1", "line 0, column 7, byte 7: unexpected end of input"},
    {"{\"a\":1,", "line 0, column 7, byte 7: unexpected end of input"},
    {"{\"a\":1,}", "line 0, column 7, byte 7: syntax error parsing object expecting string"},
    {"{,}", "line 0, column 1, byte 1: syntax error parsing object expecting string"},
    {"{1:2}", "line 0, column 2, byte 2: syntax error parsing object expecting string"},
    {"{null:1}", "line 0, column 5, byte 5: syntax error parsing object expecting string"},
    {"{]", "line 0, column 1, byte 1: syntax error parsing object expecting string"},
    {"{\"a\",}", "line 0, column 4, byte 4: syntax error parsing object expecting ':'"},
    {"{\"a\" 1}", "line 0, column 6, byte 6: syntax error parsing object expecting ':'"},
    {"{\"a\":}", "line 0, column 5, byte 5: syntax error expecting value"},
    {"{\"a\":1]", "line 0, column 6, byte 6: syntax error expecting '}' or ','"},
    {"{\"a\":1 \"b\":2}", "line 0, column 9, byte 9: syntax error expecting '}' or ','"},
    {"{\"a\":\"b\" \"c\"}", "line 0, column 11, byte 11: syntax error expecting '}' or ','"},
    {"[", "line 0, column 1, byte 1: unexpected end of input"},
    {"[1", "line 0, column 3, byte 3: unexpected end of input"},
    {"[1,", "line 0, column 3, byte 3: unexpected end of input"},
    {"[1,]", "line 0, column 3, byte 3: syntax error expecting value"},
    {"[,]", "line 0, column 1, byte 1: syntax error expecting value"},
    {"[1 2]", "line 0, column 4, byte 4: syntax error expecting ']' or ','"},
    {"[1}", "line 0, column 2, byte 2: syntax error expecting ']' or ','"},
    {"[}", "line 0, column 1, byte 1: syntax error expecting value"},
    {"[\"a\"\"b\"]", "line 0, column 6, byte 6: syntax error expecting ']' or ','"},
    {"]", "line 0, column 0, byte 0: syntax error at beginning of input"},
    {":", "line 0, column 0, byte 0: syntax error at beginning of input"},
    {"[]]", "line 0, column 2, byte 2: trailing garbage at end of input"},
    {"{}\n{}", "line 1, column 0, byte 3: trailing garbage at end of input"},
    {"{\"a\":1}x", "line 0, column 8, byte 8: invalid keyword 'x'"},
    {"{} null", "line 0, column 7, byte 7: trailing garbage at end of input"},
    {"{} 1", "line 0, column 4, byte 4: trailing garbage at end of input"},
    {"{} \"a\"", "line 0, column 5, byte 5: trailing garbage at end of input"},
    {"{\n\"a\":\n  x}", "line 2, column 3, byte 10: invalid keyword 'x'"},
    {"[\n\n", "line 2, column 0, byte 3: unexpected end of input"},
};

TEST(ExplainJsonError, SaysWhatStockSays) {
  for (const auto& [text, explanation] : kCases) EXPECT_EQ(ExplainJsonError(text), explanation);
}

TEST(ExplainJsonError, FindsNothingWrongWithJson) {
  for (const char* text :
       {"[]", "{}",
        " {\"a\" : [1, -0.5e+3, true, null, {}], \"\" : \"\\u00e9\\ud83d\\ude00\\n\"} \n"}) {
    EXPECT_EQ(ExplainJsonError(text), "");
  }
}

TEST(ExplainJsonError, LimitsDepthAsTheParser) {
  const std::string deepest =
      absl::StrCat(std::string(kMaxJsonDepth, '['), std::string(kMaxJsonDepth, ']'));
  EXPECT_EQ(ExplainJsonError(deepest), "");
  EXPECT_TRUE(ParseJson(deepest).ok());
  EXPECT_EQ(ExplainJsonError(absl::StrCat("[", deepest, "]")),
            "line 0, column 1000, byte 1000: input exceeds maximum nesting depth 1000");
  EXPECT_FALSE(ParseJson(absl::StrCat("[", deepest, "]")).ok());
}

}  // namespace
}  // namespace ovsdb

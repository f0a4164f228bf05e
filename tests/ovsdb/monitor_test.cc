// Requests as stock reads them: the errors are what the reference answered to the same parameters.
#include "ovsdb/monitor.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ovsdb/error.h"
#include "tests/ovsdb/monitored.h"

namespace ovsdb {
namespace {

// An error as `ERROR: DETAILS` and, where there is one, ` SYNTAX`.
std::string Describe(const absl::Status& status) {
  if (status.ok()) return "OK";
  std::string text = absl::StrCat(ErrorString(status), ": ", status.message());
  if (!ErrorSyntax(status).empty()) absl::StrAppend(&text, " ", ErrorSyntax(status));
  return text;
}

constexpr char kZero[] = "\"00000000-0000-0000-0000-000000000000\"";

class MonitorRequestTest : public testing::Test {
 protected:
  absl::StatusOr<MonitorRequest> Parse(MonitorVersion version, absl::string_view params) {
    return MonitorRequest::Parse(version, schema_, *ParseJson(params),
                                 [](absl::string_view id) { return id == "\"used\""; });
  }
  std::string Error(MonitorVersion version, absl::string_view params) {
    return Describe(Parse(version, params).status());
  }
  // The error for requests in version 2, which is the same in version 3.
  std::string Requests(absl::string_view requests) {
    std::string v2 = Error(MonitorVersion::kV2, absl::StrCat("[\"T\",1,", requests, "]"));
    EXPECT_EQ(Error(MonitorVersion::kV3, absl::StrCat("[\"T\",1,", requests, ",", kZero, "]")), v2);
    return v2;
  }

  SchemaRef schema_ = MonitoredSchema();
};

TEST_F(MonitorRequestTest, NumberOfParameters) {
  for (MonitorVersion version : {MonitorVersion::kV1, MonitorVersion::kV2, MonitorVersion::kV3}) {
    for (const char* params : {"[]", "[\"T\"]", "[\"T\",1]"}) {
      EXPECT_EQ(Error(version, params), absl::StrCat("syntax error: invalid parameters ", params));
    }
  }
  EXPECT_EQ(Error(MonitorVersion::kV1, "[\"T\",1,{},3]"), "OK");
  EXPECT_EQ(Error(MonitorVersion::kV2, "[\"T\",1,{},3]"),
            "syntax error: invalid parameters [\"T\",1,{},3]");
  EXPECT_EQ(Error(MonitorVersion::kV3, "[\"T\",1,{}]"),
            "syntax error: invalid parameters [\"T\",1,{}]");
  EXPECT_EQ(Error(MonitorVersion::kV2, "{\"T\":1}"), "syntax error: invalid parameters {\"T\":1}");
}

TEST_F(MonitorRequestTest, LastTransactionId) {
  EXPECT_EQ(Error(MonitorVersion::kV3, "[\"T\",1,{},3]"),
            "syntax error: last-txn-id must be string 3");
  EXPECT_EQ(Error(MonitorVersion::kV3, "[\"T\",1,{},\"x\"]"),
            "syntax error: last-txn-id must be UUID format. \"x\"");
  EXPECT_EQ(Error(MonitorVersion::kV3, "[\"T\",1,{\"Z\":{}},3]"), "syntax error: no table named Z");
  auto request =
      Parse(MonitorVersion::kV3, "[\"T\",1,{},\"11111111-2222-3333-4444-555555555555\"]");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->last_txn_id.ToString(), "11111111-2222-3333-4444-555555555555");
}

TEST_F(MonitorRequestTest, Ids) {
  EXPECT_EQ(Error(MonitorVersion::kV2, "[\"T\",\"used\",{\"Z\":1}]"),
            "syntax error: duplicate monitor ID \"used\"");
  EXPECT_EQ(Error(MonitorVersion::kV2, "[\"T\",\"used\",5]"),
            "syntax error: monitor-requests must be object 5");
  EXPECT_EQ(Parse(MonitorVersion::kV1, "[\"T\",{\"y\":null,\"x\":1.0},{}]")->id,
            "{\"x\":1,\"y\":null}");
}

TEST_F(MonitorRequestTest, Shapes) {
  EXPECT_EQ(Requests("2"), "syntax error: monitor-requests must be object 2");
  EXPECT_EQ(Requests("[]"), "syntax error: monitor-requests must be object []");
  EXPECT_EQ(Requests("null"), "syntax error: monitor-requests must be object null");
  EXPECT_EQ(Requests("{}"), "OK");
  EXPECT_EQ(Requests(R"({"A":[]})"), "OK");
  EXPECT_EQ(Requests(R"({"Z":{}})"), "syntax error: no table named Z");
  for (const char* table : {"1", "null", "\"s\"", "[1]", "[null]", "[[]]"}) {
    EXPECT_EQ(Requests(absl::StrCat("{\"A\":", table, "}")),
              "syntax error: Parsing table A failed: Object expected.");
  }
  EXPECT_EQ(Requests(R"({"A":{"foo":true}})"),
            "syntax error: Parsing table A failed: Member 'foo' is present but not allowed here. "
            "{\"foo\":true}");
  EXPECT_EQ(Requests(R"({"A":{"foo":1,"bar":2,"select":{"x":1}}})"),
            "syntax error: Parsing table A failed: Member 'bar' and 1 other member are present "
            "but not allowed here. {\"bar\":2,\"foo\":1,\"select\":{\"x\":1}}");
}

TEST_F(MonitorRequestTest, Columns) {
  EXPECT_EQ(Requests(R"({"A":{"columns":1}})"),
            "syntax error: Parsing table A failed: Type mismatch for member 'columns'. "
            "{\"columns\":1}");
  EXPECT_EQ(Requests(R"({"A":{"columns":["n",1]}})"),
            "syntax error: array of column names expected [\"n\",1]");
  EXPECT_EQ(Requests(R"({"A":{"columns":["n","zz",1]}})"),
            "syntax error: zz is not a valid column name [\"n\",\"zz\",1]");
  EXPECT_EQ(Requests(R"({"A":{"columns":["n","n"]}})"),
            "syntax error: column n mentioned more than once [\"n\",\"n\"]");
  EXPECT_EQ(Requests(R"({"A":[{"columns":["n"]},{"columns":["s","n"]}]})"),
            "syntax error: column n mentioned more than once [\"s\",\"n\"]");
  EXPECT_EQ(Requests(R"({"A":[{},{"columns":["n"]}]})"),
            "syntax error: column n mentioned more than once [\"n\"]");
  EXPECT_EQ(Requests(R"({"A":[{"columns":["n"]},{}]})"),
            "syntax error: column n mentioned more than once");
  EXPECT_EQ(Requests(R"({"A":[{},{}]})"), "syntax error: column _version mentioned more than once");
  EXPECT_EQ(Requests(R"({"A":[{"columns":["_uuid"]},{}]})"), "OK");
}

TEST_F(MonitorRequestTest, Select) {
  EXPECT_EQ(Requests(R"({"A":{"select":1}})"),
            "syntax error: Parsing table A failed: Type mismatch for member 'select'. "
            "{\"select\":1}");
  EXPECT_EQ(Requests(R"({"A":{"select":{"initial":1,"zoo":2,"delete":3}}})"),
            "syntax error: Parsing table A select failed: Type mismatch for member 'initial'. "
            "{\"delete\":3,\"initial\":1,\"zoo\":2}");
  EXPECT_EQ(Requests(R"({"A":{"select":{"modify":1,"delete":1}}})"),
            "syntax error: Parsing table A select failed: Type mismatch for member 'delete'. "
            "{\"delete\":1,\"modify\":1}");
  EXPECT_EQ(Requests(R"({"A":{"select":{"foo":true}}})"),
            "syntax error: Parsing table A select failed: Member 'foo' is present but not "
            "allowed here. {\"foo\":true}");
}

TEST_F(MonitorRequestTest, Where) {
  EXPECT_EQ(Error(MonitorVersion::kV1, R"(["T",1,{"A":{"where":[]}}])"),
            "syntax error: Parsing table A failed: Member 'where' is present but not allowed "
            "here. {\"where\":[]}");
  EXPECT_EQ(Requests(R"({"A":{"where":true,"columns":1}})"),
            "syntax error: Parsing table A failed: Type mismatch for member 'where'. "
            "{\"columns\":1,\"where\":true}");
  EXPECT_EQ(Requests(R"({"A":{"where":["n","==",1]}})"),
            "syntax error: Parse error in condition. \"n\"");
  EXPECT_EQ(Requests(R"({"A":{"where":[["zz","==",1]]}})"),
            "unknown column: No column zz in table A. [\"zz\",\"==\",1]");
  EXPECT_EQ(Requests(R"({"A":{"where":[["n","=",1]]}})"), "unknown function: No function named =.");
  EXPECT_EQ(Requests(R"({"A":{"where":[["s","<","x"]]}})"),
            "syntax error: Type mismatch: \"<\" operator may not be applied to column s of type "
            "string. [\"s\",\"<\",\"x\"]");
  EXPECT_EQ(Requests(R"({"A":{"where":[["n","==","x"]]}})"),
            "syntax error: expected integer \"x\"");
  EXPECT_EQ(Requests(R"({"A":[{"columns":["n"]},{"columns":["s"],"where":[["zz","==",2]]}]})"),
            "unknown column: No column zz in table A. [\"zz\",\"==\",2]");
}

class FilterRequestTest : public testing::Test {
 protected:
  FilterRequestTest()
      : monitor_(*MonitorRequest::Parse(
            MonitorVersion::kV2, schema_,
            *ParseJson(R"(["T","k",{"A":{"columns":["n"],"where":[["n","==",1]]}}])"), Never)) {}

  std::string Error(absl::string_view params) {
    JsonDocument json = *ParseJson(params);
    absl::StatusOr<std::string> id = FilterRequest::MonitorOf(json);
    if (!id.ok()) return Describe(id.status());
    if (*id != monitor_.id) return Describe(FilterRequest::UnknownMonitor(json));
    return Describe(
        FilterRequest::Parse(*monitor_.shape, monitor_.filters, json, [](absl::string_view i) {
          return i == "\"q\"";
        }).status());
  }
  std::string Table(absl::string_view table) {
    return Error(absl::StrCat("[\"k\",\"k\",{\"A\":", table, "}]"));
  }

  SchemaRef schema_ = MonitoredSchema();
  MonitorRequest monitor_;
};

TEST_F(FilterRequestTest, Parameters) {
  for (const char* params : {"[]", "[\"k\"]", "[\"k\",\"k\"]", "[\"k\",\"k\",{},1]", "{}"}) {
    EXPECT_EQ(Error(params), absl::StrCat("syntax error: invalid parameters ", params));
  }
  EXPECT_EQ(Error("[\"zz\",\"q\",5]"), "syntax error: unknown monitor session \"zz\"");
  EXPECT_EQ(Error("[\"k\",\"q\",5]"), "syntax error: duplicate monitor ID \"q\"");
  EXPECT_EQ(Error("[\"k\",\"k\",5]"), "syntax error: monitor-cond-change-requests must be object");
  EXPECT_EQ(Error("[\"k\",\"k\",null]"),
            "syntax error: monitor-cond-change-requests must be object");
  EXPECT_EQ(Error("[\"k\",\"new\",{}]"), "OK");
}

TEST_F(FilterRequestTest, Tables) {
  EXPECT_EQ(Error("[\"k\",\"k\",{\"Z\":5}]"), "syntax error: no table named Z");
  EXPECT_EQ(Error("[\"k\",\"k\",{\"B\":5}]"), "syntax error: no table named B in monitor session");
  EXPECT_EQ(Table("{}"), "syntax error: table A no monitor-cond-change JSON array");
  EXPECT_EQ(Table("1"), "syntax error: table A no monitor-cond-change JSON array");
  EXPECT_EQ(Table("[]"), "OK");
  EXPECT_EQ(Table("[1]"), "syntax error: Parsing table A failed: Object expected.");
  EXPECT_EQ(Table(R"([{"where":1}])"),
            "syntax error: Parsing table A failed: Type mismatch for member 'where'. "
            "{\"where\":1}");
  EXPECT_EQ(Table(R"([{"where":["x"],"select":{}}])"),
            "syntax error: Parsing table A failed: Member 'select' is present but not allowed "
            "here. {\"select\":{},\"where\":[\"x\"]}");
  EXPECT_EQ(Table(R"([{"where":["x"],"columns":["zz"]}])"),
            "syntax error: changing columns is unsupported "
            "{\"columns\":[\"zz\"],\"where\":[\"x\"]}");
  EXPECT_EQ(Table(R"([{"where":[true,1]}])"), "syntax error: Parse error in condition. 1");
  EXPECT_EQ(Table(R"([{"where":[["zz","==",1]]}])"),
            "unknown column: No column zz in table A. [\"zz\",\"==\",1]");
}

TEST_F(FilterRequestTest, TheLastWhereCounts) {
  auto parse = [&](absl::string_view table) {
    return *FilterRequest::Parse(*monitor_.shape, monitor_.filters,
                                 *ParseJson(absl::StrCat("[\"k\",\"new\",{\"A\":", table, "}]")),
                                 Never);
  };
  FilterRequest request = parse(R"([{"where":[]},{"where":[["n","==",1],false]}])");
  EXPECT_EQ(request.new_id, "\"new\"");
  ASSERT_TRUE(request.filters[0]);
  EXPECT_TRUE(*request.filters[0] == *monitor_.filters[0]);
  EXPECT_FALSE(parse(R"([{"where":[["n","==",2]]},{"where":[]}])").filters[0]);
  EXPECT_FALSE(parse(R"([{"where":[["n","==",2],true]}])").filters[0]);
  EXPECT_FALSE(parse("[{}]").filters[0]) << "no `where` is one that every row meets";
  EXPECT_TRUE(parse("[]").filters[0] == monitor_.filters[0]);
}

TEST(UpdatePrefix, PerVersion) {
  const Uuid id{1, 2};
  EXPECT_EQ(UpdatePrefix(MonitorVersion::kV1, "\"i\"", id),
            "{\"id\":null,\"method\":\"update\",\"params\":[\"i\",");
  EXPECT_EQ(UpdatePrefix(MonitorVersion::kV2, "[1]", id),
            "{\"id\":null,\"method\":\"update2\",\"params\":[[1],");
  EXPECT_EQ(UpdatePrefix(MonitorVersion::kV3, "null", id),
            "{\"id\":null,\"method\":\"update3\",\"params\":[null,"
            "\"00000000-0000-0001-0000-000000000002\",");
}

}  // namespace
}  // namespace ovsdb

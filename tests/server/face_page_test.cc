#include "server/face/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "server/face/families.h"

namespace face {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kOwn[] = R"({"program":"ovsdb-server","host":"a","uptime_s":7200,"troubles":[],
  "slow":[{"kind":"fsync","time":"T","text":"slow disk"}],
  "databases":[{"name":"N","model":"clustered","rows":3,"cluster":{"status":"cluster member","role":"leader",
    "self":"aaaa1","leader":"aaaa1","term":4,"commit_index":10,"election_timer_ms":1000,"servers":[
      {"id":"aaaa1","address":"tcp:1","is_self":true},
      {"id":"bbbb1","address":"tcp:2","is_self":false,"last_message_ms":5,"match_index":9},
      {"id":"cccc1","address":"tcp:3","is_self":false,"match_index":8}]}}],
  "clients":[{"name":"<b>","backlog_bytes":2000000,"monitors":1,"requests":0,"connected_s":1}]})";

constexpr char kPeer[] =
    R"({"databases":[{"name":"N","cluster":{"status":"cluster member","role":"follower",
    "self":"bbbb1","term":4,"commit_index":7}}]})";

// Without what cells repeat of their heads.
std::string WithoutHeads(const std::string& page) {
  return std::regex_replace(page, std::regex(" data-head=\"[^\"]*\""), "");
}

TEST(PageTest, ShowsTheClusterAsItsMembersSeeIt) {
  const std::string page =
      WithoutHeads(PageText(kOwn, {{"10.0.0.2", std::string(kPeer)},
                                   {"10.0.0.3", absl::UnavailableError("Connection refused")}}));
  EXPECT_THAT(page,
              HasSubstr("leader</span></td><td>0</td><td>10</td><td>4</td><td>this node</td>"));
  EXPECT_THAT(page,
              HasSubstr("follower</span></td><td>3</td><td>7</td><td>4</td><td>0.0 s ago</td>"));
  EXPECT_THAT(page, HasSubstr("does not answer</span></td><td>–</td><td>8</td>"));
  EXPECT_THAT(page, HasSubstr("10.0.0.3 says nothing here: Connection refused"));
  EXPECT_THAT(page, HasSubstr("slow disk"));
  EXPECT_THAT(page, HasSubstr("up for 2 h"));
  EXPECT_THAT(page, HasSubstr("works</span>"));
}

TEST(PageTest, TellsOfElectionsOfWhoeverStood) {
  const std::string page = PageText(
      R"({"databases":[{"name":"N","cluster":{"role":"follower","self":"aaaa1","leader":"bbbb1",
      "election_started_ms":9000,"election_reason":"timeout","election_timer_ms":1000,
      "servers":[{"id":"aaaa1"},{"id":"bbbb1"},{"id":"cccc1"}]}}]})",
      {{"10.0.0.2", std::string(R"({"databases":[{"name":"N","cluster":{"self":"bbbb1",
        "election_started_ms":5100,"election_won_ms":5000,"election_reason":"leadership transfer"}}]})")},
       {"10.0.0.3", std::string(R"({"databases":[{"name":"N","cluster":{"self":"cccc1",
        "election_started_ms":7000,"election_won_ms":3600000,"election_reason":"<i>"}}]})")}});
  EXPECT_THAT(page, HasSubstr("Last elections: <b>bbbb</b> (10.0.0.2) won 5.0 s ago after a "
                              "leadership transfer; <b>cccc</b> (10.0.0.3) stood 7.0 s ago after a "
                              "&lt;i&gt;; <b>aaaa</b> (this node) stood 9.0 s ago after a timeout; "
                              "<b>cccc</b> (10.0.0.3) won 60 min ago. Election timer 1000 ms."));
}

TEST(PageTest, TellsWhichNorthdIsActive) {
  constexpr char kNobody[] = R"({"northd":""})";
  EXPECT_THAT(PageText(kNobody, {{"10.0.0.2", std::string(R"({"northd":"tcp:10.0.0.9:1"})")}}),
              HasSubstr("<b>tcp:10.0.0.9:1</b><span>active ovn-northd, says 10.0.0.2</span>"));
  EXPECT_THAT(PageText(kNobody, {{"10.0.0.2", std::string(kNobody)}}),
              HasSubstr("<b>none</b><span>active ovn-northd</span>"));
  EXPECT_THAT(PageText(kNobody, {{"10.0.0.2", absl::UnavailableError("gone")}}),
              HasSubstr("<b>–</b><span>active ovn-northd</span>"));
  EXPECT_THAT(PageText("{}", {{"10.0.0.2", std::string(kNobody)}}),
              Not(HasSubstr("active ovn-northd")));
}

TEST(PageTest, NobodyLagsWhereNobodyLeads) {
  const std::string page = WithoutHeads(
      PageText(R"({"databases":[{"name":"N","cluster":{"status":"cluster member","role":"candidate",
      "self":"aaaa1","term":5,"commit_index":10,"servers":[{"id":"aaaa1","is_self":true},
        {"id":"bbbb1","match_index":0}]}}]})",
               {}));
  EXPECT_THAT(page, HasSubstr("candidate</span></td><td>–</td><td>10</td><td>5</td>"));
  EXPECT_THAT(page, HasSubstr("does not answer</span></td><td>–</td><td>–</td><td>–</td>"));
}

TEST(PageTest, ACellTellsItsHead) {
  EXPECT_THAT(PageText(kOwn, {}), HasSubstr("<td data-head=\"lags by\">0</td>"));
}

TEST(PageTest, TellsTroubles) {
  const std::string page = PageText(R"({"troubles":["the disk is full"]})", {});
  EXPECT_THAT(page, HasSubstr("does not do its work"));
  EXPECT_THAT(page, HasSubstr("<p class=\"trouble\">the disk is full</p>"));
}

TEST(PageTest, TakesNothingForMarkup) {
  const std::string page = WithoutHeads(
      PageText(kOwn, {{"<script>", std::string(R"({"slow":[{"text":"<script>&\"'"}]})")}}));
  EXPECT_THAT(page, HasSubstr("<td>&lt;b&gt;</td>"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;&amp;&quot;&#39;"));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
}

TEST(PageTest, BearsWhateverAPeerSays) {
  for (const char* said : {"", "nonsense", "[]", "1", "{\"databases\":1}",
                           "{\"databases\":[1,{\"name\":\"N\",\"cluster\":[]}]}",
                           "{\"databases\":[{\"name\":\"N\",\"cluster\":{\"self\":\"bbbb1\","
                           "\"commit_index\":\"x\"}}],\"slow\":{}}",
                           "{\"databases\":[{\"name\":\"N\",\"cluster\":{\"self\":\"bbbb1\","
                           "\"commit_index\":-9223372036854775808}}]}"}) {
    const std::string page = PageText(kOwn, {{"b", std::string(said)}});
    EXPECT_THAT(page, HasSubstr("</html>")) << said;
    EXPECT_THAT(page, HasSubstr("leader</span>")) << said;
  }
}

TEST(FamiliesTest, WritesPrometheusText) {
  Families families;
  base::DurationHistogram durations;
  durations.Add(50);
  durations.Add(200);
  durations.Add(60'000'000);
  families.Counter("b_total", "B.", {{"kind", "x\"\n"}}, 3);
  families.Gauge("a", "A.", {}, 1.5);
  families.Gauge("a", "ignored", {{"l", "2"}}, 2);
  families.Histogram("c_seconds", "C.", {}, durations);
  const std::string text = families.Text();
  EXPECT_THAT(text, HasSubstr("# HELP a A.\n# TYPE a gauge\na 1.5\na{l=\"2\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("b_total{kind=\"x\\\"\\n\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"0.00025\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"10\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("c_seconds_bucket{le=\"+Inf\"} 3\n"));
}

TEST(DurationHistogramTest, BoundsQuantiles) {
  base::DurationHistogram durations;
  EXPECT_EQ(durations.QuantileUs(0.99), 0);
  for (int i = 0; i < 99; i++) durations.Add(90);
  durations.Add(7000);
  EXPECT_EQ(durations.QuantileUs(0.5), 100);
  EXPECT_EQ(durations.QuantileUs(0.99), 100);
  EXPECT_EQ(durations.QuantileUs(1), 10'000);
}

}  // namespace
}  // namespace face

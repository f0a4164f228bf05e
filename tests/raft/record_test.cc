#include "raft/record.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "ovsdb/error.h"

namespace raft {
namespace {

constexpr ServerId kA{0xaaaaaaaa00004000, 0x8000000000000001};
constexpr ServerId kB{0xbbbbbbbb00004000, 0x8000000000000002};
constexpr ClusterId kCluster{0xcccccccc00004000, 0x8000000000000003};
constexpr EntryId kEid{0xeeeeeeee00004000, 0x800000000000000e};

std::string Expand(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"$A", kA.ToString()},
                                    {"$B", kB.ToString()},
                                    {"$C", kCluster.ToString()},
                                    {"$E", kEid.ToString()},
                                    {"$0", ServerId().ToString()}});
}

absl::StatusOr<Header> Parse(absl::string_view text) {
  const auto json = ovsdb::ParseJson(Expand(text));
  EXPECT_TRUE(json.ok()) << json.status() << text;
  return ParseHeader(*json);
}

absl::StatusOr<Record> ParseOne(absl::string_view text) {
  const auto json = ovsdb::ParseJson(Expand(text));
  EXPECT_TRUE(json.ok()) << json.status() << text;
  return ParseRecord(*json);
}

std::string TextOf(const absl::Status& status) {
  return status.ok() ? "" : absl::StrCat(ovsdb::ErrorString(status), ": ", status.message());
}

std::string HeaderError(absl::string_view text) { return TextOf(Parse(text).status()); }
std::string RecordError(absl::string_view text) { return TextOf(ParseOne(text).status()); }

constexpr char kMember[] =
    R"({"server_id":"$A","local_address":"tcp:127.0.0.1:1","name":"D","cluster_id":"$C",)"
    R"("prev_term":3,"prev_index":7,"prev_eid":"$E","prev_servers":{"$A":"tcp:127.0.0.1:1"},)"
    R"("prev_election_timer":2000,"prev_data":[{"name":"D"},{}]})";
constexpr char kJoining[] = R"({"server_id":"$A","local_address":"tcp:127.0.0.1:1","name":"D",)"
                            R"("remote_addresses":["tcp:127.0.0.1:2","ssl:h:3"]})";

// A header's text with one piece of it replaced.
std::string With(absl::string_view text, absl::string_view piece, absl::string_view by) {
  EXPECT_NE(text.find(piece), absl::string_view::npos) << piece;
  return absl::StrReplaceAll(text, {{piece, by}});
}

TEST(HeaderTest, OfAMember) {
  const auto header = Parse(kMember);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->server_id, kA);
  EXPECT_EQ(header->local_address, "tcp:127.0.0.1:1");
  EXPECT_EQ(header->name, "D");
  EXPECT_EQ(header->cluster_id, kCluster);
  EXPECT_TRUE(header->remote_addresses.empty());
  EXPECT_EQ(header->snapshot.term, 3);
  EXPECT_EQ(header->snapshot.index, 7);
  EXPECT_EQ(header->snapshot.eid, kEid);
  EXPECT_EQ(header->snapshot.election_timer_ms, 2000);
  EXPECT_EQ(*header->snapshot.servers, (Servers{{kA, "tcp:127.0.0.1:1"}}));
  EXPECT_EQ(*header->snapshot_data, R"([{"name":"D"},{}])");
  std::string text;
  AppendHeader(*header, &text);
  EXPECT_EQ(text, Expand(kMember));
}

TEST(HeaderTest, OfOneThatIsToJoin) {
  auto header = Parse(kJoining);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_TRUE(header->cluster_id.is_zero());
  EXPECT_EQ(header->remote_addresses, (std::vector<std::string>{"tcp:127.0.0.1:2", "ssl:h:3"}));
  std::string text;
  AppendHeader(*header, &text);
  EXPECT_EQ(text, Expand(kJoining));

  header->cluster_id = kCluster;
  text.clear();
  AppendHeader(*header, &text);
  EXPECT_EQ(Parse(text)->cluster_id, kCluster);
}

TEST(HeaderTest, MayLackTheTimerAndTheData) {
  auto header = Parse(With(kMember, R"("prev_election_timer":2000,)", ""));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->snapshot.election_timer_ms, kDefaultElectionTimerMs);
  header->snapshot.election_timer_ms = 0;
  header->snapshot_data = nullptr;
  std::string text;
  AppendHeader(*header, &text);
  EXPECT_EQ(text, Expand(With(With(kMember, R"("prev_election_timer":2000,)", ""),
                              R"([{"name":"D"},{}])", "null")));
}

// The words are those of OVS 3.5.
TEST(HeaderTest, SaysWhatIsWrong) {
  const std::string failed = "syntax error: Parsing raft header failed: ";
  const auto broken = [](absl::string_view piece, absl::string_view by) {
    return HeaderError(With(kMember, piece, by));
  };
  const auto missing = [&failed](absl::string_view name) {
    return absl::StrCat(failed, "Required '", name, "' member is missing.");
  };
  EXPECT_EQ(HeaderError("5"), failed + "Object expected.");
  EXPECT_EQ(broken(R"("server_id":"$A",)", ""), missing("server_id"));
  EXPECT_EQ(broken(R"("local_address":"tcp:127.0.0.1:1",)", ""), missing("local_address"));
  EXPECT_EQ(broken(R"("name":"D","cluster_id")", R"("cluster_id")"), missing("name"));
  EXPECT_EQ(broken(R"("cluster_id":"$C",)", ""), missing("cluster_id"));
  EXPECT_EQ(broken(R"("prev_term":3,)", ""), missing("prev_term"));
  EXPECT_EQ(broken(R"("prev_index":7,)", ""), missing("prev_index"));
  EXPECT_EQ(broken(R"("prev_eid":"$E",)", ""), missing("prev_eid"));
  EXPECT_EQ(broken(R"("prev_servers":{"$A":"tcp:127.0.0.1:1"},)", ""), missing("prev_servers"));
  EXPECT_EQ(broken(R"(,"prev_data":[{"name":"D"},{}])", ""), missing("prev_data"));
  EXPECT_EQ(broken(R"("server_id":"$A")", R"("server_id":["uuid","$A"])"),
            failed + "Type mismatch for member 'server_id'.");
  EXPECT_EQ(broken(R"("server_id":"$A")", R"("server_id":"$Ax")"),
            failed + "server_id is not a valid UUID");
  EXPECT_EQ(broken(R"("server_id":"$A")", R"("server_id":"$0")"),
            failed + "server_id is all zeros");
  EXPECT_EQ(broken(R"("prev_eid":"$E")", R"("prev_eid":"")"),
            failed + "prev_eid is not a valid UUID");
  EXPECT_EQ(broken(":3,", ":-3,"), failed + "prev_term is negative");
  EXPECT_EQ(broken(":7,", ":9223372036854775808,"),
            failed + "Type mismatch for member 'prev_index'.");
  EXPECT_EQ(broken(":7,", ":7.5,"), failed + "Type mismatch for member 'prev_index'.");
  EXPECT_EQ(broken(":2000,", ":600001,"),
            failed + "prev_election_timer is not between 100 and 600000");
  EXPECT_EQ(broken(R"([{"name":"D"},{}])", "null"),
            failed + "Type mismatch for member 'prev_data'.");
  EXPECT_EQ(broken(R"({"$A":"tcp:127.0.0.1:1"})", "{}"),
            "syntax error: must have at least one server");
  EXPECT_EQ(broken(R"({"server_id")", R"({"x":1,"server_id")"),
            failed + "Member 'x' is present but not allowed here.");

  const auto joining = [](absl::string_view remotes, absl::string_view more = "") {
    return HeaderError(
        With(kJoining, R"(["tcp:127.0.0.1:2","ssl:h:3"])", absl::StrCat(remotes, more)));
  };
  EXPECT_EQ(joining("[]"), "syntax error: at least one remote address is required");
  EXPECT_EQ(joining("[5]"), "syntax error: server address is not string");
  EXPECT_EQ(joining(R"(["foo"])"), "ovsdb error: foo: expected \"tcp\" or \"ssl\" address");
  EXPECT_EQ(joining(R"(["tcp:127.0.0.1:1"])"),
            failed + "at least one remote address (other than the local address) is required");
  EXPECT_EQ(joining(R"(["tcp:h:1"])", R"(,"prev_term":1)"),
            failed + "Member 'prev_term' is present but not allowed here.");
}

TEST(RecordTest, KeepsItsText) {
  for (const absl::string_view text : {
           R"({"term":3,"index":5})",
           R"({"eid":"$E","data":[null,{"T":{"x":null},"r":1.5}],"term":3,"index":5})",
           R"({"servers":{"$A":"tcp:h:1","$B":"ssl:[::1]:2"},"term":3,"index":5})",
           R"({"election_timer":600000,"term":3,"index":9223372036854775807})",
           R"({"term":0})",
           R"({"vote":"$A","term":3})",
           R"({"leader":"$B","term":3})",
           R"({"commit_index":0})",
           R"({"note":"left"})",
           R"({"comment":"so be it","note":"transfer leadership"})",
           R"({"comment":"x","note":"of a later version"})",
           R"({"comment":"x","term":3,"index":5})",
       }) {
    const auto record = ParseOne(text);
    ASSERT_TRUE(record.ok()) << record.status() << text;
    std::string again;
    AppendRecord(*record, &again);
    EXPECT_EQ(again, Expand(text));
  }
  EXPECT_EQ(std::get<NoteRecord>(ParseOne(R"({"note":"left"})")->body).note, Note::kLeft);
  EXPECT_EQ(std::get<NoteRecord>(ParseOne(R"({"note":"?"})")->body).note, Note::kOther);
}

TEST(RecordTest, SaysWhatIsWrong) {
  const std::string failed = "syntax error: Parsing raft log record failed: ";
  const auto mismatch = [&failed](absl::string_view name) {
    return absl::StrCat(failed, "Type mismatch for member '", name, "'.");
  };
  const auto excess = [&failed](absl::string_view name) {
    return absl::StrCat(failed, "Member '", name, "' is present but not allowed here.");
  };
  EXPECT_EQ(RecordError("[]"), failed + "Object expected.");
  for (const absl::string_view text :
       {"{}", R"({"comment":"x"})", R"({"index":2})", R"({"vote":"$A"})", R"({"leader":"$A"})"}) {
    EXPECT_EQ(RecordError(text), failed + "Required 'term' member is missing.");
  }
  for (const absl::string_view value : {"1.5", "\"1\"", "null", "9223372036854775808", "[1]"}) {
    EXPECT_EQ(RecordError(absl::StrCat("{\"term\":", value, "}")), mismatch("term"));
    EXPECT_EQ(RecordError(absl::StrCat("{\"term\":1,\"index\":", value, "}")), mismatch("index"));
    EXPECT_EQ(RecordError(absl::StrCat("{\"commit_index\":", value, "}")),
              mismatch("commit_index"));
  }
  EXPECT_EQ(RecordError(R"({"term":-1})"), failed + "term is negative");
  EXPECT_EQ(RecordError(R"({"commit_index":-1})"), failed + "commit_index is negative");
  EXPECT_EQ(RecordError(R"({"term":1,"x":1})"), excess("x"));
  EXPECT_EQ(RecordError(R"({"term":1,"x":1,"y":2})"),
            failed + "Member 'x' and 1 other member are present but not allowed here.");
  EXPECT_EQ(RecordError(R"({"term":1,"servers":{"$A":"tcp:h:1"}})"), excess("servers"));
  EXPECT_EQ(RecordError(R"({"term":1,"election_timer":1000})"), excess("election_timer"));
  EXPECT_EQ(RecordError(R"({"term":1,"commit_index":1})"), excess("term"));
  EXPECT_EQ(RecordError(R"({"note":"left","term":1})"), excess("term"));
  EXPECT_EQ(RecordError(R"({"term":1,"vote":"$A","leader":"$A"})"), excess("vote"));
  EXPECT_EQ(RecordError(R"({"term":1,"vote":"$A","index":2})"), excess("index"));
  EXPECT_EQ(RecordError(R"({"term":1,"vote":"x"})"), failed + "vote is not a valid UUID");
  EXPECT_EQ(RecordError(R"({"term":1,"vote":"$0"})"), failed + "record votes for all-zeros SID");
  EXPECT_EQ(RecordError(R"({"term":1,"leader":"$0"})"), failed + "leader is all zeros");
  EXPECT_EQ(RecordError(R"({"note":5})"), mismatch("note"));
  EXPECT_EQ(RecordError(R"({"term":1,"comment":5})"), mismatch("comment"));
  EXPECT_EQ(RecordError(R"({"term":1,"index":2,"data":[]})"),
            failed + "Required 'eid' member is missing.");
  EXPECT_EQ(RecordError(R"({"term":1,"index":2,"eid":"$E"})"), excess("eid"));
  EXPECT_EQ(RecordError(R"({"term":1,"index":2,"data":null,"eid":"$E"})"), mismatch("data"));
  EXPECT_EQ(RecordError(R"({"term":1,"index":2,"data":[],"eid":"x"})"),
            failed + "eid is not a valid UUID");
  EXPECT_EQ(RecordError(R"({"term":1,"index":2,"servers":{}})"),
            "syntax error: must have at least one server");
}

}  // namespace
}  // namespace raft

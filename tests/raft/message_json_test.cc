#include "raft/message_json.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"

namespace raft {
namespace {

constexpr ServerId kA{0xaaaaaaaa00004000, 0x8000000000000001};
constexpr ServerId kB{0xbbbbbbbb00004000, 0x8000000000000002};
constexpr ClusterId kCluster{0xcccccccc00004000, 0x8000000000000003};
constexpr EntryId kEid{0xeeeeeeee00004000, 0x800000000000000e};

// In these texts $A and so on stand for UUIDs, and $HEAD for what all messages begin with.
std::string Expand(absl::string_view text) {
  const std::string head = "\"cluster\":\"$C\",\"to\":\"$B\",\"from\":\"$A\"";
  return absl::StrReplaceAll(absl::StrReplaceAll(text, {{"$HEAD", head}}),
                             {{"$A", kA.ToString()},
                              {"$B", kB.ToString()},
                              {"$C", kCluster.ToString()},
                              {"$E", kEid.ToString()},
                              {"$0", ServerId().ToString()}});
}

absl::StatusOr<Message> Parse(absl::string_view method, absl::string_view object) {
  const auto params = ovsdb::ParseJson(Expand(absl::StrCat("[", object, "]")));
  EXPECT_TRUE(params.ok()) << params.status() << object;
  return ParseMessage(method, *params);
}

Payload Text(absl::string_view text) { return std::make_shared<const std::string>(text); }

ServersRef SomeServers() {
  return std::make_shared<const Servers>(
      Servers{{kA, "tcp:127.0.0.1:6643"}, {kB, "ssl:[::1]:6643"}});
}

struct Example {
  absl::string_view method;
  decltype(Message::body) body;
  absl::string_view members;  // Beside the common ones.
};

Entry DataEntry() {
  Entry entry{.term = 3, .data = Text(R"([null,{"T":{}}])"), .eid = kEid};
  return entry;
}

InstallSnapshotRequest SnapshotRequest() {
  InstallSnapshotRequest request{.term = 4, .data = Text("[{},{}]")};
  request.snapshot = {
      .term = 3, .index = 9, .eid = kEid, .servers = SomeServers(), .election_timer_ms = 2000};
  return request;
}

constexpr char kServersText[] = R"({"$A":"tcp:127.0.0.1:6643","$B":"ssl:[::1]:6643"})";

// One of each kind, and of each way it can be written.
std::vector<Example> Examples() {
  return {
      {"hello_request", HelloRequest{"tcp:127.0.0.1:6643"}, R"("address":"tcp:127.0.0.1:6643")"},
      {"append_request", AppendRequest{5, 6, 4, 3, {}},
       R"("term":5,"prev_log_index":6,"prev_log_term":4,"leader_commit":3,"log":[])"},
      {"append_request",
       AppendRequest{5,
                     6,
                     3,
                     (uint64_t{1} << 63) - 1,
                     {Entry{.term = 3}, DataEntry(), Entry{.term = 5, .servers = SomeServers()},
                      Entry{.term = 5, .election_timer_ms = 100}}},
       R"("term":5,"prev_log_index":6,"prev_log_term":3,"leader_commit":9223372036854775807,"log":[)"
       R"({"term":3},{"eid":"$E","data":[null,{"T":{}}],"term":3},)"
       R"({"servers":$SERVERS,"term":5},{"election_timer":100,"term":5}])"},
      {"append_reply", AppendReply{5, 7, 6, 4, 2, AppendResult::kOk},
       R"("term":5,"log_end":7,"prev_log_index":6,"prev_log_term":4,"n_entries":2,"result":"OK")"},
      {"append_reply", AppendReply{5, 7, 6, 4, 2, AppendResult::kInconsistency},
       R"("term":5,"log_end":7,"prev_log_index":6,"prev_log_term":4,"n_entries":2,)"
       R"("result":"inconsistency")"},
      {"append_reply", AppendReply{5, 7, 6, 4, 2, AppendResult::kIoError},
       R"("term":5,"log_end":7,"prev_log_index":6,"prev_log_term":4,"n_entries":2,)"
       R"("result":"I/O error")"},
      {"vote_request", VoteRequest{5, 6, 4, false, false},
       R"("term":5,"last_log_index":6,"last_log_term":4)"},
      {"vote_request", VoteRequest{5, 6, 4, true, true},
       R"("term":5,"last_log_index":6,"last_log_term":4,"leadership_transfer":true,)"
       R"("is_prevote":true)"},
      {"vote_reply", VoteReply{5, kB, false}, R"("term":5,"vote":"$B")"},
      {"vote_reply", VoteReply{5, {}, true}, R"("term":5,"vote":"$0","is_prevote":true)"},
      {"add_server_request", AddServerRequest{"unix:x"}, R"("address":"unix:x")"},
      {"add_server_reply", AddServerReply{false, {}}, R"("success":false)"},
      {"add_server_reply", AddServerReply{true, {"tcp:h:1", "ssl:h:2"}},
       R"("success":true,"remote_addresses":["tcp:h:1","ssl:h:2"])"},
      {"remove_server_request", RemoveServerRequest{kB}, R"("server_id":"$B")"},
      {"remove_server_reply", RemoveServerReply{true, {}}, R"("success":true)"},
      {"remove_server_reply", RemoveServerReply{false, kB},
       R"("success":false,"target_server":"$B")"},
      {"install_snapshot_request", SnapshotRequest(),
       R"("term":4,"last_index":9,"last_term":3,"last_servers":$SERVERS,"last_eid":"$E",)"
       R"("election_timer":2000,"data":[{},{}])"},
      {"install_snapshot_reply", InstallSnapshotReply{4, 9, 3},
       R"("term":4,"last_index":9,"last_term":3)"},
      {"become_leader", BecomeLeader{5}, R"("term":5)"},
      {"execute_command_request", ExecuteRequest{Text(R"([null,{"a":"b\n","c":1.5}])"), kB, kEid},
       R"("data":[null,{"a":"b\n","c":1.5}],"prereq":"$B","result":"$E")"},
      {"execute_command_reply", ExecuteReply{kEid, CommandStatus::kSuccess, 12},
       R"("result":"$E","status":"success","commit_index":12)"},
      {"execute_command_reply", ExecuteReply{kEid, CommandStatus::kBadPrereq, 0},
       R"("result":"$E","status":"prerequisite check failed")"},
      {"execute_command_reply", ExecuteReply{kEid, CommandStatus::kIncomplete, 0},
       R"("result":"$E","status":"operation still in progress")"},
  };
}

std::string TextOf(const Example& example) {
  return Expand(absl::StrReplaceAll(absl::StrCat("{$HEAD,", example.members, "}"),
                                    {{"$SERVERS", kServersText}}));
}

TEST(MessageJsonTest, EveryMessageHasItsText) {
  for (const Example& example : Examples()) {
    const Message message{.cluster = kCluster, .to = kB, .from = kA, .body = example.body};
    std::string text;
    AppendMessage(message, &text);
    EXPECT_EQ(MethodName(message), example.method);
    EXPECT_EQ(text, TextOf(example));
  }
}

TEST(MessageJsonTest, EveryTextHasItsMessage) {
  for (const Example& example : Examples()) {
    const std::string text = TextOf(example);
    const auto message = Parse(example.method, text);
    ASSERT_TRUE(message.ok()) << message.status() << text;
    EXPECT_EQ(message->body.index(), example.body.index());
    EXPECT_EQ(message->cluster, kCluster);
    EXPECT_EQ(message->to, kB);
    EXPECT_EQ(message->from, kA);
    std::string again;
    AppendMessage(*message, &again);
    EXPECT_EQ(again, text);
  }
}

// Takes each member out of each message, puts in something of each other type, adds one.
TEST(MessageJsonTest, RefusesMissingUnknownAndMistypedMembers) {
  const std::vector<std::string> optional = {"leadership_transfer", "is_prevote",
                                             "remote_addresses", "target_server", "commit_index"};
  for (const Example& example : Examples()) {
    auto json = ovsdb::ParseJson(TextOf(example));
    ASSERT_TRUE(json.ok());
    for (const auto& member : json->GetObject()) {
      const std::string name = member.name.GetString();
      ovsdb::JsonDocument copy;
      copy.CopyFrom(*json, copy.GetAllocator());
      for (const absl::string_view value :
           {"null", "-1", "0.5", "9223372036854775808", "\"\x7f\"", "[[5]]", "{\"\":5}", "1e300"}) {
        const bool fits = (name == "address" && value[0] == '"') ||
                          (name == "data" && (value[0] == '[' || value[0] == '{')) ||
                          (name == "prev_log_index" && value == "-1" &&
                           example.method == "append_request");  // See below.
        if (fits) continue;
        copy[name].CopyFrom(*ovsdb::ParseJson(value), copy.GetAllocator());
        const auto status = Parse(example.method, ovsdb::JsonText(copy)).status();
        EXPECT_FALSE(status.ok()) << ovsdb::JsonText(copy);
        EXPECT_TRUE(ovsdb::IsOvsdbError(status)) << status;
      }
      copy.RemoveMember(name);
      const bool may_lack = std::find(optional.begin(), optional.end(), name) != optional.end() ||
                            (name == "to" && (example.method == "hello_request" ||
                                              example.method == "add_server_request")) ||
                            (name == "cluster" && example.method == "add_server_request");
      EXPECT_EQ(Parse(example.method, ovsdb::JsonText(copy)).ok(), may_lack)
          << ovsdb::JsonText(copy);
    }
    json->AddMember("x", 1, json->GetAllocator());
    EXPECT_FALSE(Parse(example.method, ovsdb::JsonText(*json)).ok());
  }
}

// Which one of stock's does that has been refused too often.
TEST(MessageJsonTest, ALeaderMayHaveCountedBackBelowZero) {
  const auto message =
      Parse("append_request",
            R"({$HEAD,"term":2,"prev_log_index":-1,"prev_log_term":0,"leader_commit":5,"log":[]})");
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(std::get<AppendRequest>(message->body).prev_log_index, 0);
  EXPECT_FALSE(
      Parse("append_request",
            R"({$HEAD,"term":2,"prev_log_index":-2,"prev_log_term":0,"leader_commit":5,"log":[]})")
          .ok());
}

std::string ErrorOf(absl::string_view method, absl::string_view object) {
  const absl::Status status = Parse(method, object).status();
  return status.ok() ? "" : absl::StrCat(ovsdb::ErrorString(status), ": ", status.message());
}

// The words are those of OVS 3.5.
TEST(MessageJsonTest, SaysWhatIsWrong) {
  EXPECT_EQ(ErrorOf("foo", "{}"), "ovsdb error: unknown method foo");
  EXPECT_EQ(ErrorOf("hello_request", ""),
            "ovsdb error: hello_request RPC has 0 parameters (expected 1)");
  EXPECT_EQ(ErrorOf("hello_request", "{},{}"),
            "ovsdb error: hello_request RPC has 2 parameters (expected 1)");
  EXPECT_EQ(ErrorOf("hello_request", "5"),
            "syntax error: Parsing raft hello_request RPC failed: Object expected.");
  EXPECT_EQ(ErrorOf("hello_request", "{$HEAD}"),
            "syntax error: Parsing raft hello_request RPC failed: "
            "Required 'address' member is missing.");
  EXPECT_EQ(ErrorOf("hello_request", R"({$HEAD,"address":"tcp:h:1","x":1})"),
            "syntax error: Parsing raft hello_request RPC failed: "
            "Member 'x' is present but not allowed here.");
  EXPECT_EQ(ErrorOf("vote_request", R"({$HEAD,"term":9223372036854775808})"),
            "syntax error: Parsing raft vote_request RPC failed: "
            "Type mismatch for member 'term'.");
  EXPECT_EQ(ErrorOf("become_leader", R"({$HEAD,"term":-1})"),
            "syntax error: Parsing raft become_leader RPC failed: term is negative");
  EXPECT_EQ(ErrorOf("become_leader", R"({"cluster":"x","to":"$B","from":"$A","term":1})"),
            "syntax error: Parsing raft become_leader RPC failed: cluster is not a valid UUID");
  EXPECT_EQ(ErrorOf("become_leader", R"({"cluster":"$C","to":"$B","from":"$0","term":1})"),
            "syntax error: Parsing raft become_leader RPC failed: from is all zeros");
  EXPECT_EQ(ErrorOf("execute_command_reply", R"({$HEAD,"result":"$E","status":"foo"})"),
            "syntax error: Parsing raft execute_command_reply RPC failed: unknown status \"foo\"");
  EXPECT_EQ(ErrorOf("add_server_reply", R"({$HEAD,"success":true,"remote_addresses":[]})"),
            "syntax error: at least one remote address is required");
  EXPECT_EQ(ErrorOf("add_server_reply", R"({$HEAD,"success":true,"remote_addresses":["foo"]})"),
            "ovsdb error: foo: expected \"tcp\" or \"ssl\" address");
}

std::string EntryError(absl::string_view entry) {
  return ErrorOf("append_request",
                 absl::StrCat(R"({$HEAD,"term":5,"prev_log_index":6,"prev_log_term":4,)",
                              R"("leader_commit":3,"log":[{"term":3},)", entry, "]}"));
}

TEST(MessageJsonTest, LooksIntoEntries) {
  const std::string failed = "syntax error: Parsing raft log entry failed: ";
  EXPECT_EQ(EntryError(R"({"term":3})"), "");
  EXPECT_EQ(EntryError(R"({"term":3.0})"), "");
  EXPECT_EQ(EntryError("5"), failed + "Object expected.");
  EXPECT_EQ(EntryError("{}"), failed + "Required 'term' member is missing.");
  EXPECT_EQ(EntryError(R"({"term":3,"data":[]})"), failed + "Required 'eid' member is missing.");
  EXPECT_EQ(EntryError(R"({"term":3,"data":5,"eid":"$E"})"),
            failed + "Type mismatch for member 'data'.");
  EXPECT_EQ(EntryError(R"({"term":3,"eid":"$E"})"),
            failed + "Member 'eid' is present but not allowed here.");
  EXPECT_EQ(EntryError(R"({"term":3,"comment":"x"})"),
            failed + "Member 'comment' is present but not allowed here.");
  EXPECT_EQ(EntryError(R"({"term":3,"election_timer":99})"),
            failed + "election_timer is not between 100 and 600000");
  EXPECT_EQ(EntryError(R"({"term":3,"servers":{}})"),
            "syntax error: must have at least one server");
  EXPECT_EQ(EntryError(R"({"term":3,"servers":{"x":"tcp:h:1"}})"), "syntax error: x is not a UUID");
  EXPECT_EQ(EntryError(R"({"term":3,"servers":{"$A":5}})"),
            "syntax error: server address is not string");
  EXPECT_EQ(EntryError(R"({"term":3,"servers":{"$A":"tcp:h"}})"),
            "ovsdb error: tcp:h: syntax error in address");
}

TEST(MessageJsonTest, KnowsAddresses) {
  const auto error = [](absl::string_view address) {
    return EntryError(absl::StrCat(R"({"term":3,"servers":{"$A":")", address, "\"}}"));
  };
  for (const absl::string_view good :
       {"tcp:1.2.3.4:5", "ssl:[::1]:65535", "tcp:h:0", "tcp:[fe80::1%eth0]:05", "unix:x"}) {
    EXPECT_EQ(error(good), "") << good;
  }
  for (const absl::string_view bad :
       {"tcp:::1:5", "tcp:h:x", "tcp:h:-1", "tcp:h:65536", "tcp:h:5x", "tcp:[::1]", "tcp:[::1]5",
        "tcp:", "tcp:[::1:5", "tcp:1:2:3", "tcp:h:5 ", "tcp:h: 5", "tcp:h:0x10"}) {
    EXPECT_EQ(error(bad), absl::StrCat("ovsdb error: ", bad, ": syntax error in address"));
  }
  for (const absl::string_view foreign : {"", "udp:h:5", "TCP:h:5", "h:5"}) {
    EXPECT_EQ(error(foreign),
              absl::StrCat("ovsdb error: ", foreign, ": expected \"tcp\" or \"ssl\" address"));
  }
}

TEST(MessageJsonTest, OmitsWhatIsNotKnown) {
  Message message{.from = kA, .comment = "a \"word\"", .body = AddServerRequest{"tcp:h:1"}};
  std::string text;
  AppendMessage(message, &text);
  EXPECT_EQ(text, Expand(R"({"from":"$A","comment":"a \"word\"","address":"tcp:h:1"})"));
  const auto parsed = Parse("add_server_request", text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(parsed->cluster.is_zero());
  EXPECT_TRUE(parsed->to.is_zero());
  EXPECT_EQ(parsed->comment, "a \"word\"");
}

}  // namespace
}  // namespace raft

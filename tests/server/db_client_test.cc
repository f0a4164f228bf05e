#include "server/client/db_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base_test_util.h"
#include "ovsdb/error.h"
#include "scripted_server.h"
#include "server/base/jsonrpc.h"

namespace server {
namespace {

using Strings = std::vector<std::string>;

constexpr char kSchema[] = R"({"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}}}}})";
constexpr char kOtherSchema[] = R"({"name":"D","tables":{"U":{"columns":{}}}})";
constexpr char kZero[] = "00000000-0000-0000-0000-000000000000";
constexpr char kFirst[] = "00000000-0000-0000-0000-000000000001";
constexpr char kSecond[] = "00000000-0000-0000-0000-000000000002";
constexpr char kStandalone[] = R"("model":"standalone","connected":true,"leader":true,)";

std::string Cluster(absl::string_view members) {
  return absl::StrCat(R"("model":"clustered",)", members);
}

std::string SinceReply(bool found, absl::string_view id, absl::string_view updates = "{}") {
  return absl::StrCat("[", found ? "true" : "false", ",\"", id, "\",", updates, "]");
}

TEST(SplitRemotesTest, CommasBeforeTargetsDivide) {
  EXPECT_EQ(SplitRemotes("tcp:1.2.3.4:6642"), (Strings{"tcp:1.2.3.4:6642"}));
  EXPECT_EQ(SplitRemotes("tcp:[::1]:1,ssl:h:2, unix:/a"),
            (Strings{"tcp:[::1]:1", "ssl:h:2", "unix:/a"}));
  EXPECT_EQ(SplitRemotes("unix:/a,b,unix:/c,,tcp:h:1"),
            (Strings{"unix:/a,b", "unix:/c,", "tcp:h:1"}));
  EXPECT_EQ(SplitRemotes("unix:/a,"), (Strings{"unix:/a,"}));
  EXPECT_EQ(SplitRemotes(""), (Strings{""}));
  EXPECT_EQ(SplitRemotes(","), (Strings{","}));
}

class DbClientTest : public testing::Test, public DbClient::Handler {
 protected:
  std::unique_ptr<ScriptedServer> MakeServer(const std::string& name,
                                             const std::string& row = kStandalone) {
    auto server = std::make_unique<ScriptedServer>(&loop_, dir_ / name);
    server->Serve(row, kSchema, "{\"v2\":{}}", SinceReply(false, kFirst, "{\"v3\":{}}"));
    return server;
  }
  void Connect(std::vector<std::string> remotes) {
    options_.database = "D";
    options_.max_backoff_ms = 1000;
    options_.remotes = std::move(remotes);
    client_ =
        std::make_unique<DbClient>(base::StreamContext{&loop_, nullptr}, options_, &uuids_, this);
  }
  template <typename Condition>
  bool Until(Condition condition) {
    return base::RunUntil(&loop_, condition);
  }
  bool UntilContents() {
    return Until([&] { return client_->monitoring() && !told_.empty(); });
  }
  Strings TakeTold() { return std::exchange(told_, {}); }

  // DbClient::Handler
  std::optional<std::string> OnSchema(const ovsdb::Json& schema) override {
    schema_ = ovsdb::JsonText(schema);
    return "{\"T\":{}}";
  }
  absl::Status OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                          const ovsdb::Uuid& txn_id) override {
    told_.push_back(absl::StrCat("contents ", ovsdb::JsonText(updates), " ", txn_id.ToString()));
    return absl::OkStatus();
  }
  absl::Status OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                         const ovsdb::Uuid& txn_id) override {
    told_.push_back(absl::StrCat("updates ", ovsdb::JsonText(updates), " ", txn_id.ToString()));
    return update_status_;
  }
  void OnNoDatabase() override { n_no_database_++; }
  void OnDisconnected() override { n_disconnected_++; }

  base::TempDir dir_;
  base::Loop loop_;
  ovsdb::UuidGenerator uuids_{1};
  DbClient::Options options_;
  int n_disconnected_ = 0;
  int n_no_database_ = 0;
  std::string schema_;
  Strings told_;
  absl::Status update_status_;
  std::unique_ptr<DbClient> client_;
};

TEST_F(DbClientTest, AsksInOrderAndTellsWhatChanges) {
  auto server = MakeServer("s");
  Connect({server->remote()});
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(TakeTold(), (Strings{absl::StrCat("contents {\"v3\":{}} ", kFirst)}));
  EXPECT_EQ(schema_, kSchema);
  ASSERT_TRUE(Until([&] { return server->Count("set_db_change_aware") == 1; }));
  EXPECT_EQ(
      server->TakeRequests(),
      (Strings{R"(get_schema ["_Server"])",
               R"(monitor_cond ["_Server",["monid","_Server"],{"Database":[{"columns":[)"
               R"("connected","index","leader","model","name","schema"]}]}])",
               R"(get_schema ["D"])",
               absl::StrCat(R"(monitor_cond_since ["D",["monid","D"],{"T":{}},")", kZero, "\"]"),
               "set_db_change_aware [true]"}));
  server->Notify("update3", absl::StrCat(R"([["monid","D"],")", kSecond, R"(",{"T":{}}])"));
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(TakeTold(), (Strings{absl::StrCat("updates {\"T\":{}} ", kSecond)}));
}

TEST_F(DbClientTest, AsksAReturningServerForWhatItMissed) {
  auto server = MakeServer("s");
  Connect({server->remote()});
  ASSERT_TRUE(UntilContents());
  TakeTold();
  server->Answer("monitor_cond_since", "\"D\"", SinceReply(true, kSecond, "{\"missed\":{}}"));
  server->Disconnect();
  server->TakeRequests();
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(TakeTold(), (Strings{absl::StrCat("updates {\"missed\":{}} ", kSecond)}));
  EXPECT_EQ(n_disconnected_, 1);
  EXPECT_EQ(server->n_connections, 2);
  EXPECT_EQ(server->TakeRequests()[3],
            absl::StrCat(R"(monitor_cond_since ["D",["monid","D"],{"T":{}},")", kFirst, "\"]"));
}

TEST_F(DbClientTest, AsksOldServersInOldWays) {
  auto server = std::make_unique<ScriptedServer>(&loop_, dir_ / "s");
  server->Answer("get_schema", "\"D\"", kSchema);
  server->Answer("monitor", "\"D\"", "{\"v1\":{}}");
  Connect({server->remote()});
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(TakeTold(), (Strings{absl::StrCat("contents {\"v1\":{}} ", kZero)}));
  server->Notify("update", R"([["monid","D"],{"T":{}}])");
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(TakeTold(), (Strings{absl::StrCat("updates {\"T\":{}} ", kZero)}));

  server->Answer("monitor_cond", "\"D\"", "{\"v2\":{}}");
  server->Disconnect();
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(TakeTold(), (Strings{absl::StrCat("contents {\"v2\":{}} ", kZero)}));
}

TEST_F(DbClientTest, BeginsAnewWhenTheSchemaChanges) {
  auto server = MakeServer("s");
  Connect({server->remote()});
  ASSERT_TRUE(UntilContents());
  TakeTold();
  server->Answer("get_schema", "\"D\"", kOtherSchema);
  server->Notify("monitor_canceled", R"([["monid","D"]])");
  server->TakeRequests();
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(schema_, kOtherSchema);
  // With another schema nothing of what was told holds any more.
  const Strings requests = server->TakeRequests();
  EXPECT_TRUE(std::any_of(requests.begin(), requests.end(), [](const std::string& request) {
    return request ==
           absl::StrCat(R"(monitor_cond_since ["D",["monid","D"],{"T":{}},")", kZero, "\"]");
  })) << testing::PrintToString(requests);
  EXPECT_EQ(server->n_connections, 1);
}

TEST_F(DbClientTest, AsksForEverythingAfterUpdatesThatDoNotFit) {
  auto server = MakeServer("s");
  Connect({server->remote()});
  ASSERT_TRUE(UntilContents());
  TakeTold();
  update_status_ = ovsdb::Error("bad", "it does not fit");
  server->TakeRequests();
  server->Notify("update3", absl::StrCat(R"([["monid","D"],")", kSecond, R"(",{"T":{}}])"));
  ASSERT_TRUE(Until([&] { return server->n_connections == 2 && client_->monitoring(); }));
  EXPECT_EQ(server->TakeRequests()[3],
            absl::StrCat(R"(monitor_cond_since ["D",["monid","D"],{"T":{}},")", kZero, "\"]"));
}

TEST_F(DbClientTest, SurvivesNonsense) {
  auto server = MakeServer("s");
  server->Answer("monitor_cond_since", "\"D\"", "[false,7,{}]");
  Connect({server->remote()});
  ASSERT_TRUE(Until([&] { return server->n_connections == 2; }));
  server->Answer("monitor_cond_since", "\"D\"", SinceReply(false, kFirst));
  ASSERT_TRUE(UntilContents());
  for (const char* params : {"[]", "[5]", "[[\"monid\"],{}]", "[[\"monid\",\"D\"]]"}) {
    for (const char* method : {"update", "update2", "update3", "strange"}) {
      server->Notify(method, params);
    }
  }
  server->Notify("monitor_canceled", "[]");
  server->Notify("update3", R"([["monid","D"],"x",{}])");
  ASSERT_TRUE(Until([&] { return server->n_connections == 3 && client_->monitoring(); }));
  server->Notify("update2", R"([["monid","_Server"],{"Database":5}])");
  ASSERT_TRUE(Until([&] { return server->n_connections == 4 && client_->monitoring(); }));
}

TEST_F(DbClientTest, RequestsAreAnsweredOrLost) {
  auto server = MakeServer("s");
  Connect({server->remote()});
  ASSERT_TRUE(UntilContents());
  Strings answers;
  auto note = [&](const base::JsonRpcMessage* reply) {
    answers.push_back(reply == nullptr ? "lost" : ovsdb::JsonText(reply->result()));
  };
  server->Answer("transact", "\"D\"", "[{}]");
  client_->Request("transact", "[\"D\"]", note);
  ASSERT_TRUE(Until([&] { return answers.size() == 1; }));
  server->Answer("transact", "\"D\"", "");
  client_->Request("transact", "[\"D\"]", note);
  ASSERT_TRUE(Until([&] { return server->Count("transact") == 2; }));
  server->Disconnect();
  ASSERT_TRUE(Until([&] { return answers.size() == 2; }));
  EXPECT_EQ(answers, (Strings{"[{}]", "lost"}));
}

TEST_F(DbClientTest, OtherRemotesMeanAnotherConnection) {
  auto one = MakeServer("one");
  auto two = MakeServer("two");
  Connect({one->remote()});
  ASSERT_TRUE(UntilContents());
  TakeTold();
  options_.probe_interval_ms = 7000;
  client_->SetOptions(options_);
  EXPECT_TRUE(client_->monitoring());
  bool lost = false;
  one->Answer("transact", "\"D\"", "");
  client_->Request("transact", "[\"D\"]", [&](const auto* reply) { lost = reply == nullptr; });
  options_.remotes = {two->remote()};
  client_->SetOptions(options_);
  EXPECT_TRUE(lost);
  EXPECT_EQ(n_disconnected_, 1);
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(client_->remote(), two->remote());
  EXPECT_EQ(one->n_connections, 1);
}

TEST_F(DbClientTest, GoesOnWhereTheDatabaseIs) {
  auto one = MakeServer("one");
  auto two = MakeServer("two");
  one->Answer("monitor_cond", "\"_Server\"", "{}");
  Connect({one->remote(), two->remote()});
  ASSERT_TRUE(UntilContents());
  EXPECT_EQ(client_->remote(), two->remote());
  EXPECT_EQ(n_no_database_, one->n_connections);
}

// Of a cluster.

TEST_F(DbClientTest, LeavesMembersThatWillNotDo) {
  for (const char* members :
       {R"("connected":false,"leader":true,)", R"("connected":true,"leader":false,)"}) {
    auto one = MakeServer("one", Cluster(members));
    auto two = MakeServer("two", Cluster(R"("connected":true,"leader":true,)"));
    options_.leader_only = true;
    Connect({one->remote(), two->remote()});
    ASSERT_TRUE(UntilContents()) << members;
    EXPECT_EQ(client_->remote(), two->remote());
    client_ = nullptr;
    TakeTold();
  }
}

TEST_F(DbClientTest, DoesNotGoBackInTime) {
  auto one = MakeServer("one", Cluster(R"("connected":true,"leader":false,"index":9,)"));
  auto two = MakeServer("two", Cluster(R"("connected":true,"leader":false,"index":8,)"));
  Connect({one->remote()});
  ASSERT_TRUE(UntilContents());
  TakeTold();
  options_.remotes = {two->remote()};
  client_->SetOptions(options_);
  ASSERT_TRUE(Until([&] { return two->n_connections == 2; }));
  EXPECT_TRUE(told_.empty());
  two->Serve(Cluster(R"("connected":true,"leader":false,"index":9,)"), kSchema, "{}",
             SinceReply(true, kSecond));
  ASSERT_TRUE(UntilContents());
}

}  // namespace
}  // namespace server

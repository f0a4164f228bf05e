#include "server/db_session.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "server/hosted_database.h"
#include "server/storage_relay.h"
#include "tests/server/fake_stream.h"

namespace server {
namespace {

constexpr char kSchema[] =
    R"({"name":"D","version":"1.0.0","tables":{
        "T":{"columns":{"n":{"type":"integer"},"text":{"type":"string"}},"isRoot":true}}})";
constexpr size_t kLongText = 100000;

// The server's end of a client, and the client.
class Peer {
 public:
  Peer(Sessions* sessions, base::Loop* loop) {
    auto owned = std::make_unique<base::FakeStream>(loop);
    stream = owned.get();
    stream->SetStuck(true);
    session =
        std::make_unique<DbSession>(sessions, base::StreamContext{.loop = loop}, std::move(owned),
                                    DbSession::Options{}, DbSession::EndedCallback());
  }

  void Ask(int id, absl::string_view method, absl::string_view params) {
    stream->Receive(absl::Substitute(R"({"id":$0,"method":"$1","params":$2})", id, method, params));
  }
  void Transact(int id, absl::string_view operations) {
    Ask(id, "transact", absl::StrCat(R"(["D",)", operations, "]"));
  }
  // What it has read since the last call, message by message.
  std::vector<std::string> Read() {
    stream->ReadQueued();
    absl::string_view rest = absl::string_view(stream->sent()).substr(seen_);
    seen_ = stream->sent().size();
    std::vector<std::string> messages;
    std::string message;
    while (framer_.Next(&rest, &message).value()) messages.push_back(std::move(message));
    return messages;
  }

  base::FakeStream* stream;
  std::unique_ptr<DbSession> session;

 private:
  size_t seen_ = 0;
  base::JsonFramer framer_;
};

class DbSessionTest : public testing::Test, private Databases::Observer {
 protected:
  DbSessionTest() {
    auto database = std::make_unique<HostedDatabase>(
        &databases_.environment(), "D", "relay:D:nowhere", std::make_unique<RelayStorage>(),
        std::make_unique<ovsdb::Database>(*ovsdb::DatabaseSchema::ParseText(kSchema)));
    EXPECT_TRUE(databases_.Add(std::move(database)).ok());
  }

  void Turns(int n = 5) {
    for (int i = 0; i < n; i++) loop_.RunOnce(false);
  }
  // All that there is for `peer`, which reads as fast as it can.
  std::vector<std::string> ReadAll(Peer* peer) {
    std::vector<std::string> all;
    for (int idle = 0; idle < 10; idle++) {
      for (std::string& message : peer->Read()) {
        all.push_back(std::move(message));
        idle = 0;
      }
      Turns(1);
    }
    return all;
  }
  static std::string Row(int n) { return absl::StrCat(R"({"n":)", n, "}"); }
  static std::string LongText(int i) { return absl::StrCat(i, std::string(kLongText, 'x')); }

  base::Loop loop_;
  base::Worker worker_{&loop_};
  ovsdb::UuidGenerator uuids_{1};
  Databases databases_{&loop_, &worker_, &uuids_, this};
  Sessions sessions_{&loop_, &databases_, ovsdb::Uuid()};

 private:
  void OnAdded(HostedDatabase* database, absl::string_view reason) override {}
  void OnLeave(HostedDatabase* database) override {}
  void OnReplaced(HostedDatabase* database, absl::string_view reason) override {}
  void OnRemoved(HostedDatabase* database, absl::string_view reason) override {}
};

TEST_F(DbSessionTest, AnUpdateComesBeforeTheReplyOfItsTransaction) {
  Peer peer(&sessions_, &loop_);
  peer.Ask(1, "monitor_cond", R"(["D","m",{"T":{}}])");
  peer.Transact(2, R"({"op":"insert","table":"T","row":{"n":7}})");
  peer.Ask(3, "list_dbs", "[]");  // Asks nothing of the storage, and waits for nothing.
  const auto messages = ReadAll(&peer);
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0], R"({"id":1,"result":{},"error":null})");
  EXPECT_EQ(messages[1], R"({"id":3,"result":["D"],"error":null})");
  EXPECT_TRUE(absl::StrContains(messages[2], R"("method":"update2")")) << messages[2];
  EXPECT_TRUE(absl::StartsWith(messages[3], R"({"id":2,"result":[{"uuid":)")) << messages[3];
}

// What is executed and not committed yet must not come both as initial contents and as an update.
TEST_F(DbSessionTest, AMonitorBeginsBetweenTransactions) {
  Peer peer(&sessions_, &loop_);
  peer.Transact(1, R"({"op":"insert","table":"T","row":{"n":1}})");
  peer.Ask(2, "monitor_cond", R"(["D","m",{"T":{"columns":["n"]}}])");
  peer.Transact(3, R"({"op":"insert","table":"T","row":{"n":2}})");
  const auto messages = ReadAll(&peer);
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_TRUE(absl::StartsWith(messages[0], R"({"id":1,)"));
  EXPECT_TRUE(absl::StartsWith(messages[1], R"({"id":2,)"));
  EXPECT_TRUE(absl::StrContains(messages[1], R"({"initial":{"n":1}})")) << messages[1];
  EXPECT_TRUE(absl::StrContains(messages[2], R"({"insert":{"n":2}})")) << messages[2];
  EXPECT_FALSE(absl::StrContains(messages[2], R"("n":1)")) << messages[2];
  EXPECT_TRUE(absl::StartsWith(messages[3], R"({"id":3,)"));
}

TEST_F(DbSessionTest, AWaitHoldsUpNoOtherReply) {
  Peer peer(&sessions_, &loop_);
  peer.Transact(1, R"({"op":"wait","table":"T","where":[],"columns":["n"],"until":"==",)"
                   R"("rows":[{"n":5}]})");
  peer.Transact(2, R"({"op":"select","table":"T","where":[],"columns":["n"]})");
  const auto first = ReadAll(&peer);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0], R"({"id":2,"result":[{"rows":[]}],"error":null})");
  peer.Transact(3, R"({"op":"insert","table":"T","row":{"n":5}})");
  const auto then = ReadAll(&peer);
  ASSERT_EQ(then.size(), 2u);
  EXPECT_TRUE(absl::StartsWith(then[0], R"({"id":3,)"));
  EXPECT_EQ(then[1], R"({"id":1,"result":[{}],"error":null})");
}

TEST_F(DbSessionTest, NoticesOfLocksComeAfterTheReplies) {
  Peer first(&sessions_, &loop_);
  Peer second(&sessions_, &loop_);
  first.Ask(1, "lock", R"(["l"])");
  second.Ask(1, "lock", R"(["l"])");
  first.Ask(2, "unlock", R"(["l"])");
  first.Ask(3, "steal", R"(["l"])");
  using Messages = std::vector<std::string>;
  EXPECT_EQ(ReadAll(&first), (Messages{R"({"id":1,"result":{"locked":true},"error":null})",
                                       R"({"id":2,"result":{},"error":null})",
                                       R"({"id":3,"result":{"locked":true},"error":null})"}));
  EXPECT_EQ(ReadAll(&second), (Messages{R"({"id":1,"result":{"locked":false},"error":null})",
                                        R"({"id":null,"method":"locked","params":["l"]})",
                                        R"({"id":null,"method":"stolen","params":["l"]})"}));
  first.session.reset();
  EXPECT_EQ(ReadAll(&second), (Messages{R"({"id":null,"method":"locked","params":["l"]})"}));
}

TEST_F(DbSessionTest, ASlowReaderGetsOneMergedUpdate) {
  Peer writer(&sessions_, &loop_);
  Peer reader(&sessions_, &loop_);
  reader.Ask(1, "monitor_cond", R"(["D","m",{"T":{}}])");
  writer.Transact(1, R"({"op":"insert","table":"T","row":{"n":1}})");
  EXPECT_EQ(ReadAll(&reader).size(), 2u);
  EXPECT_EQ(writer.Read().size(), 1u);

  constexpr int kUpdates = 100;
  for (int i = 0; i < kUpdates; i++) {
    writer.Transact(i, absl::Substitute(R"({"op":"update","table":"T","where":[],)"
                                        R"("row":{"text":"$0"}})",
                                        LongText(i)));
    Turns();
    EXPECT_EQ(writer.Read().size(), 1u);
    ASSERT_LT(reader.stream->backlog(), SessionOutput::kHighWater + 2 * kLongText);
  }
  EXPECT_GT(reader.stream->backlog(), SessionOutput::kHighWater);

  const auto late = reader.Read();
  const auto merged = ReadAll(&reader);
  EXPECT_LT(late.size(), SessionOutput::kHighWater / kLongText + 2);
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_TRUE(absl::StrContains(merged[0], R"("method":"update2")"));
  EXPECT_TRUE(absl::StrContains(merged[0], absl::StrCat("\"", LongText(kUpdates - 1), "\"")));
  EXPECT_LT(merged[0].size(), 2 * kLongText);

  // It has caught up, and follows transaction by transaction again.
  for (const int n : {8, 9}) {
    writer.Transact(n, absl::Substitute(R"({"op":"insert","table":"T","row":$0})", Row(n)));
    Turns();
  }
  const auto more = ReadAll(&reader);
  ASSERT_EQ(more.size(), 2u);
  EXPECT_TRUE(absl::StrContains(more[1], R"("n":9)")) << more[1];
}

TEST_F(DbSessionTest, WhoDoesNotReadRepliesIsNotReadEither) {
  Peer peer(&sessions_, &loop_);
  peer.Transact(0, absl::Substitute(R"({"op":"insert","table":"T","row":{"text":"$0"}})",
                                    std::string(kLongText, 'x')));
  EXPECT_EQ(ReadAll(&peer).size(), 1u);
  constexpr int kRequests = 100;
  std::string requests;
  for (int i = 0; i < kRequests; i++) {
    absl::StrAppend(
        &requests, R"({"id":)", i,
        R"(,"method":"transact","params":["D",{"op":"select","table":"T","where":[]}]})");
  }
  peer.stream->Receive(requests);
  Turns(20);
  EXPECT_FALSE(peer.stream->reading());
  EXPECT_GE(peer.stream->backlog(), SessionOutput::kHighWater);
  EXPECT_LT(peer.stream->backlog(), SessionOutput::kHighWater + 2 * kLongText);

  const auto replies = ReadAll(&peer);
  ASSERT_EQ(replies.size(), static_cast<size_t>(kRequests));
  for (int i = 0; i < kRequests; i++) {
    EXPECT_TRUE(absl::StartsWith(replies[i], absl::StrCat(R"({"id":)", i, ","))) << i;
  }
  EXPECT_TRUE(peer.stream->reading());
}

}  // namespace
}  // namespace server

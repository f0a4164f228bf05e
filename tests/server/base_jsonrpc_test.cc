#include "server/base/jsonrpc.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base_test_util.h"
#include "server/base/fd_stream.h"
#include "server/base/io_error.h"
#include "server/base/listener.h"
#include "server/base/pace.h"
#include "server/base/rpc_session.h"

namespace base {
namespace {

std::string ParseError(const std::string& text) {
  const auto message = JsonRpcMessage::Parse(text);
  return message.ok() ? "ok" : std::string(message.status().message());
}

TEST(JsonRpcMessageTest, TellsTheTypesApart) {
  auto request = JsonRpcMessage::Parse(R"({"method":"m","params":[1,"two"],"id":[3]})");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ((*request)->type(), JsonRpcMessage::kRequest);
  EXPECT_EQ((*request)->method(), "m");
  EXPECT_EQ(ValueText((*request)->params()), R"([1,"two"])");
  EXPECT_EQ(ValueText((*request)->id()), "[3]");
  EXPECT_TRUE((*request)->result().IsNull());

  auto notify = JsonRpcMessage::Parse(R"({"method":"m","params":[],"id":null,"error":null})");
  ASSERT_TRUE(notify.ok());
  EXPECT_EQ((*notify)->type(), JsonRpcMessage::kNotify);
  auto reply = JsonRpcMessage::Parse(R"({"id":1,"result":{},"error":null})");
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ((*reply)->type(), JsonRpcMessage::kReply);
  auto error = JsonRpcMessage::Parse(R"({"id":1,"error":"e","result":null})");
  ASSERT_TRUE(error.ok());
  EXPECT_EQ((*error)->type(), JsonRpcMessage::kError);
}

// The texts are those that the reference logs for the same messages.
TEST(JsonRpcMessageTest, RefusesWhatStockRefuses) {
  const std::pair<const char*, const char*> cases[] = {
      {"[1]", "message is not a JSON object"},
      {"{}", "notification must have \"method\""},
      {R"({"id":0})", "request must have \"method\""},
      {R"({"method":"echo","params":[],"id":0,"x":1})", "message has unexpected member \"x\""},
      {R"({"method":5,"params":[],"id":0})", "method is not a JSON string"},
      {R"({"method":null,"params":[],"id":0})", "method is not a JSON string"},
      {R"({"method":"echo","params":{},"id":0})", "\"params\" must be JSON array"},
      {R"({"method":"echo","id":0})", "request must have \"params\""},
      {R"({"method":"echo","params":null,"id":0})", "request must have \"params\""},
      {R"({"result":1})", "reply must have \"id\""},
      {R"({"result":1,"error":2,"id":3})", "reply must not have \"error\""},
      {R"({"error":2,"id":null})", "error must have \"id\""},
      {R"({"result":null,"error":null,"id":5})", "request must have \"method\""},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_EQ(ParseError(text), absl::StrCat("received bad JSON-RPC message: ", error)) << text;
  }
}

TEST(JsonRpcMessageTest, RefusesBadJson) {
  for (const char* text :
       {R"({"method":"e","params":[1,],"id":0})", R"({"method":"e","params":[01],"id":0})",
        R"({"method":"e","params":[1e999],"id":0})", "{\"method\":\"e\",\"params\":[\"\x01\"]}",
        R"({"method":"e","params":["\ud800"]})", R"({"method":"e","params":["\x"]})",
        R"({"method":"e","params":["\u0000"]})", R"({"\u0000":1})", R"({"method" "e"})", "{1:2}",
        R"({"a":tru})"}) {
    EXPECT_EQ(ParseError(text).substr(0, 22), "error parsing stream: ") << text;
  }
  EXPECT_EQ(ParseError(R"({"method":"e","params":["\\u0000"]})"), "ok");
}

TEST(JsonRpcMessageTest, LastOfEqualMembersCounts) {
  auto message = JsonRpcMessage::Parse(
      R"({"id":1,"method":"a","params":[{"x":1,"y":2,"x":3}],"id":2,"method":"b"})");
  ASSERT_TRUE(message.ok());
  EXPECT_EQ((*message)->method(), "b");
  EXPECT_EQ(ValueText((*message)->id()), "2");
  EXPECT_EQ(ValueText((*message)->params()), R"([{"x":3,"y":2}])");

  std::string many = R"({"method":"m","params":[{)";
  for (int i = 0; i < 1000; i++) absl::StrAppend(&many, i > 0 ? "," : "", "\"", i % 20, "\":", i);
  auto big = JsonRpcMessage::Parse(many + "}]}");
  ASSERT_TRUE(big.ok());
  const rapidjson::Value& object = (*big)->params()[0];
  ASSERT_EQ(object.MemberCount(), 20U);
  EXPECT_EQ(object["7"].GetInt(), 987);
}

TEST(JsonRpcMessageTest, DescribesAsStockLogs) {
  auto message = JsonRpcMessage::Parse(R"({"id":0,"method":"echo","params":["a"]})");
  ASSERT_TRUE(message.ok());
  EXPECT_EQ((*message)->Describe(), R"(request, method="echo", params=["a"], id=0)");
}

TEST(JsonRpcTextTest, MembersComeInStocksOrder) {
  EXPECT_EQ(RequestText("m", "[1]", "5"), R"({"id":5,"method":"m","params":[1]})");
  EXPECT_EQ(NotifyText("m", "[]"), R"({"id":null,"method":"m","params":[]})");
  EXPECT_EQ(ReplyText("\"x\"", "{}"), R"({"id":"x","result":{},"error":null})");
  EXPECT_EQ(ErrorReplyText("1", "\"bad\""), R"({"id":1,"error":"bad"})");
  EXPECT_EQ(StringText("a\"b\n"), R"("a\"b\n")");
}

// One end is a JsonRpc, the other a plain socket in the test's hand.
TEST(PaceTest, FollowsTheTimeThatTurnsTake) {
  Pace pace;
  EXPECT_EQ(pace.Allowance(1, 0), 100);
  pace.Handled(50);
  pace.Handled(3);
  EXPECT_EQ(pace.Allowance(1, 0), 100) << "in the same turn";
  EXPECT_EQ(pace.Allowance(2, 80), 5) << "50 took 80 ms";
  pace.Handled(5);
  EXPECT_EQ(pace.Allowance(3, 6), 5);
  pace.Handled(4);
  EXPECT_EQ(pace.Allowance(4, 1), 5) << "there were no more";
  pace.Handled(5);
  EXPECT_EQ(pace.Allowance(5, 1), 10);
  EXPECT_EQ(pace.Allowance(6, 1000), 10) << "not because of messages";
  pace.Handled(10);
  EXPECT_EQ(pace.Allowance(8, 1000), 10) << "not the turn of the messages";
  pace.Handled(1);
  EXPECT_EQ(pace.Allowance(9, 9000), 1) << "never none";
  for (int turn = 10; turn < 20; turn++) {
    pace.Handled(pace.Allowance(turn, 1));
  }
  EXPECT_EQ(pace.Allowance(20, 1), Pace::kMost);
}

class JsonRpcTest : public testing::Test, public JsonRpc::Handler {
 protected:
  void SetUp() override { Make(kMaxClientFrame); }
  void Make(size_t max_frame) {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    peer_ = pair[1];
    rpc_ = std::make_unique<JsonRpc>(
        &loop_, std::make_unique<FdStream>(StreamContext{&loop_, nullptr}, pair[0], false, "peer"),
        this, max_frame);
  }
  void TearDown() override { close(peer_); }

  void OnMessage(std::unique_ptr<JsonRpcMessage> message) override {
    got_.push_back(message->Describe());
    if (pause_after_each_) rpc_->SetReading(false);
    if (destroy_after_each_) rpc_.reset();
  }
  void OnActivity() override { activity_++; }
  void OnDrained() override { drained_++; }
  void OnClosed(const absl::Status& reason) override {
    closed_++;
    reason_ = reason;
  }

  void PeerSends(absl::string_view text) {
    ASSERT_EQ(write(peer_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // What the peer has received by now.
  std::string PeerGets() {
    std::string text(1 << 20, '\0');
    const ssize_t n = read(peer_, text.data(), text.size());
    text.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return text;
  }
  bool Until(std::function<bool()> done) { return RunUntil(&loop_, done); }
  // More than a socket takes at once.
  bool PeerSendsUntil(const std::string& text, std::function<bool(size_t sent)> done) {
    size_t sent = 0;
    return Until([&] {
      const ssize_t n = write(peer_, text.data() + sent, text.size() - sent);
      if (n > 0) sent += static_cast<size_t>(n);
      return done(sent);
    });
  }

  Loop loop_;
  int peer_ = -1;
  std::unique_ptr<JsonRpc> rpc_;
  std::vector<std::string> got_;
  bool pause_after_each_ = false;
  bool destroy_after_each_ = false;
  int activity_ = 0;
  int drained_ = 0;
  int closed_ = 0;
  absl::Status reason_;
};

TEST_F(JsonRpcTest, AnswersEchoesItself) {
  PeerSends(R"({"method":"echo","params":[1,"x"],"id":7})");
  ASSERT_TRUE(Until([&] { return drained_ == 1; }));
  EXPECT_EQ(PeerGets(), R"({"id":7,"result":[1,"x"],"error":null})");
  EXPECT_TRUE(got_.empty());
  EXPECT_EQ(activity_, 1);
}

TEST_F(JsonRpcTest, SwallowsRepliesToItsEchoes) {
  rpc_->SendEcho();
  ASSERT_TRUE(Until([&] { return drained_ == 1; }));
  EXPECT_EQ(PeerGets(), R"({"id":"echo","method":"echo","params":[]})");
  PeerSends(R"({"id":"echo","result":[],"error":null}{"id":"other","result":[],"error":null})");
  ASSERT_TRUE(Until([&] { return !got_.empty(); }));
  EXPECT_EQ(got_, (std::vector<std::string>{R"(reply, result=[], id="other")"}));
}

TEST_F(JsonRpcTest, HandsOverMessagesHoweverTheyAreCut) {
  const std::string stream = R"({"method":"a","params":[],"id":1} {"method":"b","params":["}"]})";
  for (size_t i = 0; i < stream.size(); i += 3) {
    PeerSends(absl::string_view(stream).substr(i, 3));
    loop_.RunOnce(false);
  }
  ASSERT_TRUE(Until([&] { return got_.size() == 2; }));
  EXPECT_EQ(got_[0], R"(request, method="a", params=[], id=1)");
  EXPECT_EQ(got_[1], R"(notification, method="b", params=["}"])");
}

TEST_F(JsonRpcTest, HandsOverMoreThanATurnsShareInOrder) {
  std::string stream;
  for (int i = 0; i < 1000; i++) absl::StrAppend(&stream, NotifyText(absl::StrCat("m", i), "[]"));
  PeerSends(stream);
  loop_.RunOnce(true);
  EXPECT_LT(got_.size(), 1000U);
  ASSERT_TRUE(Until([&] { return got_.size() == 1000; }));
  EXPECT_EQ(got_[999], R"(notification, method="m999", params=[])");
}

TEST_F(JsonRpcTest, LargeMessagesKeepTheirPlace) {
  const std::string large = NotifyText("b", absl::StrCat("[\"", std::string(3 << 20, 'x'), "\"]"));
  const std::string stream = NotifyText("a", "[]") + large + NotifyText("c", "[]");
  ASSERT_TRUE(PeerSendsUntil(stream, [&](size_t) { return got_.size() == 3; }));
  EXPECT_EQ(got_[0], R"(notification, method="a", params=[])");
  EXPECT_GT(got_[1].size(), 3U << 20);
  EXPECT_EQ(got_[2], R"(notification, method="c", params=[])");
}

TEST_F(JsonRpcTest, ConnectionMayGoWhileALargeMessageIsParsed) {
  const std::string large = NotifyText("b", absl::StrCat("[\"", std::string(3 << 20, 'x'), "\"]"));
  ASSERT_TRUE(PeerSendsUntil(large, [&](size_t sent) { return sent == large.size(); }));
  rpc_ = nullptr;
  for (int i = 0; i < 100; i++) loop_.RunOnce(false);
  EXPECT_TRUE(got_.empty());
}

TEST_F(JsonRpcTest, PausedConnectionHandsOverNothing) {
  pause_after_each_ = true;
  PeerSends(NotifyText("a", "[]") + NotifyText("b", "[]") + NotifyText("c", "[]"));
  ASSERT_TRUE(Until([&] { return got_.size() == 1; }));
  for (int i = 0; i < 3; i++) loop_.RunOnce(false);
  EXPECT_EQ(got_.size(), 1U);
  rpc_->SetReading(true);
  EXPECT_EQ(got_.size(), 1U);  // Never from within a call.
  ASSERT_TRUE(Until([&] { return got_.size() == 2; }));
  pause_after_each_ = false;
  rpc_->SetReading(true);
  ASSERT_TRUE(Until([&] { return got_.size() == 3; }));
  PeerSends(NotifyText("d", "[]"));
  EXPECT_TRUE(Until([&] { return got_.size() == 4; }));
}

TEST_F(JsonRpcTest, ProtocolErrorClosesAfterWhatWasAnswered) {
  PeerSends(R"({"method":"echo","params":[],"id":0}])");
  ASSERT_TRUE(Until([&] { return closed_ == 1; }));
  EXPECT_EQ(ErrorNumber(reason_), EPROTO);
  EXPECT_EQ(reason_.message(), "Protocol error");
  EXPECT_EQ(PeerGets(), R"({"id":0,"result":[],"error":null})");
}

TEST_F(JsonRpcTest, NothingIsHandedOverAfterAProtocolError) {
  PeerSends(R"({"foo":1}{"method":"m","params":[]})");
  ASSERT_TRUE(Until([&] { return closed_ == 1; }));
  EXPECT_TRUE(got_.empty());
}

TEST_F(JsonRpcTest, PeerThatNeverEndsAMessageIsCutOff) {
  close(peer_);
  Make(100000);
  PeerSends("{\"method\":\"");
  const std::string piece(10000, 'x');
  bool sent = true;
  for (int i = 0; i < 50 && closed_ == 0; i++) {
    sent = write(peer_, piece.data(), piece.size()) > 0;
    loop_.RunOnce(false);
  }
  EXPECT_TRUE(sent || closed_ == 1);
  ASSERT_TRUE(Until([&] { return closed_ == 1; }));
  EXPECT_EQ(ErrorNumber(reason_), EPROTO);
}

TEST_F(JsonRpcTest, EndOfFileIsReportedOnce) {
  shutdown(peer_, SHUT_WR);
  ASSERT_TRUE(Until([&] { return closed_ == 1; }));
  EXPECT_EQ(ErrorNumber(reason_), -1);
  rpc_->Close(IoError(EPROTO));
  for (int i = 0; i < 3; i++) loop_.RunOnce(false);
  EXPECT_EQ(closed_, 1);
}

TEST_F(JsonRpcTest, HandlerMayDestroyTheConnectionAtAMessage) {
  destroy_after_each_ = true;
  PeerSends(NotifyText("a", "[]") + NotifyText("b", "[]"));
  ASSERT_TRUE(Until([&] { return got_.size() == 1; }));
  for (int i = 0; i < 3; i++) loop_.RunOnce(false);
  EXPECT_EQ(got_.size(), 1U);
}

TEST_F(JsonRpcTest, CountsMessagesOfTheBacklog) {
  const auto body = std::make_shared<const std::string>("[\"" + std::string(2000, 'b') + "\"]");
  for (int i = 0; i < 3; i++) rpc_->Send(R"({"id":null,"method":"u","params":)", body, "}");
  EXPECT_EQ(rpc_->backlog_messages(), 3U);
  EXPECT_GT(rpc_->backlog(), 6000U);
  ASSERT_TRUE(Until([&] { return drained_ == 1; }));
  EXPECT_EQ(rpc_->backlog_messages(), 0U);
  EXPECT_EQ(rpc_->backlog(), 0U);
  const std::string one = NotifyText("u", *body);
  EXPECT_EQ(PeerGets(), one + one + one);

  const std::string big(500000, 'x');
  rpc_->Send(absl::string_view(big));
  rpc_->Send(absl::string_view(big));
  loop_.RunOnce(false);
  EXPECT_EQ(rpc_->backlog_messages(), 2U);
  size_t got = 0;
  ASSERT_TRUE(Until([&] {
    got += PeerGets().size();
    return rpc_->backlog() < big.size();
  }));
  EXPECT_EQ(rpc_->backlog_messages(), 1U);
}

// Sessions that are kept up.
struct SessionRecorder : RpcSession::Handler {
  int connected = 0;
  int messages = 0;
  int disconnected = 0;
  absl::Status reason;
  void OnConnected() override { connected++; }
  void OnMessage(std::unique_ptr<JsonRpcMessage>) override { messages++; }
  void OnDisconnected(const absl::Status& status) override {
    disconnected++;
    reason = status;
  }
};

TEST(RpcSessionTest, ConnectsAgainAfterThePeerWent) {
  TempDir dir;
  Loop loop;
  const StreamContext context{&loop, nullptr};
  std::vector<std::unique_ptr<RpcSession>> accepted;
  SessionRecorder server;
  auto listener = Listener::Listen(
      context, "punix:" + (dir / "sock"), kNoDscp, [&](std::unique_ptr<Stream> stream) {
        accepted.push_back(std::make_unique<RpcSession>(context, std::move(stream), &server));
      });
  ASSERT_TRUE(listener.ok());
  SessionRecorder client;
  RpcSession session(context, "unix:" + (dir / "sock"), &client);
  session.reconnect().SkipBackoff(1);
  ASSERT_TRUE(RunUntil(&loop, [&] { return client.connected == 1 && accepted.size() == 1; }));
  session.rpc()->Send(NotifyText("hello", "[]"));
  ASSERT_TRUE(RunUntil(&loop, [&] { return server.messages == 1; }));

  accepted.clear();
  ASSERT_TRUE(RunUntil(&loop, [&] { return client.disconnected == 1; }));
  EXPECT_EQ(session.rpc(), nullptr);
  EXPECT_EQ(ErrorNumber(client.reason), -1);
  ASSERT_TRUE(RunUntil(&loop, [&] { return client.connected == 2; }));
  EXPECT_EQ(session.reconnect().StateText(), "ACTIVE");
}

TEST(RpcSessionTest, FailedAttemptsAreReported) {
  Loop loop;
  SessionRecorder client;
  RpcSession session({&loop, nullptr}, "unix:/nonexistent/socket", &client);
  ASSERT_TRUE(RunUntil(&loop, [&] { return client.disconnected == 1; }));
  EXPECT_EQ(session.last_error().message(), "No such file or directory");
  EXPECT_EQ(session.reconnect().StateText(), "BACKOFF");

  SessionRecorder wrong;
  RpcSession malformed({&loop, nullptr}, "nonsense", &wrong);
  ASSERT_TRUE(RunUntil(&loop, [&] { return wrong.disconnected == 1; }));
  EXPECT_EQ(malformed.last_error().message(), "Address family not supported by protocol");
}

TEST(RpcSessionTest, SilentPeerIsProbedAndThenDropped) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  Loop loop;
  const StreamContext context{&loop, nullptr};
  SessionRecorder server;
  RpcSession session(context, std::make_unique<FdStream>(context, pair[0], false, "peer"), &server);
  session.reconnect().SetProbeInterval(1000);
  session.Update();
  ASSERT_TRUE(RunUntil(&loop, [&] { return server.disconnected == 1; }));
  EXPECT_TRUE(server.reason.ok());
  char text[100];
  const ssize_t n = read(pair[1], text, sizeof text);
  ASSERT_GT(n, 0);
  EXPECT_EQ(std::string(text, static_cast<size_t>(n)),
            R"({"id":"echo","method":"echo","params":[]})");
  EXPECT_EQ(read(pair[1], text, sizeof text), 0);
  close(pair[1]);
}

}  // namespace
}  // namespace base

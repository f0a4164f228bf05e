#include "server/base/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base_test_util.h"
#include "server/base/io_error.h"
#include "server/base/listener.h"
#include "server/base/log.h"
#include "server/base/loop.h"

namespace base {
namespace {

// Notes all that a stream says.
struct Recorder : Stream::Handler {
  std::unique_ptr<Stream> stream;
  bool connected = false;
  bool closed = false;
  int drained = 0;
  std::string data;
  absl::Status reason;
  bool destroy_on_data = false;

  void OnConnected() override { connected = true; }
  void OnData(absl::string_view bytes) override {
    data.append(bytes.data(), bytes.size());
    if (destroy_on_data) stream.reset();
  }
  void OnDrained() override { drained++; }
  void OnClosed(const absl::Status& status) override {
    closed = true;
    reason = status;
  }
};

class StreamTest : public testing::Test {
 protected:
  // Listens on `target`; accepted streams go to accepted_.
  void Listen(const std::string& target) {
    auto listener =
        Listener::Listen(context_, target, kNoDscp, [this](std::unique_ptr<Stream> stream) {
          auto recorder = std::make_unique<Recorder>();
          stream->SetHandler(recorder.get());
          recorder->stream = std::move(stream);
          accepted_.push_back(std::move(recorder));
        });
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }

  absl::Status Connect(const std::string& target) {
    auto stream = Stream::Connect(context_, target, kDefaultDscp, &client_);
    if (!stream.ok()) return stream.status();
    client_.stream = *std::move(stream);
    return absl::OkStatus();
  }

  void ConnectBoth(const std::string& target) {
    ASSERT_TRUE(Connect(target).ok());
    ASSERT_TRUE(RunUntil(&loop_, [&] { return client_.connected && !accepted_.empty(); }));
  }

  // The server writes to a client that has gone.
  void WriteToNobody() {
    Listen("punix:" + (dir_ / "sock"));
    ConnectBoth("unix:" + (dir_ / "sock"));
    server().stream->SetReading(false);
    client_.stream.reset();
    server().stream->Write("anyone?");
  }

  Recorder& server() { return *accepted_[0]; }

  TempDir dir_;
  Loop loop_;
  StreamContext context_{&loop_, nullptr};
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Recorder>> accepted_;
  Recorder client_;
};

TEST_F(StreamTest, UnixSocketCarriesBothWays) {
  Listen("punix:" + (dir_ / "sock"));
  ConnectBoth("unix:" + (dir_ / "sock"));
  client_.stream->Write("ping");
  server().stream->Write("po");
  server().stream->Write("ng");
  ASSERT_TRUE(RunUntil(&loop_, [&] { return server().data == "ping" && client_.data == "pong"; }));
  EXPECT_EQ(client_.stream->name(), "unix:" + (dir_ / "sock"));
  EXPECT_EQ(server().stream->name().substr(0, 5), "unix#");
  EXPECT_EQ(client_.stream->PeerAddress(), "");
  EXPECT_EQ(client_.drained, 1);
  EXPECT_EQ(client_.stream->bytes_written(), 4U);
}

TEST_F(StreamTest, UnixSocketHasStocksModeAndGoesWithTheListener) {
  const mode_t old = umask(022);
  Listen("punix:" + (dir_ / "sock"));
  umask(old);
  struct stat s;
  ASSERT_EQ(stat((dir_ / "sock").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777, 0750U);
  listener_.reset();
  EXPECT_NE(stat((dir_ / "sock").c_str(), &s), 0);
}

TEST_F(StreamTest, UnixSocketReplacesAStaleOne) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", (dir_ / "sock").c_str());
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);
  Listen("punix:" + (dir_ / "sock"));
  ConnectBoth("unix:" + (dir_ / "sock"));
}

TEST_F(StreamTest, UnixPathMayBeLongerThanASocketAddress) {
  std::string path = dir_.path();
  for (int i = 0; i < 3; i++) {
    path += "/" + std::string(60, 'd');
    ASSERT_EQ(mkdir(path.c_str(), 0700), 0);
  }
  path += "/socket";
  Listen("punix:" + path);
  ConnectBoth("unix:" + path);
  struct stat s;
  ASSERT_EQ(stat(path.c_str(), &s), 0);
  listener_.reset();
  EXPECT_NE(stat(path.c_str(), &s), 0);
}

TEST_F(StreamTest, TcpNamesItsPeers) {
  Listen("ptcp:0:127.0.0.1");
  ASSERT_NE(listener_->bound_port(), 0);
  ConnectBoth(absl::StrCat("tcp:127.0.0.1:", listener_->bound_port()));
  EXPECT_EQ(server().stream->name().substr(0, 14), "tcp:127.0.0.1:");
  EXPECT_EQ(client_.stream->PeerAddress(), "127.0.0.1");
  EXPECT_EQ(server().stream->LocalAddress(), "127.0.0.1");
}

TEST_F(StreamTest, TcpResolvesNames) {
  Listen("ptcp:0:127.0.0.1");
  ConnectBoth(absl::StrCat("tcp:localhost:", listener_->bound_port()));
}

TEST_F(StreamTest, TcpReportsANameThatIsNone) {
  ASSERT_TRUE(Connect("tcp:name.invalid:1").ok());
  ASSERT_TRUE(RunUntil(&loop_, [&] { return client_.closed; }));
  EXPECT_GT(ErrorNumber(client_.reason), 0);
}

TEST_F(StreamTest, StreamMayGoWhileItsNameIsResolved) {
  ASSERT_TRUE(Connect("tcp:name.invalid:1").ok());
  client_.stream.reset();
  loop_.RunOnce(false);
  EXPECT_FALSE(client_.closed);
}

TEST_F(StreamTest, ListensOnAHostThatHasAName) {
  Listen("ptcp:0:localhost");
  EXPECT_EQ(listener_->name(), "ptcp:0:localhost");
  ASSERT_TRUE(RunUntil(&loop_, [&] { return listener_->bound_port() != 0; }));
  ConnectBoth(absl::StrCat("tcp:127.0.0.1:", listener_->bound_port()));
  EXPECT_EQ(server().stream->LocalAddress(), "127.0.0.1");
}

TEST_F(StreamTest, KeepsTryingToListenOnAHostThatIsNotKnown) {
  Listen("ptcp:0:name.invalid");
  EXPECT_EQ(listener_->bound_port(), 0);
  listener_.reset();  // With its lookup under way.
  loop_.RunOnce(false);
}

TEST_F(StreamTest, KeepsTryingToListenOnANamedHostWhoseAddressIsTaken) {
  ASSERT_TRUE(SetLogFile((dir_ / "log").c_str()).ok());
  Listen("ptcp:0:127.0.0.1");
  const int port = listener_->bound_port();
  auto second = Listener::Listen(context_, absl::StrCat("ptcp:", port, ":localhost"), kNoDscp,
                                 [](std::unique_ptr<Stream>) {});
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_TRUE(RunUntil(&loop_, [&] {
    return absl::StrContains(ReadFile(dir_ / "log"), ":localhost: bind: Address already in use");
  }));
  EXPECT_EQ((*second)->bound_port(), 0);
  CloseLogFile();
  listener_.reset();
  EXPECT_TRUE(RunUntil(&loop_, [&] { return (*second)->bound_port() == port; }));
}

TEST_F(StreamTest, DualStackListenerTakesBothFamilies) {
  auto probe = Listener::Listen(context_, "ptcp:0:[::]", kNoDscp, [](std::unique_ptr<Stream>) {});
  if (!probe.ok()) GTEST_SKIP() << "no IPv6 here";
  probe->reset();
  Listen("ptcp:0:[::]");
  const int port = listener_->bound_port();
  ConnectBoth(absl::StrCat("tcp:127.0.0.1:", port));
  ASSERT_TRUE(Connect(absl::StrCat("tcp:[::1]:", port)).ok());
  ASSERT_TRUE(RunUntil(&loop_, [&] { return accepted_.size() == 2; }));
  EXPECT_EQ(accepted_[1]->stream->name().substr(0, 10), "tcp:[::1]:");
}

TEST_F(StreamTest, RefusedConnectionIsReportedOnceAndLater) {
  Listen("ptcp:0:127.0.0.1");
  const int port = listener_->bound_port();
  listener_.reset();
  ASSERT_TRUE(Connect(absl::StrCat("tcp:127.0.0.1:", port)).ok());
  EXPECT_FALSE(client_.closed);
  ASSERT_TRUE(RunUntil(&loop_, [&] { return client_.closed; }));
  EXPECT_EQ(ErrorNumber(client_.reason), ECONNREFUSED);
  EXPECT_EQ(client_.reason.message(), "Connection refused");
  EXPECT_FALSE(client_.connected);
}

TEST_F(StreamTest, MissingUnixSocketIsReportedLater) {
  ASSERT_TRUE(Connect("unix:" + (dir_ / "none")).ok());
  EXPECT_FALSE(client_.closed);
  ASSERT_TRUE(RunUntil(&loop_, [&] { return client_.closed; }));
  EXPECT_EQ(ErrorNumber(client_.reason), ENOENT);
}

TEST_F(StreamTest, MalformedTargetsAreRefused) {
  for (const char* target : {"foo", "foo:x", "ptcp:1", "tcp:[::1", "tcp:1.2.3.4:99999",
                             "tcp:1.2.3.4:x", "tcp::5", "tcp:a:b:c", ""}) {
    EXPECT_EQ(ErrorNumber(Connect(target)), EAFNOSUPPORT) << target;
  }
  for (const char* target : {"foo", "tcp:1.2.3.4:5", "ptcp:x", "ptcp:1:2:3", "ptcp:99999",
                             "ptcp:0:[::g]", "ptcp:0:[::1"}) {
    auto listener = Listener::Listen(context_, target, kNoDscp, [](std::unique_ptr<Stream>) {});
    EXPECT_EQ(ErrorNumber(listener.status()), EAFNOSUPPORT) << target;
  }
}

TEST_F(StreamTest, BoundPortIsRefusedToOthers) {
  Listen("ptcp:0:127.0.0.1");
  auto second =
      Listener::Listen(context_, absl::StrCat("ptcp:", listener_->bound_port(), ":127.0.0.1"),
                       kNoDscp, [](std::unique_ptr<Stream>) {});
  EXPECT_EQ(ErrorNumber(second.status()), EADDRINUSE);
}

TEST_F(StreamTest, OutputQueuedWhileConnectingArrives) {
  Listen("punix:" + (dir_ / "sock"));
  ASSERT_TRUE(Connect("unix:" + (dir_ / "sock")).ok());
  client_.stream->Write("early");
  EXPECT_TRUE(RunUntil(&loop_, [&] { return !accepted_.empty() && server().data == "early"; }));
}

TEST_F(StreamTest, SharedAndOwnPiecesKeepTheirOrderUnderBackpressure) {
  Listen("punix:" + (dir_ / "sock"));
  ConnectBoth("unix:" + (dir_ / "sock"));
  server().stream->SetReading(false);
  auto shared = std::make_shared<const std::string>(300000, 's');
  std::string expected;
  for (int i = 0; i < 30; i++) {
    const std::string own = absl::StrCat("<", i, ">");
    client_.stream->Write(absl::string_view(own));
    client_.stream->Write(shared);
    absl::StrAppend(&expected, own, *shared);
  }
  EXPECT_EQ(client_.stream->backlog(), expected.size());
  for (int i = 0; i < 5; i++) loop_.RunOnce(false);
  EXPECT_GT(client_.stream->backlog(), 0U);
  EXPECT_EQ(client_.stream->backlog() + client_.stream->bytes_written(), expected.size());
  EXPECT_EQ(client_.drained, 0);
  EXPECT_GT(shared.use_count(), 1);

  server().stream->SetReading(true);
  ASSERT_TRUE(RunUntil(&loop_, [&] { return server().data.size() == expected.size(); }));
  EXPECT_EQ(server().data, expected);
  EXPECT_TRUE(RunUntil(&loop_, [&] { return client_.drained == 1; }));
  EXPECT_EQ(shared.use_count(), 1);
}

TEST_F(StreamTest, PausedStreamDeliversNothing) {
  Listen("punix:" + (dir_ / "sock"));
  ConnectBoth("unix:" + (dir_ / "sock"));
  server().stream->SetReading(false);
  client_.stream->Write("later");
  ASSERT_TRUE(RunUntil(&loop_, [&] { return client_.drained == 1; }));
  for (int i = 0; i < 3; i++) loop_.RunOnce(false);
  EXPECT_EQ(server().data, "");
  server().stream->SetReading(true);
  EXPECT_TRUE(RunUntil(&loop_, [&] { return server().data == "later"; }));
}

TEST_F(StreamTest, EndOfFileComesAfterTheData) {
  Listen("punix:" + (dir_ / "sock"));
  ConnectBoth("unix:" + (dir_ / "sock"));
  client_.stream->Write("last words");
  ASSERT_TRUE(RunUntil(&loop_, [&] { return client_.drained == 1; }));
  client_.stream.reset();
  ASSERT_TRUE(RunUntil(&loop_, [&] { return server().closed; }));
  EXPECT_EQ(server().data, "last words");
  EXPECT_EQ(ErrorNumber(server().reason), -1);
}

TEST_F(StreamTest, WritingToAGonePeerEndsTheStream) {
  WriteToNobody();
  ASSERT_TRUE(RunUntil(&loop_, [&] { return server().closed; }));
  EXPECT_EQ(ErrorNumber(server().reason), EPIPE);
  EXPECT_TRUE(server().stream->send_failed());
  server().stream->Write("nobody");
  EXPECT_EQ(server().stream->backlog(), 0U);
}

TEST_F(StreamTest, FlushedOutputLeavesAtOnceAndIsToldOfAtTheEndOfTheTurn) {
  Listen("punix:" + (dir_ / "sock"));
  ConnectBoth("unix:" + (dir_ / "sock"));
  client_.stream->Write("now");
  client_.stream->Flush();
  EXPECT_EQ(client_.stream->backlog(), 0U);
  EXPECT_EQ(client_.drained, 0);
  client_.stream->Flush();  // There is nothing.
  EXPECT_TRUE(RunUntil(&loop_, [&] { return client_.drained == 1 && server().data == "now"; }));
}

TEST_F(StreamTest, FlushingWhatIsLeftOfAnEarlierTurnIsToldOf) {
  Listen("punix:" + (dir_ / "sock"));
  ConnectBoth("unix:" + (dir_ / "sock"));
  const std::string large(1 << 20, 'x');
  client_.stream->Write(absl::string_view(large));
  // The kernel takes it piece by piece, and each time it can, the flush is the first to know.
  ASSERT_TRUE(RunUntil(&loop_, [&] {
    client_.stream->Flush();
    return server().data.size() == large.size();
  }));
  EXPECT_TRUE(RunUntil(&loop_, [&] { return client_.drained == 1; }));
}

TEST_F(StreamTest, FlushingToAGonePeerEndsTheStreamLater) {
  WriteToNobody();
  server().stream->Flush();
  EXPECT_FALSE(server().closed);
  ASSERT_TRUE(RunUntil(&loop_, [&] { return server().closed; }));
  EXPECT_EQ(ErrorNumber(server().reason), EPIPE);
}

TEST_F(StreamTest, HandlerMayDestroyTheStreamWhenDataComes) {
  Listen("punix:" + (dir_ / "sock"));
  ConnectBoth("unix:" + (dir_ / "sock"));
  server().destroy_on_data = true;
  client_.stream->Write(std::string(1 << 20, 'x'));
  ASSERT_TRUE(RunUntil(&loop_, [&] { return client_.closed; }));
  EXPECT_EQ(server().stream, nullptr);
}

TEST_F(StreamTest, ListenerMayGoWhileItAccepts) {
  std::unique_ptr<Listener> listener;
  bool accepted = false;
  auto made =
      Listener::Listen(context_, "punix:" + (dir_ / "sock"), kNoDscp, [&](std::unique_ptr<Stream>) {
        listener.reset();
        accepted = true;
      });
  ASSERT_TRUE(made.ok());
  listener = *std::move(made);
  ASSERT_TRUE(Connect("unix:" + (dir_ / "sock")).ok());
  EXPECT_TRUE(RunUntil(&loop_, [&] { return accepted; }));
}

TEST_F(StreamTest, TlsNeedsSettings) {
  EXPECT_EQ(ErrorNumber(Connect("ssl:127.0.0.1:1")), ENOPROTOOPT);
}

}  // namespace
}  // namespace base

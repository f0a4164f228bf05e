#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/address.h"
#include "server/face/http_get.h"
#include "server/face/http_server.h"
#include "tests/server/base_test_util.h"

namespace face {
namespace {

using base::RunUntil;
using testing::HasSubstr;
using testing::StartsWith;

class HttpTest : public testing::Test {
 protected:
  HttpTest() {
    auto server = HttpServer::Listen(&loop_, "127.0.0.1:0",
                                     [this](absl::string_view path, HttpServer::Reply reply) {
                                       asked_.emplace_back(path);
                                       if (path == "/later") {
                                         later_ = std::move(reply);
                                       } else if (path == "/") {
                                         reply({.body = "hello\n"});
                                       } else {
                                         reply({.status = 404, .body = "no\n"});
                                       }
                                     });
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // A raw connection to the server.
  int Connect() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const base::SocketAddress address = *base::NumericAddress("127.0.0.1", server_->port());
    EXPECT_EQ(connect(fd, address.get(), address.length), 0);
    return fd;
  }

  // What comes back until the server closes the connection.
  std::string Exchange(const std::string& sent) {
    const int fd = Connect();
    EXPECT_EQ(send(fd, sent.data(), sent.size(), MSG_NOSIGNAL), static_cast<ssize_t>(sent.size()));
    std::string text;
    bool ended = false;
    RunUntil(&loop_, [&] {
      char buffer[65536];
      const ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) text.append(buffer, static_cast<size_t>(n));
      ended = n == 0 || (n < 0 && errno != EAGAIN);
      if (!ended) tick_.Start(1);
      return ended;
    });
    EXPECT_TRUE(ended) << sent.substr(0, 100) << ": " << text;
    close(fd);
    return text;
  }

  absl::StatusOr<std::string> Get(absl::string_view path, int64_t timeout_ms = 5000) {
    std::optional<absl::StatusOr<std::string>> said;
    const HttpGet get(&loop_, "127.0.0.1", server_->port(), path, timeout_ms,
                      [&](absl::StatusOr<std::string> body) { said = std::move(body); });
    RunUntil(&loop_, [&] { return said.has_value(); });
    return said ? *said : absl::StatusOr<std::string>(absl::InternalError("never called"));
  }

  base::Loop loop_;
  base::Timer tick_{&loop_, [] {}};
  std::vector<std::string> asked_;
  HttpServer::Reply later_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpTest, AnswersGetAndHead) {
  const std::string get = Exchange("GET /?a=b HTTP/1.0\r\n\r\n");
  EXPECT_THAT(get, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get, HasSubstr("text/plain; charset=utf-8"));
  EXPECT_TRUE(absl::EndsWith(get, "\r\n\r\nhello\n")) << get;
  EXPECT_EQ(asked_, std::vector<std::string>{"/"});
  const std::string head = Exchange("HEAD / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(absl::EndsWith(head, "\r\n\r\n")) << head;
  EXPECT_THAT(Exchange("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpTest, RefusesTheRest) {
  EXPECT_THAT(Exchange("GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"), HasSubstr(" 200 "));
  asked_.clear();
  EXPECT_THAT(Exchange("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"), HasSubstr(" 405 "));
  Exchange("nonsense\r\n\r\n");
  Exchange(absl::StrCat("GET /", std::string(100000, 'a'), " HTTP/1.0\r\n\r\n"));
  Exchange(absl::StrCat("GET / HTTP/1.0\r\nA: ", std::string(100000, 'a'), "\r\n\r\n"));
  Exchange(std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n", 14));
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(*Get("/"), "hello\n");
}

// Requests that come byte by byte take all the places that there are for an address, for as long as
// an idle connection may.
TEST_F(HttpTest, CutsOffWhoNeverEndsARequest) {
  std::vector<int> fds;
  for (int i = 0; i < 16; ++i) fds.push_back(Connect());
  const auto drip = [&] {
    return std::erase_if(fds, [](int fd) {
      char byte = 0;
      const bool ended = recv(fd, &byte, 1, MSG_DONTWAIT) == 0 ||
                         (send(fd, "G", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN);
      if (ended) close(fd);
      return ended;
    });
  };
  EXPECT_EQ(drip(), 0u);
  const int64_t deadline = base::MonotonicMs() + 40'000;
  while (!fds.empty() && base::MonotonicMs() < deadline) {
    drip();
    bool waited = false;
    base::Timer second(&loop_, [&waited] { waited = true; });
    second.Start(1000);
    RunUntil(&loop_, [&waited] { return waited; });
  }
  EXPECT_TRUE(fds.empty()) << fds.size() << " are still there";
  EXPECT_EQ(*Get("/"), "hello\n");
  for (const int fd : fds) close(fd);
}

TEST_F(HttpTest, AnswersLater) {
  const int fd = Connect();
  const std::string request = "GET /later HTTP/1.0\r\n\r\n";
  ASSERT_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  ASSERT_TRUE(RunUntil(&loop_, [&] { return later_ != nullptr; }));
  EXPECT_EQ(*Get("/"), "hello\n");  // Nobody waits for those who wait.
  later_({.body = "at last\n"});
  later_({.body = "twice\n"});
  std::string text;
  RunUntil(&loop_, [&] {
    char buffer[4096];
    const ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
    tick_.Start(1);
    return n == 0;
  });
  EXPECT_TRUE(absl::EndsWith(text, "\r\n\r\nat last\n")) << text;
  close(fd);
}

TEST_F(HttpTest, OutlivedByWhoIsToAnswer) {
  const int fd = Connect();
  const std::string request = "GET /later HTTP/1.0\r\n\r\n";
  ASSERT_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  ASSERT_TRUE(RunUntil(&loop_, [&] { return later_ != nullptr; }));
  server_ = nullptr;
  later_({.body = "too late\n"});
  close(fd);
}

TEST_F(HttpTest, AnswerAfterTheClientIsGone) {
  const int fd = Connect();
  const std::string request = "GET /later HTTP/1.0\r\n\r\n";
  ASSERT_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  ASSERT_TRUE(RunUntil(&loop_, [&] { return later_ != nullptr; }));
  close(fd);
  loop_.RunOnce(false);
  later_({.body = "nobody\n"});
  EXPECT_EQ(*Get("/"), "hello\n");
}

TEST_F(HttpTest, BoundsConnections) {
  std::vector<int> fds;
  for (int i = 0; i < 200; i++) {
    fds.push_back(Connect());
    loop_.RunOnce(false);
  }
  EXPECT_FALSE(Get("/").ok());  // Too many of this address.
  for (const int fd : fds) close(fd);
  EXPECT_TRUE(RunUntil(&loop_, [&] { return Get("/").ok(); }));
}

TEST_F(HttpTest, GetTellsWhatIsWrong) {
  EXPECT_EQ(Get("/x").status().message(), "404 Not Found");
  EXPECT_EQ(Get("/later", 50).status().message(), "no answer within 50 ms");
  server_ = nullptr;
}

TEST(HttpGetTest, NobodyThere) {
  base::Loop loop;
  std::optional<absl::StatusOr<std::string>> said;
  HttpGet get(&loop, "127.0.0.1", 1, "/", 5000,
              [&](absl::StatusOr<std::string> body) { said = std::move(body); });
  ASSERT_TRUE(RunUntil(&loop, [&] { return said.has_value(); }));
  EXPECT_EQ(said->status().message(), "Connection refused");
}

TEST(HttpServerTest, SaysWhatIsWrongWithAnAddress) {
  base::Loop loop;
  const auto listen = [&](const char* address) {
    return std::string(HttpServer::Listen(&loop, address, nullptr).status().message());
  };
  EXPECT_EQ(listen("9000"), "not ADDRESS:PORT or ADDRESS:PORT-LAST");
  EXPECT_EQ(listen("127.0.0.1:http"), "not ADDRESS:PORT or ADDRESS:PORT-LAST");
  EXPECT_EQ(listen("127.0.0.1:65536"), "not ADDRESS:PORT or ADDRESS:PORT-LAST");
  EXPECT_EQ(listen("localhost:0"), "localhost is no IP address");
  EXPECT_EQ(listen("::1:9000"), "an IPv6 address stands in brackets");
  const auto first = HttpServer::Listen(&loop, "127.0.0.1:0", nullptr);
  ASSERT_TRUE(first.ok());
  const int port = (*first)->port();
  EXPECT_EQ(listen(absl::StrCat("127.0.0.1:", port).c_str()), "Address already in use");
  EXPECT_EQ(listen("127.0.0.1:9000-8999"), "not ADDRESS:PORT or ADDRESS:PORT-LAST");
  EXPECT_EQ(listen("127.0.0.1:1-70000"), "not ADDRESS:PORT or ADDRESS:PORT-LAST");
  const auto next =
      HttpServer::Listen(&loop, absl::StrCat("127.0.0.1:", port, "-", port + 20), nullptr);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_GT((*next)->port(), port);
}

}  // namespace
}  // namespace face

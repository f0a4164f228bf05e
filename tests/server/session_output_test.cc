// What goes to a client, in order and in bounded shares of a turn.
#include "server/session_output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "tests/server/base_test_util.h"
#include "tests/server/fake_stream.h"

namespace server {
namespace {

// One client's connection and what goes to it.
class Client final : private base::JsonRpc::Handler {
 public:
  Client(base::Loop* loop, OutputTurns* turns)
      : stream_(new base::FakeStream(loop)),
        rpc_(loop, std::unique_ptr<base::Stream>(stream_), this),
        output_(turns) {
    output_.SetConnection(&rpc_);
  }

  void SetConnected(bool connected) { output_.SetConnection(connected ? &rpc_ : nullptr); }
  SessionOutput& output() { return output_; }
  base::FakeStream& stream() { return *stream_; }
  const std::string& sent() const { return stream_->sent(); }

 private:
  void OnMessage(std::unique_ptr<base::JsonRpcMessage> message) override {}
  void OnDrained() override { output_.OnDrained(); }
  void OnClosed(const absl::Status& reason) override {}

  base::FakeStream* stream_;
  base::JsonRpc rpc_;
  SessionOutput output_;
};

// A message of equal pieces.
class Pieces final : public ovsdb::TextSource {
 public:
  Pieces(int n, std::string piece)
      : n_(n), piece_(std::make_shared<const std::string>(std::move(piece))) {}
  bool Next(std::vector<ovsdb::Text>* out) override {
    out->push_back(piece_);
    return --n_ > 0;
  }

 private:
  int n_;
  ovsdb::Text piece_;
};

std::unique_ptr<ovsdb::TextSource> Long(int n, char c = 'x') {
  return std::make_unique<Pieces>(n, std::string(64 << 10, c));
}

class SessionOutputTest : public testing::Test {
 protected:
  std::vector<std::unique_ptr<Client>> Connect(int n) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < n; ++i) clients.push_back(std::make_unique<Client>(&loop_, &turns_));
    return clients;
  }
  template <typename Done>
  bool RunUntil(Done done) {
    return base::RunUntil(&loop_, done);
  }

  base::Loop loop_;
  OutputTurns turns_{&loop_};
};

TEST_F(SessionOutputTest, EverythingComesInTheOrderOfItsSending) {
  auto clients = Connect(1);
  SessionOutput& output = clients[0]->output();
  const int request = 0;
  output.Send("first ");
  output.Send(Long(100));
  output.Hold(&request);
  output.Send("behind it ");
  output.SendLater(this, [] { return Long(1, 'y'); });
  output.Send("last");
  output.Fill(&request, " the answer ");
  ASSERT_TRUE(RunUntil([&] { return output.backlog() == 0 && output.keeping_up(); }));
  const std::string expected = "first " + std::string(100 * (64 << 10), 'x') +
                               " the answer behind it " + std::string(64 << 10, 'y') + "last";
  EXPECT_TRUE(clients[0]->sent() == expected);
}

TEST_F(SessionOutputTest, TellsWhenATurnIsOverThatHadNothingToSend) {
  base::FakeStream* stream = new base::FakeStream(&loop_);
  struct Ignore final : base::JsonRpc::Handler {
    void OnMessage(std::unique_ptr<base::JsonRpcMessage> message) override {}
    void OnClosed(const absl::Status& reason) override {}
  } ignore;
  base::JsonRpc rpc(&loop_, std::unique_ptr<base::Stream>(stream), &ignore);
  bool keeps_up = false;  // As the owner knows it: it reads requests again only when told.
  SessionOutput* told = nullptr;
  SessionOutput output(&turns_, [&] { keeps_up = told->keeping_up(); });
  told = &output;
  output.SetConnection(&rpc);
  output.SendLater(this, [] { return nullptr; });
  EXPECT_FALSE(output.keeping_up());
  EXPECT_TRUE(RunUntil([&] { return keeps_up; }));
  EXPECT_EQ(stream->sent(), "");
}

TEST_F(SessionOutputTest, AShortMessageLeavesAtOnce) {
  auto clients = Connect(1);
  clients[0]->output().Send(std::make_unique<Pieces>(1, "short"));
  EXPECT_EQ(clients[0]->output().backlog(), 5);
  EXPECT_TRUE(clients[0]->output().keeping_up());
}

TEST_F(SessionOutputTest, ATurnMakesNoMoreThanItsShareHoweverFastClientsRead) {
  auto clients = Connect(100);
  for (auto& client : clients) client->output().Send(Long(10));
  size_t most = 0;
  size_t before = 0;
  uint64_t turn = loop_.turn();
  ASSERT_TRUE(RunUntil([&] {
    size_t sent = 0;
    for (auto& client : clients) sent += client->sent().size();
    // RunOnce may end more than one turn.
    const uint64_t turns = std::max<uint64_t>(1, loop_.turn() - turn);
    most = std::max(most, (sent - before) / turns);
    before = sent;
    turn = loop_.turn();
    return sent == size_t{100} * 10 * (64 << 10);
  }));
  EXPECT_LE(most, 5u << 20);
}

TEST_F(SessionOutputTest, NobodyIsForgottenOrPreferred) {
  auto clients = Connect(60);
  for (auto& client : clients) client->output().Send(Long(40));
  size_t spread = 0;
  ASSERT_TRUE(RunUntil([&] {
    size_t least = SIZE_MAX;
    size_t most = 0;
    for (auto& client : clients) {
      least = std::min(least, client->sent().size());
      most = std::max(most, client->sent().size());
    }
    spread = std::max(spread, most - least);
    return least == size_t{40} * (64 << 10);
  }));
  EXPECT_LE(spread, size_t{4} * SessionOutput::kLowWater);
}

TEST_F(SessionOutputTest, AClientThatDoesNotReadHoldsUpNobody) {
  auto clients = Connect(2);
  clients[0]->stream().SetStuck(true);
  for (auto& client : clients) client->output().Send(Long(40));
  ASSERT_TRUE(RunUntil([&] { return clients[1]->sent().size() == size_t{40} * (64 << 10); }));
  EXPECT_EQ(clients[0]->sent(), "");
  EXPECT_LE(clients[0]->output().backlog(), SessionOutput::kLowWater + (64 << 10));
  clients[0]->stream().SetStuck(false);
  ASSERT_TRUE(RunUntil([&] { return clients[0]->sent().size() == size_t{40} * (64 << 10); }));
}

TEST_F(SessionOutputTest, WhoWaitsForATurnMayGo) {
  auto clients = Connect(100);
  for (auto& client : clients) client->output().Send(Long(40));
  loop_.RunOnce(false);
  clients.erase(clients.begin(), clients.begin() + 50);
  clients[0]->output().SetConnection(nullptr);
  ASSERT_TRUE(RunUntil([&] { return clients.back()->sent().size() == size_t{40} * (64 << 10); }));
}

TEST_F(SessionOutputTest, ALongMessageIsMadeAsItsReaderReads) {
  auto clients = Connect(1);
  SessionOutput& output = clients[0]->output();
  clients[0]->stream().SetStuck(true);
  output.Send(Long(100));
  output.Send("end");
  size_t read = 0;
  while (read < size_t{100} * (64 << 10)) {
    for (int i = 0; i < 5; ++i) loop_.RunOnce(false);
    ASSERT_LT(clients[0]->stream().backlog(), SessionOutput::kLowWater + (64 << 10));
    ASSERT_GT(clients[0]->stream().backlog(), 0);
    clients[0]->stream().ReadQueued();
    read = clients[0]->sent().size();
  }
  EXPECT_TRUE(output.keeping_up());
  clients[0]->stream().SetStuck(false);
  ASSERT_TRUE(RunUntil([&] { return absl::EndsWith(clients[0]->sent(), "xend"); }));
}

TEST_F(SessionOutputTest, WhatIsBehindAKeptPlaceWaits) {
  auto clients = Connect(1);
  SessionOutput& output = clients[0]->output();
  clients[0]->stream().SetStuck(true);
  const int first = 0;
  const int third = 0;
  output.Hold(&first);
  output.Send("2");
  output.Hold(&third);
  output.Send("4", std::make_shared<const std::string>("5"), "6");
  output.Fill(&third, "3");
  EXPECT_EQ(clients[0]->stream().backlog(), 0);
  EXPECT_EQ(output.backlog(), 4);  // What is held is counted, but for the tail.
  output.Fill(&first, "1");
  output.Fill(&first, "7");  // No place is kept any more: it comes last.
  clients[0]->stream().ReadQueued();
  EXPECT_EQ(clients[0]->sent(), "1234567");
}

TEST_F(SessionOutputTest, WhatIsMadeLaterIsMadeInItsTurnAndOnce) {
  auto clients = Connect(1);
  SessionOutput& output = clients[0]->output();
  const int request = 0;
  const int removed = 0;
  int made = 0;
  output.Hold(&request);
  output.SendLater(this, [&] {
    ++made;
    output.Send(" last");
    return std::make_unique<Pieces>(1, "later");
  });
  output.SendLater(&removed, [] { return Long(1); });
  output.SendLater(this, [] { return nullptr; });
  output.Send(" behind");
  output.Remove(&removed);
  for (int i = 0; i < 5; ++i) loop_.RunOnce(false);
  EXPECT_EQ(made, 0);
  EXPECT_FALSE(output.keeping_up());
  output.Fill(&request, "answer ");
  ASSERT_TRUE(RunUntil([&] { return output.backlog() == 0 && output.keeping_up(); }));
  EXPECT_EQ(clients[0]->sent(), "answer later behind last");
  EXPECT_EQ(made, 1);
}

TEST_F(SessionOutputTest, WhoHasMuchToReadIsNotKeepingUp) {
  auto clients = Connect(1);
  SessionOutput& output = clients[0]->output();
  clients[0]->stream().SetStuck(true);
  output.Send(std::string(SessionOutput::kHighWater - 1, 'x'));
  EXPECT_TRUE(output.keeping_up());
  output.Send("x");
  EXPECT_FALSE(output.keeping_up());
  clients[0]->stream().ReadQueued();
  EXPECT_TRUE(output.keeping_up());

  output.Hold(this);
  output.Send(std::string(SessionOutput::kHighWater, 'x'));
  EXPECT_FALSE(output.keeping_up());
}

TEST_F(SessionOutputTest, WhatWasForOneConnectionIsNotForTheNext) {
  auto clients = Connect(1);
  SessionOutput& output = clients[0]->output();
  output.Hold(this);
  output.Send("old");
  output.Send(Long(5));
  clients[0]->SetConnected(false);
  output.Send("nobody hears this");
  EXPECT_EQ(output.backlog(), 0);
  clients[0]->SetConnected(true);
  output.Send("new");
  ASSERT_TRUE(RunUntil([&] { return output.backlog() == 0; }));
  EXPECT_EQ(clients[0]->sent(), "new");
  EXPECT_TRUE(output.keeping_up());
}

}  // namespace
}  // namespace server

// What goes to a client, in order and in bounded shares of a turn.
#include "server/session_output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/base_test_util.h"

namespace server {
namespace {

// A stream whose peer reads as fast as can be, or not at all.
class FakeStream final : public base::Stream {
 public:
  explicit FakeStream(base::Loop* loop)
      : flush_(loop, base::TurnEnd::kFlush, [this] { Flush(); }) {}

  void SetHandler(Handler* handler) override { handler_ = handler; }
  void Write(absl::string_view data) override {
    queued_.append(data.data(), data.size());
    flush_.Arm();
  }
  void Write(base::SharedText text) override { Write(absl::string_view(*text)); }
  size_t backlog() const override { return queued_.size(); }
  uint64_t bytes_written() const override { return sent.size(); }
  uint64_t bytes_queued() const override { return sent.size() + queued_.size(); }
  void SetReading(bool reading) override {}
  bool connected() const override { return true; }
  bool send_failed() const override { return false; }
  const std::string& name() const override { return name_; }
  std::string LocalAddress() const override { return ""; }
  std::string PeerAddress() const override { return ""; }
  std::string PeerCommonName() const override { return ""; }

  void SetStuck(bool stuck) {
    is_stuck_ = stuck;
    flush_.Arm();
  }

  std::string sent;

 private:
  void Flush() {
    if (is_stuck_ || queued_.empty()) return;
    sent += std::exchange(queued_, {});
    handler_->OnDrained();
  }

  const std::string name_ = "fake";
  Handler* handler_ = nullptr;
  std::string queued_;
  bool is_stuck_ = false;
  base::TurnEnd flush_;
};

// One client's connection and what goes to it.
class Client final : private base::JsonRpc::Handler {
 public:
  Client(base::Loop* loop, OutputTurns* turns)
      : stream_(new FakeStream(loop)),
        rpc_(loop, std::unique_ptr<base::Stream>(stream_), this),
        output_(turns) {
    output_.SetConnection(&rpc_);
  }

  SessionOutput& output() { return output_; }
  FakeStream& stream() { return *stream_; }
  const std::string& sent() const { return stream_->sent; }

 private:
  void OnMessage(std::unique_ptr<base::JsonRpcMessage> message) override {}
  void OnDrained() override { output_.OnDrained(); }
  void OnClosed(const absl::Status& reason) override {}

  FakeStream* stream_;
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

}  // namespace
}  // namespace server

#include "server/executor.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "ovsdb/error.h"

namespace server {
namespace {

constexpr char kSchema[] =
    R"({"name":"D","version":"1.0.0","tables":{
        "T":{"columns":{"name":{"type":"string"}}},
        "U":{"columns":{"name":{"type":"string"}}}}})";

// A storage whose fate the test decides.
class ManualStorage final : public Storage {
 public:
  void SetClient(Client* c) override { client = c; }
  absl::string_view model() const override { return "standalone"; }
  Position Append(const ovsdb::DatabaseSchema&, const ovsdb::Change&, bool) override {
    return ++appended;
  }
  void Flush() override { n_flushes++; }
  void SyncNow() override {}
  void Compact(ovsdb::Snapshot, std::string, Done) override {}
  void Convert(ovsdb::Snapshot, Done) override {}
  bool WantsCompaction() override { return false; }
  absl::Status status() const override { return absl::OkStatus(); }
  bool ready() const override { return is_ready; }

  bool is_ready = true;
  Client* client = nullptr;
  Position appended = 0;
  int n_flushes = 0;
};

class ExecutorTest : public testing::Test, public Request::Client, public Executor::Observer {
 protected:
  ExecutorTest() {
    auto storage = std::make_unique<ManualStorage>();
    storage_ = storage.get();
    executor_ = std::make_unique<Executor>(
        &loop_, &uuids_, std::move(storage),
        std::make_unique<ovsdb::Database>(*ovsdb::DatabaseSchema::ParseText(kSchema)), this);
  }

  bool OwnsLock(absl::string_view lock) const override { return lock == "mine"; }
  std::string ClientName() const override { return "client"; }
  void OnHeld(Request* request) override { events_.push_back("held " + Id(request)); }
  void OnAnswer(Request* request, Answer answer) override {
    events_.push_back(absl::StrCat(answer.is_error ? "error " : "answer ", Id(request)));
    answers_[Id(request)] = answer.text;
  }
  void OnChange(const ovsdb::Change& change) override { events_.push_back("change"); }
  void OnSettled() override {}
  void OnReady() override {}

  static std::string Id(Request* request) {
    return std::to_string(request->message->id().GetInt());
  }

  // Submits a transaction of these operations; returns it as long as it lives.
  Request* Submit(int id, const std::string& operations) {
    auto request = std::make_unique<Request>();
    request->client = this;
    request->message = *base::JsonRpcMessage::Parse(
        absl::Substitute(R"({"method":"transact","id":$0,"params":["D",$1]})", id, operations));
    Request* raw = request.get();
    executor_->Submit(std::move(request));
    return raw;
  }
  Request* Insert(int id, const std::string& table, bool durable = false) {
    return Submit(id, absl::StrCat(R"({"op":"insert","table":")", table, R"(","row":{"name":"x"}})",
                                   durable ? R"(,{"op":"commit","durable":true})" : ""));
  }
  Request* WaitForRow(int id, const std::string& table, const std::string& timeout = "") {
    return Submit(id, absl::StrCat(R"({"op":"wait","table":")", table, R"(",)", timeout,
                                   R"("where":[],"columns":["name"],"until":"==",)"
                                   R"("rows":[{"name":"x"}]})"));
  }
  size_t Rows(int table) const { return executor_->database()->table(table).size(); }

  using Events = std::vector<std::string>;
  Events TakeEvents() { return std::exchange(events_, {}); }

  base::Loop loop_;
  ovsdb::UuidGenerator uuids_{1};
  ManualStorage* storage_;
  Events events_;
  std::map<std::string, std::string> answers_;
  std::unique_ptr<Executor> executor_;
};

TEST_F(ExecutorTest, NobodyHearsOfAChangeBeforeItIsCommitted) {
  Insert(1, "T");
  Insert(2, "T");
  EXPECT_EQ(Rows(0), 2u);
  EXPECT_EQ(TakeEvents(), Events{});
  storage_->client->OnCommitted(1);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 1"}));
  storage_->client->OnCommitted(2);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 2"}));
}

TEST_F(ExecutorTest, AReaderWaitsForWhatItHasSeen) {
  Submit(1, R"({"op":"select","table":"T","where":[]})");
  EXPECT_EQ(TakeEvents(), (Events{"answer 1"}));
  Insert(2, "T");
  Submit(3, R"({"op":"select","table":"T","where":[]})");
  EXPECT_EQ(TakeEvents(), Events{});
  storage_->client->OnCommitted(1);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 2", "answer 3"}));
}

TEST_F(ExecutorTest, TheStorageIsFlushedAtTheEndOfATurn) {
  Insert(1, "T");
  Insert(2, "T");
  EXPECT_EQ(storage_->n_flushes, 0);
  loop_.RunOnce(false);
  EXPECT_EQ(storage_->n_flushes, 1);
}

TEST_F(ExecutorTest, WhatIsLostIsRevertedAndReadAgain) {
  Insert(1, "T");
  storage_->client->OnCommitted(1);
  Insert(2, "T");
  Insert(3, "T");
  Submit(4, R"({"op":"select","table":"T","where":[],"columns":["name","_uuid"]})");
  TakeEvents();
  storage_->client->OnLost(ovsdb::Error("I/O error", "d.db: write failed"));
  EXPECT_EQ(TakeEvents(), (Events{"answer 2", "answer 3", "answer 4"}));
  EXPECT_EQ(Rows(0), 1u);
  EXPECT_NE(answers_["2"].find(R"(},{"details":"d.db: write failed","error":"I/O error"}])"),
            std::string::npos)
      << answers_["2"];
  EXPECT_EQ(answers_["4"].find("I/O error"), std::string::npos);

  Insert(5, "T");
  storage_->client->OnCommitted(4);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 5"}));
}

TEST_F(ExecutorTest, DurableAnswersKeepTheirPlaceUntilTheyAreDurable) {
  Insert(1, "T", /*durable=*/true);
  Insert(2, "T");
  storage_->client->OnCommitted(2);
  EXPECT_EQ(TakeEvents(), (Events{"change", "held 1", "change", "answer 2"}));
  storage_->client->OnDurable(1);
  EXPECT_EQ(TakeEvents(), (Events{"answer 1"}));
}

TEST_F(ExecutorTest, FailedSyncIsAnsweredAsAnError) {
  Insert(1, "T", /*durable=*/true);
  storage_->client->OnCommitted(1);
  storage_->client->OnNotDurable(1, ovsdb::Error("I/O error", "no"));
  EXPECT_NE(answers_["1"].find("I/O error"), std::string::npos);
  EXPECT_EQ(Rows(0), 1u);
}

TEST_F(ExecutorTest, AWaitIsTriedAgainWhenItsTableChanges) {
  WaitForRow(1, "T");
  Insert(2, "U");
  loop_.RunOnce(false);
  storage_->client->OnCommitted(1);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 2"}));
  Insert(3, "T");
  loop_.RunOnce(false);
  storage_->client->OnCommitted(2);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 3", "answer 1"}));
  EXPECT_EQ(answers_["1"], "[{}]");
}

TEST_F(ExecutorTest, AWaitTimesOut) {
  WaitForRow(1, "T", R"("timeout":20,)");
  EXPECT_EQ(TakeEvents(), Events{});
  for (int i = 0; i < 100 && events_.empty(); i++) loop_.RunOnce(true);
  EXPECT_EQ(TakeEvents(), (Events{"answer 1"}));
  EXPECT_NE(answers_["1"].find("timed out"), std::string::npos) << answers_["1"];
}

TEST_F(ExecutorTest, WhatWaitsCanBeCanceled) {
  executor_->Cancel(WaitForRow(1, "T"));
  EXPECT_EQ(TakeEvents(), (Events{"error 1"}));
  EXPECT_EQ(answers_["1"], "\"canceled\"");
  WaitForRow(2, "T");
  WaitForRow(3, "U");
  executor_->CancelWaiting();
  EXPECT_EQ(TakeEvents(), (Events{"error 2", "error 3"}));
  EXPECT_EQ(executor_->request_count(), 0u);
}

TEST_F(ExecutorTest, WhatWaitsKeepsItsOrderWhenTriedInVain) {
  WaitForRow(1, "T");
  WaitForRow(2, "U");
  Submit(3, R"({"op":"insert","table":"T","row":{"name":"other"}})");
  loop_.RunOnce(false);
  executor_->CancelWaiting();
  EXPECT_EQ(TakeEvents(), (Events{"error 1", "error 2"}));
}

TEST_F(ExecutorTest, WhatIsExecutedCannotBeCanceled) {
  executor_->Cancel(Insert(1, "T"));
  storage_->client->OnCommitted(1);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 1"}));
}

TEST_F(ExecutorTest, AClientThatGoesIsNotAnswered) {
  WaitForRow(1, "T");
  Insert(2, "U");
  executor_->Abandon(this);
  storage_->client->OnCommitted(1);
  EXPECT_EQ(TakeEvents(), (Events{"change"}));
  EXPECT_EQ(executor_->request_count(), 0u);
}

TEST_F(ExecutorTest, FrozenRequestsComeInTheirOrder) {
  executor_->SetFrozen(true);
  Insert(1, "T");
  Request* second = Insert(2, "T");
  Insert(3, "T");
  executor_->Cancel(second);
  EXPECT_EQ(Rows(0), 0u);
  executor_->SetFrozen(false);
  EXPECT_EQ(Rows(0), 2u);
  storage_->client->OnCommitted(2);
  EXPECT_EQ(TakeEvents(), (Events{"error 2", "change", "answer 1", "change", "answer 3"}));
}

TEST_F(ExecutorTest, ReadsDoNotWaitForWhatMayTakeForEver) {
  const std::string read = R"({"op":"select","table":"T","where":[],"columns":["name"]})";
  Insert(1, "T");
  Submit(2, read);
  EXPECT_EQ(TakeEvents(), Events()) << "what it saw may be lost";
  storage_->is_ready = false;
  storage_->client->OnStalled();
  Submit(3, read);
  Insert(4, "T");
  EXPECT_EQ(TakeEvents(), (Events{"answer 2", "answer 3"}));
  EXPECT_EQ(answers_["2"], R"([{"rows":[]}])");
  EXPECT_EQ(answers_["3"], R"([{"rows":[]}])");
  EXPECT_EQ(Rows(0), 1u) << "the newest state is as it was";
  storage_->is_ready = true;
  storage_->client->OnReady();
  storage_->client->OnCommitted(1);
  loop_.RunOnce(false);
  storage_->client->OnCommitted(2);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 1", "change", "answer 4"}));
}

TEST_F(ExecutorTest, WaitsGoOnWhileReadsDoNotWait) {
  storage_->is_ready = false;
  WaitForRow(1, "T");
  storage_->is_ready = true;
  Insert(2, "T");
  storage_->is_ready = false;
  storage_->client->OnStalled();
  WaitForRow(3, "T");
  loop_.RunOnce(false);
  EXPECT_EQ(TakeEvents(), Events()) << "what they waited for may be lost";
  storage_->client->OnCommitted(1);
  EXPECT_EQ(TakeEvents(), (Events{"change", "answer 2", "answer 3", "answer 1"}));
}

TEST_F(ExecutorTest, LocksAreAskedOfTheClient) {
  Submit(1, R"({"op":"assert","lock":"mine"})");
  Submit(2, R"({"op":"assert","lock":"other"})");
  EXPECT_EQ(answers_["1"], "[{}]");
  EXPECT_NE(answers_["2"].find("not owner"), std::string::npos);
}

}  // namespace
}  // namespace server

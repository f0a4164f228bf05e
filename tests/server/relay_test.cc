#include "server/relay.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "follower_test_util.h"
#include "ovsdb/error.h"
#include "server/storage_relay.h"

namespace server {
namespace {

using Strings = std::vector<std::string>;

constexpr char kInsert[] = R"({"op":"insert","table":"T","row":{"n":7}})";

class RelayTest : public FollowerTest, public Request::Client {
 protected:
  void Start(const std::string& contents = "{}", const std::string& txn_id = kFirst) {
    Serve(SchemaOfT(), SinceReply(false, txn_id, contents));
    auto storage = std::make_unique<RelayStorage>();
    storage_ = storage.get();
    database_ =
        std::make_unique<HostedDatabase>(&environment_, "D", "D", std::move(storage), nullptr);
    relay_ = std::make_unique<Relay>(base::StreamContext{&loop_, nullptr}, Source(), &uuids_,
                                     database_.get(), storage_,
                                     [this] { connected_.push_back(storage_->connected()); });
  }
  ~RelayTest() override { relay_ = nullptr; }

  void Submit(int id, const std::string& operations) {
    auto request = std::make_unique<Request>();
    request->client = this;
    request->message = *base::JsonRpcMessage::Parse(
        absl::StrCat(R"({"method":"transact","id":)", id, R"(,"params":["D",)", operations, "]}"));
    database_->executor().Submit(std::move(request));
  }
  bool UntilSent() {
    return Until([&] { return source_.Count("transact") == 1; });
  }
  bool UntilAnswered() {
    return Until([&] { return !answers_.empty(); });
  }

  // Request::Client
  bool OwnsLock(absl::string_view lock) const override { return false; }
  std::string ClientName() const override { return "client"; }
  void OnHeld(Request* request) override {}
  void OnAnswer(Request* request, Answer answer) override {
    answers_.push_back(absl::StrCat(answer.is_error ? "error " : "", answer.text));
  }
  Strings TakeAnswers() { return std::exchange(answers_, {}); }

  RelayStorage* storage_ = nullptr;
  std::vector<bool> connected_;
  Strings answers_;
  std::unique_ptr<Relay> relay_;
};

TEST_F(RelayTest, HasTheSourceSContentsAndNames) {
  Start(RowOfT("initial", 1, 5));
  EXPECT_FALSE(database_->available());
  EXPECT_FALSE(storage_->connected());
  ASSERT_TRUE(UntilNumbers("5"));
  EXPECT_EQ(replaced_, (Strings{"database D connected to storage"}));
  EXPECT_EQ(connected_, std::vector<bool>{true});
  EXPECT_EQ(storage_->last_txn_id().ToString(), kFirst);
  Update(kSecond, RowOfT("insert", 2, 6));
  ASSERT_TRUE(UntilNumbers("5 6"));
  database_->executor().Settle();
  EXPECT_EQ(storage_->last_txn_id().ToString(), kSecond);
  EXPECT_EQ(database_->history().Since(*ovsdb::Uuid::Parse(kFirst))->tables.size(), 1u);
}

TEST_F(RelayTest, AStateWithoutANameEndsTheHistory) {
  Start(RowOfT("initial", 1, 5));
  ASSERT_TRUE(UntilNumbers("5"));
  Update(kZero, RowOfT("insert", 2, 6));
  ASSERT_TRUE(UntilNumbers("5 6"));
  database_->executor().Settle();
  EXPECT_FALSE(database_->history().Since(*ovsdb::Uuid::Parse(kFirst)));
}

TEST_F(RelayTest, SendsWritesAndAnswersAsTheSourceDoes) {
  Start();
  ASSERT_TRUE(UntilNumbers(""));
  source_.Answer("transact", "\"D\"", R"([{"uuid":["uuid","x"]}])");
  Submit(1, kInsert);
  ASSERT_TRUE(UntilAnswered());
  EXPECT_EQ(TakeAnswers(), (Strings{R"([{"uuid":["uuid","x"]}])"}));
  source_.Refuse("transact", "\"D\"", R"({"error":"whatever"})");
  Submit(2, kInsert);
  ASSERT_TRUE(UntilAnswered());
  EXPECT_EQ(TakeAnswers(), (Strings{R"(error {"error":"whatever"})"}));
  EXPECT_EQ(Numbers(), "");
}

TEST_F(RelayTest, AnswersReadsAndMistakesItself) {
  Start(RowOfT("initial", 1, 5));
  ASSERT_TRUE(UntilNumbers("5"));
  Submit(1, R"({"op":"select","table":"T","where":[],"columns":["n"]})");
  Submit(2, R"({"op":"insert","table":"Nope","row":{}})");
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_EQ(answers_[0], R"([{"rows":[{"n":5}]}])");
  EXPECT_NE(answers_[1].find("No table named Nope."), std::string::npos);
  EXPECT_EQ(source_.Count("transact"), 0u);
}

TEST_F(RelayTest, KeepsWritesUntilTheSourceIsThere) {
  Start();
  ASSERT_TRUE(UntilNumbers(""));
  source_.Answer("transact", "\"D\"", "[{}]");
  source_.Disconnect();
  ASSERT_TRUE(Until([&] { return source_.n_connections == 1 && !source_.connected(); }));
  for (int i = 0; i < 3; ++i) loop_.RunOnce(false);  // The relay hears of it.
  Submit(1, kInsert);
  EXPECT_TRUE(storage_->connected());  // For a while.
  EXPECT_TRUE(answers_.empty());
  ASSERT_TRUE(UntilAnswered());
  EXPECT_EQ(source_.n_connections, 2);
  EXPECT_EQ(TakeAnswers(), (Strings{"[{}]"}));
}

TEST_F(RelayTest, ForgetsWhatNobodyWaitsFor) {
  Start();
  ASSERT_TRUE(UntilNumbers(""));
  source_.Disconnect();
  for (int i = 0; i < 3; ++i) loop_.RunOnce(false);
  Submit(1, kInsert);
  database_->executor().Abandon(this);
  ASSERT_TRUE(Until([&] { return source_.n_connections == 2 && source_.Count("set_db") == 2; }));
  EXPECT_EQ(source_.Count("transact"), 0u);
  EXPECT_TRUE(answers_.empty());
}

TEST_F(RelayTest, NobodyKnowsOfAWriteWhoseSourceWent) {
  Start();
  ASSERT_TRUE(UntilNumbers(""));
  source_.Answer("transact", "\"D\"", "");
  Submit(1, kInsert);
  ASSERT_TRUE(UntilSent());
  source_.Disconnect();
  ASSERT_TRUE(UntilAnswered());
  EXPECT_EQ(TakeAnswers(), (Strings{"error \"canceled\""}));
}

TEST_F(RelayTest, TellsUpdatesBeforeTheAnswer) {
  Start();
  ASSERT_TRUE(UntilNumbers(""));
  bool updated = false;
  database_->AddChangeCallback([&](const ovsdb::Change&) { updated = answers_.empty(); });
  source_.Answer("transact", "\"D\"", "");
  Submit(1, kInsert);
  ASSERT_TRUE(UntilSent());
  Update(kSecond, RowOfT("insert", 1, 7));
  source_.Reply("[{}]");
  ASSERT_TRUE(UntilAnswered());
  EXPECT_TRUE(updated);
}

TEST_F(RelayTest, FollowsAConversion) {
  Start(RowOfT("initial", 1, 5));
  ASSERT_TRUE(UntilNumbers("5"));
  replaced_.clear();
  Serve(SchemaOfT("\"integer\"", R"(,"more":{"type":"string"})"),
        SinceReply(false, kSecond, RowOfT("initial", 1, 5, R"(,"more":"x")")));
  source_.Notify("monitor_canceled", R"([["monid","D"]])");
  ASSERT_TRUE(Until([&] { return !replaced_.empty(); }));
  EXPECT_EQ(replaced_, (Strings{"updating D database schema"}));
  EXPECT_NE(database_->schema_text().find("more"), std::string::npos);
  EXPECT_EQ(Numbers(), "5");
  EXPECT_EQ(storage_->last_txn_id().ToString(), kSecond);
}

TEST_F(RelayTest, MayGetAnotherSource) {
  Start(RowOfT("initial", 1, 5));
  ASSERT_TRUE(UntilNumbers("5"));
  ScriptedServer other(&loop_, dir_ / "other");
  other.Serve(R"("model":"standalone","connected":true,"leader":true,)", SchemaOfT(), "{}",
              SinceReply(false, kSecond, RowOfT("initial", 2, 6)));
  DbClient::Options source = Source();
  source.remotes = {other.remote()};
  relay_->SetSource(source);
  EXPECT_EQ(Numbers(), "5");
  ASSERT_TRUE(UntilNumbers("6"));
  EXPECT_EQ(replaced_.size(), 1u);  // By the first source.
  EXPECT_EQ(connected_, std::vector<bool>{true});
}

// The storage by itself.

class PositionRecorder final : public Storage::Client {
 public:
  explicit PositionRecorder(RelayStorage* storage) : storage_(storage) { storage->SetClient(this); }
  void OnCommitted(Storage::Position position) override {
    told.push_back(absl::StrCat(position, " ", storage_->last_txn_id().ToString()));
  }
  void OnDurable(Storage::Position position) override { durable = position; }
  void OnNotDurable(Storage::Position, const absl::Status&) override {}
  void OnLost(const absl::Status&) override {}
  const ovsdb::Database* database() const override { return nullptr; }
  void OnForeign(Storage::Position, ovsdb::Change) override {}
  void OnDisplaced(Storage::Position) override {}
  void OnReady() override {}
  void OnStalled() override {}

  Strings told;
  Storage::Position durable = 0;

 private:
  RelayStorage* storage_;
};

TEST(RelayStorageTest, StatesHaveTheNamesGivenBeforehand) {
  RelayStorage storage;
  PositionRecorder client(&storage);
  const auto schema = *ovsdb::DatabaseSchema::ParseText(SchemaOfT());
  for (const char* name : {kFirst, kSecond}) {
    storage.SetNextTxnId(*ovsdb::Uuid::Parse(name));
    storage.Append(*schema, ovsdb::Change(), false);
  }
  EXPECT_TRUE(storage.last_txn_id().is_zero());
  storage.Flush();
  EXPECT_EQ(client.told, (Strings{absl::StrCat("1 ", kFirst), absl::StrCat("2 ", kSecond)}));
  EXPECT_EQ(client.durable, 2u);
  storage.Reset(*ovsdb::Uuid::Parse(kFirst));
  EXPECT_EQ(storage.last_txn_id().ToString(), kFirst);
}

TEST(RelayStorageTest, IsNotWrittenHere) {
  RelayStorage storage;
  EXPECT_FALSE(storage.leader());
  EXPECT_FALSE(storage.WantsCompaction());
  absl::Status status;
  storage.Convert({}, [&](absl::Status result) { status = std::move(result); });
  EXPECT_EQ(ovsdb::ErrorString(status), ovsdb::kNotAllowed);
}

}  // namespace
}  // namespace server

#include "server/remotes.h"

#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "hosting_test_util.h"
#include "server/base/address.h"

namespace server {
namespace {

constexpr char kTables[] = R"({
  "Root":{"isRoot":true,"columns":{
    "n":{"type":"integer"},
    "targets":{"type":{"key":"string","min":0,"max":"unlimited"}},
    "rows":{"type":{"key":{"type":"uuid","refTable":"Connection"},"min":0,"max":"unlimited"}}}},
  "Connection":{"columns":{
    "target":{"type":"string"},
    "role":{"type":"string"},
    "is_connected":{"type":"boolean","ephemeral":true},
    "status":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"},
              "ephemeral":true}}}})";

// A client of a unix socket.
class Client {
 public:
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    connected_ = base::ConnectUnix(fd_, path) == 0;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(fd_); }

  bool connected() const { return connected_; }
  // Whether the server has closed the connection.
  bool dropped() const {
    char byte;
    return recv(fd_, &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  int fd_;
  bool connected_;
};

class RemotesTest : public HostingTest {
 protected:
  RemotesTest() {
    database_ = Host(kTables, [this](const ovsdb::Change& change) {
      if (remotes_ != nullptr) remotes_->OnChange(*database_, change);
    });
    remotes_ =
        std::make_unique<Remotes>(base::StreamContext{.loop = &loop_}, &sessions_, &databases_);
  }

  bool UntilServed(const std::string& path) {
    return Until([&] { return Client(path).connected(); });
  }
  void SetTargets(const std::string& set) {
    Transact(absl::StrCat(R"({"op":"delete","table":"Root","where":[]},)",
                          R"({"op":"insert","table":"Root","row":{"targets":)", set, "}}"));
  }
  // Makes one row of Connection, with these columns, the only one.
  void SetRow(const std::string& columns) {
    Transact(absl::Substitute(
        R"({"op":"delete","table":"Root","where":[]},
           {"op":"insert","table":"Connection","uuid-name":"c","row":{$0}},
           {"op":"insert","table":"Root","row":{"rows":["named-uuid","c"]}})",
        columns));
  }
  // Columns is_connected and status of the only row.
  std::string Status() const {
    std::string text;
    const ovsdb::Table& table =
        database_->state().table(database_->state().schema().FindTable("Connection")->index);
    table.ForEach([&](const ovsdb::Row& row) {
      for (const char* name : {"is_connected", "status"}) {
        const ovsdb::ColumnSchema* column = table.schema().FindColumn(name);
        column->type.AppendText(row.datum(column->index), &text);
      }
    });
    return text;
  }

  HostedDatabase* database_;
  std::unique_ptr<Remotes> remotes_;
};

TEST_F(RemotesTest, ATargetIsServedUntilItIsRemoved) {
  const std::string path = dir_ / "sock";
  ASSERT_TRUE(remotes_->Add("punix:" + path).ok());
  EXPECT_TRUE(UntilServed(path));
  EXPECT_TRUE(remotes_->Remove("punix:" + path));
  Turns();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(remotes_->Remove("punix:" + path));
}

TEST_F(RemotesTest, AColumnOfStringsIsFollowed) {
  ASSERT_TRUE(remotes_->Add("db:D,Root,targets").ok());
  SetTargets(absl::Substitute(R"("punix:$0")", dir_ / "a"));
  EXPECT_TRUE(UntilServed(dir_ / "a"));
  SetTargets(absl::Substitute(R"(["set",["punix:$0","punix:$1"]])", dir_ / "b", dir_ / "c"));
  EXPECT_TRUE(UntilServed(dir_ / "b"));
  EXPECT_TRUE(UntilServed(dir_ / "c"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "a"));
}

TEST_F(RemotesTest, RowsAreToldHowTheyAre) {
  ASSERT_TRUE(remotes_->Add("db:D,Root,rows").ok());
  SetRow(absl::Substitute(R"("target":"punix:$0")", dir_ / "sock"));
  ASSERT_TRUE(UntilServed(dir_ / "sock"));
  const Client one(dir_ / "sock");
  const Client two(dir_ / "sock");
  EXPECT_TRUE(Until([&] {
    return Status() ==
           R"(true{n_connections="2", sec_since_connect="0", sec_since_disconnect="0"})";
  })) << Status();
}

TEST_F(RemotesTest, ATargetThatMakesNoSenseIsTriedForEver) {
  ASSERT_TRUE(remotes_->Add("db:D,Root,rows").ok());
  SetRow(R"("target":"ptcp:nonsense")");
  EXPECT_TRUE(Until([&] { return Status() == "false{state=BACKOFF}"; })) << Status();
}

TEST_F(RemotesTest, ANewRoleEndsSessions) {
  ASSERT_TRUE(remotes_->Add("db:D,Root,rows").ok());
  SetRow(absl::Substitute(R"("target":"punix:$0")", dir_ / "sock"));
  ASSERT_TRUE(UntilServed(dir_ / "sock"));
  const Client client(dir_ / "sock");
  Transact(R"({"op":"update","table":"Root","where":[],"row":{"n":1}})");
  Turns();
  EXPECT_FALSE(client.dropped());
  Transact(R"({"op":"update","table":"Connection","where":[],"row":{"role":"other"}})");
  EXPECT_TRUE(Until([&] { return client.dropped(); }));
  EXPECT_TRUE(Client(dir_ / "sock").connected());
}

TEST_F(RemotesTest, ListeningIsTriedAgain) {
  const std::string path = dir_ / "later/sock";
  ASSERT_TRUE(remotes_->Add("punix:" + path).ok());
  Turns();
  std::filesystem::create_directory(dir_ / "later");
  EXPECT_TRUE(UntilServed(path));
}

TEST_F(RemotesTest, PlacesThatAreNone) {
  const struct {
    const char* name;
    const char* error;
  } cases[] = {
      {"db:D,Root", R"("db:D,Root": invalid syntax)"},
      {"db:X,Root,rows", R"("db:X,Root,rows": no database named X)"},
      {"db:D,X,rows", R"("db:D,X,rows": no table named X)"},
      {"db:D,Root,x", R"("db:D,Root,x": table "Root" has no column "x")"},
  };
  for (const auto& [name, error] : cases) EXPECT_EQ(remotes_->Add(name).message(), error);
  EXPECT_TRUE(remotes_->configured().empty());
}

}  // namespace
}  // namespace server

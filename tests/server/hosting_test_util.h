// A server's databases, "D" in memory among them, for tests of what reads settings there.
#ifndef TESTS_SERVER_HOSTING_TEST_UTIL_H_
#define TESTS_SERVER_HOSTING_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base_test_util.h"
#include "server/databases.h"
#include "server/db_session.h"

namespace server {

class HostingTest : public testing::Test, private Databases::Observer {
 protected:
  // Hosts "D" with these tables; `on_change` hears what is committed.
  HostedDatabase* Host(const std::string& tables, HostedDatabase::ChangeCallback on_change) {
    auto schema = ovsdb::DatabaseSchema::ParseText(
        absl::StrCat(R"({"name":"D","version":"1.0.0","tables":)", tables, "}"));
    EXPECT_TRUE(schema.ok()) << schema.status();
    auto database = std::make_unique<HostedDatabase>(
        &databases_.environment(), "D", "d.db", MakeMemoryStorage("standalone"),
        std::make_unique<ovsdb::Database>(*std::move(schema)));
    HostedDatabase* const hosted = database.get();
    hosted->AddChangeCallback(std::move(on_change));
    EXPECT_TRUE(databases_.Add(std::move(database)).ok());
    return hosted;
  }

  // Commits these operations in "D".
  void Transact(const std::string& operations) {
    auto request = std::make_unique<Request>();
    request->message = *base::JsonRpcMessage::Parse(
        absl::StrCat(R"({"method":"transact","id":1,"params":["D",)", operations, "]}"));
    HostedDatabase* const database = databases_.Find("D");
    database->executor().Submit(std::move(request));
    database->executor().Settle();
  }

  template <typename Condition>
  bool Until(Condition condition) {
    return base::RunUntil(&loop_, condition);
  }
  void Turns() {
    for (int i = 0; i < 3; i++) loop_.RunOnce(false);
  }

  base::TempDir dir_;
  base::Loop loop_;
  base::Worker worker_{&loop_};
  ovsdb::UuidGenerator uuids_{1};
  Databases databases_{&loop_, &worker_, &uuids_, this};
  Sessions sessions_{&loop_, &databases_, ovsdb::Uuid()};

 private:
  void OnAdded(HostedDatabase*, absl::string_view) override {}
  void OnLeave(HostedDatabase*) override {}
  void OnReplaced(HostedDatabase*, absl::string_view) override {}
  void OnRemoved(HostedDatabase*, absl::string_view) override {}
};

}  // namespace server

#endif  // TESTS_SERVER_HOSTING_TEST_UTIL_H_

// A database in memory for tests of what changes its contents from elsewhere.
#ifndef TESTS_SERVER_FOLLOWER_TEST_UTIL_H_
#define TESTS_SERVER_FOLLOWER_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base_test_util.h"
#include "scripted_server.h"
#include "server/hosted_database.h"

namespace server {

inline constexpr char kZero[] = "00000000-0000-0000-0000-000000000000";
inline constexpr char kFirst[] = "00000000-0000-0000-0000-0000000000f1";
inline constexpr char kSecond[] = "00000000-0000-0000-0000-0000000000f2";

// A schema of database "D" with tables T (strong references to U in column u) and U.
inline std::string SchemaOfT(absl::string_view n_type = "\"integer\"",
                             absl::string_view more_columns = "") {
  return absl::StrCat(R"({"name":"D","tables":{"T":{"columns":{"n":{"type":)", n_type, "}",
                      more_columns,
                      R"(,"u":{"type":{"key":{"type":"uuid","refTable":"U"},"min":0}}},)"
                      R"("isRoot":true},"U":{"columns":{"s":{"type":"string"}},"isRoot":true}}})");
}

inline std::string RowId(int n) { return absl::StrCat("0000000", n, kZero + 8); }

// <table-updates2> about one row of T, with its number and more columns.
inline std::string RowOfT(const char* kind, int id, int n, absl::string_view more = "") {
  return absl::StrCat(R"({"T":{")", RowId(id), R"(":{")", kind, R"(":{"n":)", n, more, "}}}}");
}

inline std::string SinceReply(bool found, absl::string_view id, absl::string_view updates) {
  return absl::StrCat("[", found ? "true" : "false", ",\"", id, "\",", updates, "]");
}

class FollowerTest : public testing::Test {
 protected:
  FollowerTest() {
    environment_.loop = &loop_;
    environment_.worker = &worker_;
    environment_.uuids = &uuids_;
    environment_.leave = [](HostedDatabase* database) { database->executor().CancelWaiting(); };
    environment_.replaced = [this](HostedDatabase*, absl::string_view reason) {
      replaced_.emplace_back(reason);
    };
  }

  void Serve(const std::string& schema, const std::string& reply_to_since) {
    source_.Serve(R"("model":"standalone","connected":true,"leader":true,)", schema, "{}",
                  reply_to_since);
  }
  DbClient::Options Source() const {
    DbClient::Options options;
    options.database = "D";
    options.remotes = {source_.remote()};
    options.max_backoff_ms = 1000;
    return options;
  }
  template <typename Condition>
  bool Until(Condition condition) {
    return base::RunUntil(&loop_, condition);
  }
  void Update(const std::string& txn_id, const std::string& updates) {
    source_.Notify("update3", absl::StrCat(R"([["monid","D"],")", txn_id, "\",", updates, "]"));
  }
  // Column n of all rows of table T, sorted.
  std::string Numbers() const {
    std::vector<int64_t> numbers;
    if (!database_->available()) return "not available";
    const ovsdb::Table& table = database_->state().table(0);
    const int column = table.schema().FindColumn("n")->index;
    table.ForEach(
        [&](const ovsdb::Row& row) { numbers.push_back(row.datum(column).key(0).integer()); });
    std::sort(numbers.begin(), numbers.end());
    return absl::StrJoin(numbers, " ");
  }
  bool UntilNumbers(const std::string& numbers) {
    return Until([&] { return Numbers() == numbers; });
  }

  base::TempDir dir_;
  base::Loop loop_;
  base::Worker worker_{&loop_};
  ovsdb::UuidGenerator uuids_{1};
  HostedDatabase::Environment environment_;
  std::vector<std::string> replaced_;
  ScriptedServer source_{&loop_, dir_ / "source"};
  std::unique_ptr<HostedDatabase> database_;
};

}  // namespace server

#endif  // TESTS_SERVER_FOLLOWER_TEST_UTIL_H_

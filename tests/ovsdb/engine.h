// A database that tests run transactions on, in JSON text.
#ifndef TESTS_OVSDB_ENGINE_H_
#define TESTS_OVSDB_ENGINE_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/database.h"
#include "ovsdb/transaction.h"

namespace ovsdb {

class Engine {
 public:
  explicit Engine(absl::string_view schema) : db_(*DatabaseSchema::ParseText(schema)), uuids_(1) {
    context_.uuids = &uuids_;
  }

  Database& db() { return db_; }
  TransactionContext& context() { return context_; }
  UuidGenerator& uuids() { return uuids_; }

  // `operations` without the brackets around them. Nothing is applied.
  TransactionOutcome Try(absl::string_view operations) {
    const auto params =
        ParseJson(absl::StrCat("[\"D\"", operations.empty() ? "" : ",", operations, "]"));
    EXPECT_TRUE(params.ok()) << operations;
    return ExecuteTransaction(db_, *params, context_);
  }
  // The result; what was committed is applied.
  std::string Run(absl::string_view operations) {
    TransactionOutcome outcome = Try(operations);
    EXPECT_EQ(outcome.committed || outcome.must_wait,
              outcome.result.find("error") == std::string::npos)
        << outcome.result;
    db_.Apply(outcome.change);
    return outcome.must_wait ? "must wait" : outcome.result;
  }
  // The rows of a select of some columns of a whole table.
  std::string Rows(absl::string_view table, absl::string_view columns) {
    return Run(absl::StrCat(R"({"op":"select","table":")", table, R"(","where":[],"columns":[)",
                            columns, "]}"));
  }

 private:
  Database db_;
  UuidGenerator uuids_;
  TransactionContext context_;
};

// The UUID 00000000-0000-0000-0000-00000000000N, N a digit.
inline std::string UuidText(int n) {
  return absl::StrCat("00000000-0000-0000-0000-00000000000", n);
}
inline std::string UuidJson(int n) { return absl::StrCat(R"(["uuid",")", UuidText(n), R"("])"); }
// A reply to an insert of the row with that UUID.
inline std::string Inserted(int n) { return absl::StrCat(R"({"uuid":)", UuidJson(n), "}"); }
// An insertion with that UUID. `row` is the JSON object.
inline std::string Insert(absl::string_view table, int n, absl::string_view row) {
  return absl::StrCat(R"({"op":"insert","table":")", table, R"(","uuid":")", UuidText(n),
                      R"(","row":)", row, "}");
}
inline std::string Delete(absl::string_view table, absl::string_view where = "") {
  return absl::StrCat(R"({"op":"delete","table":")", table, R"(","where":[)", where, "]}");
}
inline std::string Update(absl::string_view table, absl::string_view where, absl::string_view row) {
  return absl::StrCat(R"({"op":"update","table":")", table, R"(","where":[)", where, R"(],"row":)",
                      row, "}");
}
inline std::string IsRow(int n) { return absl::StrCat(R"(["_uuid","==",)", UuidJson(n), "]"); }

}  // namespace ovsdb

#endif  // TESTS_OVSDB_ENGINE_H_

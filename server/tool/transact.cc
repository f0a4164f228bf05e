// Transactions on a database that no server has open.

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "ovsdb/error.h"
#include "ovsdb/log_json.h"
#include "ovsdb/transaction.h"
#include "server/database_file.h"
#include "server/log_file.h"
#include "server/tool/command.h"

namespace tool {
namespace {

using server::LogFile;

// What the server checks before it executes.
absl::Status CheckParams(const ovsdb::Json& params, const std::string& name) {
  if (!params.IsArray()) return ovsdb::SyntaxError(params, "array expected");
  if (params.Empty() || !params[0].IsString() || ovsdb::StringView(params[0]) != name) {
    return ovsdb::SyntaxError(params, "database name expected as first parameter");
  }
  return absl::OkStatus();
}

absl::Status Commit(const server::LoadedDatabase& loaded, const ovsdb::TransactionOutcome& outcome,
                    LogFile* log) {
  const int64_t now = absl::ToUnixMillis(absl::Now());
  std::string record;
  if (!ovsdb::AppendRecord(loaded.database->schema(), outcome.change, now,
                           ovsdb::RecordForm::kDifferences, &record)) {
    return absl::OkStatus();
  }
  server::FrameLogRecord(server::LogMagic::kStandalone, 0, &record);
  absl::Status status = server::RecordMends(loaded, now, ovsdb::RecordForm::kDifferences, log);
  if (status.ok()) status = log->Append(record);
  return status.ok() && outcome.durable ? log->sync()->Run() : status;
}

// The results, with an error of the commit behind them.
std::string Results(absl::string_view results, const absl::Status& commit) {
  if (commit.ok()) return std::string(results);
  std::string text(results.substr(0, results.size() - 1));
  absl::StrAppend(&text, text == "[" ? "" : ",");
  ovsdb::AppendError(commit, &text);
  return absl::StrCat(text, "]");
}

absl::StatusOr<int> Execute(const Invocation& invocation, LogFile::Mode mode) {
  const std::string& text = invocation.args.back();
  Invocation with_database = invocation;
  with_database.args.pop_back();
  absl::StatusOr<std::unique_ptr<LogFile>> log = OpenStandalone(with_database.Database(), mode);
  if (!log.ok()) return log.status();
  absl::StatusOr<server::LoadedDatabase> loaded = server::LoadDatabase(log->get());
  if (!loaded.ok()) return loaded.status();
  if (!loaded->tail.ok()) return loaded->tail;
  const ovsdb::Database& database = *loaded->database;

  absl::StatusOr<ovsdb::JsonDocument> params = ovsdb::ParseJsonStructure(text);
  if (!params.ok()) {
    return Failure(absl::StrCat("\"", text, "\": ", params.status().message()));
  }
  const absl::Status status = CheckParams(*params, database.schema().name);
  if (!status.ok()) {
    std::string error;
    ovsdb::AppendError(status, &error);
    PrintLine(error);
    return kSuccess;
  }
  ovsdb::UuidGenerator uuids(std::random_device{}());
  ovsdb::TransactionContext context;
  context.role = invocation.rbac_role;
  context.uuids = &uuids;
  context.can_wait = false;
  const ovsdb::TransactionOutcome outcome = ExecuteTransaction(database, *params, context);
  PrintLine(Results(outcome.result, Commit(*loaded, outcome, log->get())));
  return kSuccess;
}

}  // namespace

absl::StatusOr<int> Query(const Invocation& invocation) {
  return Execute(invocation, LogFile::Mode::kReadOnly);
}

absl::StatusOr<int> Transact(const Invocation& invocation) {
  return Execute(invocation, LogFile::Mode::kReadWrite);
}

}  // namespace tool

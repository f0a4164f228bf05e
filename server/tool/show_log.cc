// Prints the records of a database file for people.

#include <optional>

#include "absl/strings/str_cat.h"
#include "server/database_file.h"
#include "server/log_file.h"
#include "server/tool/cluster.h"
#include "server/tool/command.h"
#include "server/tool/log_printer.h"

namespace tool {
namespace {

absl::StatusOr<int> ShowStandaloneLog(server::LogFile* log, int more) {
  absl::StatusOr<std::optional<ovsdb::JsonDocument>> first = server::ReadJson(log);
  if (!first.ok()) return first.status();
  if (!*first) return kSuccess;
  Print("record 0:");
  absl::StatusOr<ovsdb::SchemaRef> schema = ovsdb::DatabaseSchema::Parse(**first);
  if (!schema.ok()) return schema.status();
  LogPrinter printer(more);
  Print(absl::StrCat(" \"", (*schema)->name, "\" schema, ", printer.SetSchema(*schema), "\n\n"));
  for (int n = 1;; ++n) {
    absl::StatusOr<std::optional<ovsdb::JsonDocument>> record = server::ReadJson(log);
    if (!record.ok()) return record.status();
    if (!*record) return kSuccess;
    Print(absl::StrCat("record ", n, ":", printer.Transaction(**record)));
  }
}

}  // namespace

absl::StatusOr<int> ShowLog(const Invocation& invocation) {
  absl::StatusOr<std::unique_ptr<server::LogFile>> log =
      server::LogFile::Open(invocation.Database(), server::LogFile::Mode::kReadOnly, std::nullopt);
  if (!log.ok()) return log.status();
  return (*log)->magic() == server::LogMagic::kClustered
             ? ShowClusterLog(log->get(), invocation.more)
             : ShowStandaloneLog(log->get(), invocation.more);
}

}  // namespace tool

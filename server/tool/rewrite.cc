// Commands that write a database file anew.

#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "ovsdb/convert.h"
#include "ovsdb/error.h"
#include "server/database_file.h"
#include "server/log_file.h"
#include "server/tool/command.h"

namespace tool {
namespace {

using server::LogFile;

absl::StatusOr<std::unique_ptr<ovsdb::Database>> LoadWholly(LogFile* log) {
  absl::StatusOr<server::LoadedDatabase> loaded = server::LoadDatabase(log);
  if (!loaded.ok()) return loaded.status();
  if (!loaded->tail.ok()) return loaded->tail;
  return std::move(loaded->database);
}

absl::Status Replace(LogFile* log, const ovsdb::Snapshot& snapshot, absl::string_view done) {
  absl::StatusOr<std::unique_ptr<server::LogWriter>> writer = log->StartReplacement();
  if (!writer.ok()) return writer.status();
  absl::Status status = server::WriteDatabase(snapshot, absl::StrCat(done, " by ", Signature()),
                                              absl::ToUnixMillis(absl::Now()),
                                              ovsdb::RecordForm::kValues, writer->get());
  if (status.ok()) status = (*writer)->Sync();
  if (status.ok()) status = log->Replace(*std::move(writer));
  if (status.ok()) status = log->sync()->Run();
  return status;
}

// As if the new schema had been the file's from the beginning.
absl::StatusOr<ovsdb::Snapshot> Converted(const ovsdb::Snapshot& from,
                                          const ovsdb::SchemaRef& schema) {
  ovsdb::UuidGenerator uuids(std::random_device{}());
  auto database = ovsdb::ConvertDatabase(from, schema, ovsdb::OldDefault::kReplace, &uuids);
  if (!database.ok()) return database.status();
  return (*database)->TakeSnapshot();
}

// Stock takes the lock of what it is going to write by itself here, and says in fewer words that it
// could not.
absl::Status LockError(const absl::Status& status) {
  if (!absl::StrContains(status.message(), "failed to lock")) return status;
  return Failure(absl::StripPrefix(ErrorMessage(status), "I/O error: "));
}

// Makes the source, as `schema` has it if there is one, the content of argument `destination`, or
// of the source itself.
absl::StatusOr<int> Rewrite(const Invocation& invocation, size_t destination,
                            const ovsdb::SchemaRef& schema, absl::string_view done) {
  const bool in_place = invocation.args.size() <= destination;
  absl::StatusOr<std::unique_ptr<LogFile>> log = OpenStandalone(
      invocation.Database(), in_place ? LogFile::Mode::kReplace : LogFile::Mode::kReadOnly);
  if (!log.ok()) return LockError(log.status());
  absl::StatusOr<std::unique_ptr<ovsdb::Database>> database = LoadWholly(log->get());
  if (!database.ok()) return database.status();
  absl::StatusOr<ovsdb::Snapshot> snapshot = (*database)->TakeSnapshot();
  if (schema) snapshot = Converted(*snapshot, schema);
  if (!snapshot.ok()) return snapshot.status();
  if (!in_place) {
    log = LogFile::Open(invocation.args[destination], LogFile::Mode::kCreate,
                        server::LogMagic::kStandalone);
    if (!log.ok()) return LockError(log.status());
  }
  const absl::Status status = Replace(log->get(), *snapshot, done);
  if (!status.ok()) return status;
  return kSuccess;
}

std::string SchemaText(const ovsdb::DatabaseSchema& schema) {
  std::string text;
  schema.AppendJson(&text);
  return text;
}

}  // namespace

absl::StatusOr<int> Compact(const Invocation& invocation) {
  return Rewrite(invocation, 1, nullptr, "compacted");
}

absl::StatusOr<int> Convert(const Invocation& invocation) {
  absl::StatusOr<ovsdb::SchemaRef> schema = ReadSchemaFile(invocation.Schema(1));
  if (!schema.ok()) return schema.status();
  return Rewrite(invocation, 2, *schema, "converted");
}

absl::StatusOr<int> NeedsConversion(const Invocation& invocation) {
  absl::StatusOr<std::unique_ptr<LogFile>> log = OpenStandalone(invocation.Database());
  if (!log.ok()) return log.status();
  absl::StatusOr<ovsdb::SchemaRef> old_schema = server::ReadSchema(log->get());
  if (!old_schema.ok()) return old_schema.status();
  absl::StatusOr<ovsdb::SchemaRef> new_schema = ReadSchemaFile(invocation.Schema(1));
  if (!new_schema.ok()) return new_schema.status();
  PrintLine(SchemaText(**old_schema) == SchemaText(**new_schema) ? "no" : "yes");
  return kSuccess;
}

}  // namespace tool

// What a database or schema says of itself.

#include <optional>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "server/database_file.h"
#include "server/log_file.h"
#include "server/tool/command.h"

namespace tool {
namespace {

absl::StatusOr<int> PrintOfDatabase(const Invocation& invocation,
                                    const std::string ovsdb::DatabaseSchema::*member) {
  absl::StatusOr<std::unique_ptr<server::LogFile>> log = OpenStandalone(invocation.Database());
  if (!log.ok()) return log.status();
  absl::StatusOr<ovsdb::SchemaRef> schema = server::ReadSchema(log->get());
  if (!schema.ok()) return schema.status();
  PrintLine((**schema).*member);
  return kSuccess;
}

absl::StatusOr<int> PrintOfSchema(const Invocation& invocation,
                                  const std::string ovsdb::DatabaseSchema::*member) {
  absl::StatusOr<ovsdb::SchemaRef> schema = ReadSchemaFile(invocation.Schema(0));
  if (!schema.ok()) return schema.status();
  PrintLine((**schema).*member);
  return kSuccess;
}

absl::StatusOr<int> IsOfKind(const Invocation& invocation, server::LogMagic kind) {
  absl::StatusOr<std::unique_ptr<server::LogFile>> log =
      server::LogFile::Open(invocation.Database(), server::LogFile::Mode::kReadOnly, std::nullopt);
  if (!log.ok()) return log.status();
  return (*log)->magic() == kind ? kSuccess : kNo;
}

}  // namespace

absl::StatusOr<int> DbName(const Invocation& invocation) {
  return PrintOfDatabase(invocation, &ovsdb::DatabaseSchema::name);
}

absl::StatusOr<int> DbVersion(const Invocation& invocation) {
  return PrintOfDatabase(invocation, &ovsdb::DatabaseSchema::version);
}

absl::StatusOr<int> DbCksum(const Invocation& invocation) {
  return PrintOfDatabase(invocation, &ovsdb::DatabaseSchema::cksum);
}

absl::StatusOr<int> DbIsClustered(const Invocation& invocation) {
  return IsOfKind(invocation, server::LogMagic::kClustered);
}

absl::StatusOr<int> DbIsStandalone(const Invocation& invocation) {
  return IsOfKind(invocation, server::LogMagic::kStandalone);
}

absl::StatusOr<int> SchemaName(const Invocation& invocation) {
  return PrintOfSchema(invocation, &ovsdb::DatabaseSchema::name);
}

absl::StatusOr<int> SchemaVersion(const Invocation& invocation) {
  return PrintOfSchema(invocation, &ovsdb::DatabaseSchema::version);
}

absl::StatusOr<int> SchemaCksum(const Invocation& invocation) {
  return PrintOfSchema(invocation, &ovsdb::DatabaseSchema::cksum);
}

}  // namespace tool

// What a database or schema says of itself.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "server/cluster/cluster_file.h"
#include "server/database_file.h"
#include "server/log_file.h"
#include "server/tool/command.h"

namespace tool {
namespace {

using server::LogFile;

absl::StatusOr<int> PrintOfDatabase(const Invocation& invocation,
                                    const std::string ovsdb::DatabaseSchema::*member) {
  absl::StatusOr<std::unique_ptr<LogFile>> log = OpenStandalone(invocation.Database());
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

absl::StatusOr<std::string> NameInHeader(LogFile* log) {
  absl::StatusOr<raft::Header> header = server::ReadClusterHeader(log);
  if (!header.ok()) return header.status();
  return std::move(header->name);
}

absl::StatusOr<std::string> NameInSchema(LogFile* log) {
  const absl::StatusOr<ovsdb::SchemaRef> schema = server::ReadSchema(log);
  if (!schema.ok()) return schema.status();
  return (*schema)->name;
}

absl::StatusOr<int> IsOfKind(const Invocation& invocation, server::LogMagic kind) {
  absl::StatusOr<std::unique_ptr<LogFile>> log =
      LogFile::Open(invocation.Database(), LogFile::Mode::kReadOnly, std::nullopt);
  if (!log.ok()) return log.status();
  return (*log)->magic() == kind ? kSuccess : kNo;
}

}  // namespace

absl::StatusOr<int> DbName(const Invocation& invocation) {
  absl::StatusOr<std::unique_ptr<LogFile>> log =
      LogFile::Open(invocation.Database(), LogFile::Mode::kReadOnly, std::nullopt);
  if (!log.ok()) return log.status();
  const absl::StatusOr<std::string> name = (*log)->magic() == server::LogMagic::kClustered
                                               ? NameInHeader(log->get())
                                               : NameInSchema(log->get());
  if (!name.ok()) return name.status();
  PrintLine(*name);
  return kSuccess;
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

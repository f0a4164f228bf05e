#include "server/tool/command.h"

namespace tool {

absl::StatusOr<int> Create(const Invocation& invocation) {
  absl::StatusOr<ovsdb::SchemaRef> schema = ReadSchemaFile(invocation.Schema(1));
  if (!schema.ok()) return schema.status();
  std::string record;
  (*schema)->AppendJson(&record);
  const absl::Status status =
      CreateFile(invocation.Database(), server::LogMagic::kStandalone, {std::move(record)});
  if (!status.ok()) return status;
  return kSuccess;
}

}  // namespace tool

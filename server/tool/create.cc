#include "server/log_file.h"
#include "server/tool/command.h"

namespace tool {

absl::StatusOr<int> Create(const Invocation& invocation) {
  absl::StatusOr<ovsdb::SchemaRef> schema = ReadSchemaFile(invocation.Schema(1));
  if (!schema.ok()) return schema.status();
  absl::StatusOr<std::unique_ptr<server::LogFile>> log = server::LogFile::Open(
      invocation.Database(), server::LogFile::Mode::kCreateNew, server::LogMagic::kStandalone);
  if (!log.ok()) return log.status();
  std::string record;
  (*schema)->AppendJson(&record);
  server::FrameLogRecord(server::LogMagic::kStandalone, 0, &record);
  absl::Status status = (*log)->Append(record);
  if (status.ok()) status = (*log)->sync()->Run();
  if (!status.ok()) return status;
  return kSuccess;
}

}  // namespace tool
